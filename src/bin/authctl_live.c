/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check --live`: asks the running web server what clients ask, good ones and
 * bad ones, and says what does not come out as configured. Here are its options, its
 * order, and what it cannot know. */
#include "bin/authctl_live.h"

#include <stdio.h>

#include "base/conf_internal.h"
#include "bin/authctl_output.h"

enum { ASK_ARENA = 1 << 20, KEEP_ARENA = 4 << 20 };
enum { TIMEOUT_MS = 10000, CLOCK_NEAR = 5, CLOCK_FAR = 60 };

/* Options -------------------------------------------------------------------------- */

static int check_url(const struct arguments *arguments, const struct given *given)
{
	struct live_page page;
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory - 1);
	bool path = given->id == OPTION_LOGIN && given->value[0] == '/';
	if (path || live_page_read(str_of(given->value), &page, &why))
		return EX_OK;
	return arguments_wrong(arguments, "%s", buf_z(&why));
}

static bool is_url(enum option_id id)
{
	return id == OPTION_LIVE || id == OPTION_PUBLIC || id == OPTION_LOGIN || id == OPTION_ENDPOINT;
}

int check_live_arguments(const struct arguments *arguments)
{
	size_t n_live = 0, n_public = 0;
	int64_t timeout;
	int status = EX_OK;
	for (size_t i = 0; i < arguments->n_given && !status; i++) {
		const struct given *given = &arguments->given[i];
		n_live += given->id == OPTION_LIVE;
		n_public += given->id == OPTION_PUBLIC;
		if (is_url(given->id))
			status = check_url(arguments, given);
	}
	const char *text = arguments_value(arguments, OPTION_TIMEOUT);
	if (status)
		return status;
	if (arguments->n_given > 0 && n_live == 0)
		return arguments_wrong(arguments, "these options are for --live URL: name a page that needs a login");
	if (n_live > LIVE_PAGES_MAX || n_public > LIVE_PAGES_MAX)
		return arguments_wrong(arguments, "more than %d pages", LIVE_PAGES_MAX);
	if (text && (!conf_duration(str_of(text), &timeout) || timeout < 1))
		return arguments_wrong(arguments, "--timeout is a number and ms, s or m, as 10s");
	return EX_OK;
}

static void read_pages(struct live *live)
{
	const struct arguments *arguments = live->checkup->tool.arguments;
	for (size_t i = 0; i < arguments->n_given; i++) {
		const struct given *given = &arguments->given[i];
		char memory[8];
		struct buf why = buf_over(memory, sizeof memory);
		if (given->id == OPTION_LIVE)
			live_page_read(str_of(given->value), &live->pages[live->n_pages++], &why);
		else if (given->id == OPTION_PUBLIC)
			live_page_read(str_of(given->value), &live->publics[live->n_publics++], &why);
	}
}

/* Where a denial leads to: --login, else what the first page's policy says. */
static bool find_login(struct live *live)
{
	const struct live_page *page = &live->pages[0];
	const char *given = arguments_value(live->checkup->tool.arguments, OPTION_LOGIN);
	char memory[8];
	struct buf why = buf_over(memory, sizeof memory);
	struct str url = given		? str_of(given)
			 : page->policy ? page->policy->conf->login_url.value
					: STR("/auth/login");
	if (url.n && url.p[0] == '/')
		url = arena_printf(live->keep, "%.*s%.*s", STR_ARGS(page->origin), STR_ARGS(url));
	return url.p && live_page_read(url, &live->login, &why);
}

/* What was noticed on the way, and what nobody can see from here ------------------------ */

static void say_server(struct live *live)
{
	static const char *const names[] = {
		[LIVE_LIGHTTPD] = "lighttpd", [LIVE_APACHE] = "Apache", [LIVE_NGINX] = "nginx"};
	if (!live->met)
		return;
	if (live->server == LIVE_OTHER)
		live_line(live, found(CHECK_OK, CAUSE_NONE, "server", NULL),
			  "it does not say which one it is: what mends a fault is said for all three");
	else
		live_line(live, found(CHECK_OK, CAUSE_NONE, "server", NULL), "%s", names[live->server]);
}

static void say_clock(struct live *live)
{
	int64_t ahead = live->clock_ahead, distance = ahead < 0 ? -ahead : ahead;
	if (!live->has_clock)
		live_line(live, found(CHECK_SKIPPED, CAUSE_NONE, "clock", NULL), "the answers have no Date");
	else if (distance <= CLOCK_NEAR)
		live_line(live, found(CHECK_OK, CAUSE_NONE, "clock", NULL),
			  "that of the web server agrees with this one");
	else
		live_line(live, found(distance < CLOCK_FAR ? CHECK_WARNING : CHECK_FAILED, CAUSE_NONE, "clock", NULL),
			  "that of the web server is %lld s %s of this one: tokens are judged by it; set both "
			  "(timedatectl set-ntp true)",
			  (long long)distance, ahead > 0 ? "ahead" : "behind");
}

static void say_leak(struct live *live)
{
	if (live->leaked.p)
		live_line(live, found(CHECK_FAILED, CAUSE_LEAK, "leak", NULL),
			  "clients get what auth-verify tells the web server alone (header %.*s)",
			  STR_ARGS(live->leaked));
	else if (live->met)
		live_line(live, found(CHECK_OK, CAUSE_NONE, "leak", NULL),
			  "no header of auth-verify (Variable-…) gets out");
}

static void say_unseen(struct live *live)
{
	static const char *const unseen[] = {
		"what the web server does when auth-verify is down, hangs or answers nothing: stop it for a moment "
		"and "
		"ask once more; every page has to be denied",
		"whether Retry-After of 429 and 503 arrives: nobody is made to wait here",
		"who can reach the socket of auth-verify: a unix socket of mode 0660 is safer than a port, which "
		"every "
		"user of the machine can connect to",
	};
	for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++)
		live_line(live, found(CHECK_SKIPPED, CAUSE_NONE, "unseen", NULL), "%s", unseen[i]);
}

/* The order ------------------------------------------------------------------------------ */

static void check_page(struct live *live, struct live_page *page)
{
	if (!page->policy)
		live_line(
			live, found(CHECK_WARNING, CAUSE_NONE, "policy", page),
			"no policy of this configuration has this page: everybody is refused there; is it the right "
			"configuration, or does the web server name the policy (--policy NAME)?");
	live_check_token(live, page);
	live_check_open(live, page);
	live_check_bad_tokens(live, page);
	live_check_path_user(live, page);
	live_check_denial(live, page);
}

static int run(struct live *live)
{
	int status;
	if (!live_token_open(live, &status))
		return status;
	if (!find_login(live)) {
		output_error("check: the login page is no URL that can be asked: name it with --login URL");
		return EX_USAGE;
	}
	struct live_question question = live_begin(live);
	struct live_answer answer;
	live_ask(live, &live->pages[0], &question, &answer);
	say_server(live);
	for (size_t i = 0; i < live->n_pages; i++)
		check_page(live, &live->pages[i]);
	live_check_login(live);
	live_check_identity(live);
	live_check_public(live);
	live_check_endpoints(live);
	live_check_revoked(live);
	say_leak(live);
	say_clock(live);
	say_unseen(live);
	return EX_OK;
}

static bool open_live(struct live *live)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory - 1);
	bool loaded = fetch_start(&why);
	if (loaded && fetch_open(&live->fetch) && arena_open(ASK_ARENA, &live->arena) &&
	    arena_open(KEEP_ARENA, &live->keep))
		return true;
	output_error("check: %s", loaded ? "no memory" : buf_z(&why));
	return false;
}

int check_live(struct checkup *checkup)
{
	const struct arguments *arguments = checkup->tool.arguments;
	struct live live = {.checkup = checkup,
			    .server = LIVE_OTHER,
			    .timeout_ms = TIMEOUT_MS,
			    .ca_file = arguments_value(arguments, OPTION_CA_FILE),
			    .insecure = arguments_value(arguments, OPTION_INSECURE),
			    .text = str_of(arguments_value(arguments, OPTION_TEXT))};
	const char *timeout = arguments_value(arguments, OPTION_TIMEOUT);
	if (!arguments_value(arguments, OPTION_LIVE))
		return EX_OK;
	if (timeout)
		conf_duration(str_of(timeout), &live.timeout_ms);
	read_pages(&live);
	int status = open_live(&live) ? run(&live) : EXIT_FAILED;
	fetch_close(&live.fetch);
	arena_close(&live.arena);
	arena_close(&live.keep);
	return status;
}
