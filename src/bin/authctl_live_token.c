/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check --live`: a token to ask with, and what the configuration says about it. */
#include "base/clock.h"
#include "bin/authctl_live.h"
#include "bin/authctl_output.h"
#include "policy/verify.h"

/* Seconds that the token of a checkup lives: it may end up in a log of the application. */
enum { LIFETIME = 300, EXPIRED_SINCE = 3600 };
#define USER_DEFAULT "fcgi-auth-check"

/* What the configuration says --------------------------------------------------- */

/* What the request has beside its address. */
static void add_token(struct live *live, struct incoming *incoming, struct param *params, struct str token, bool bearer)
{
	struct arena *arena = live->checkup->tool.worker.arena;
	struct str policy = str_of(arguments_value(live->checkup->tool.arguments, OPTION_POLICY));
	if (policy.p)
		params[incoming->n_params++] = (struct param){STR("AUTH_POLICY"), policy};
	if (token.p && bearer)
		params[incoming->n_params++] = (struct param){STR("HTTP_AUTHORIZATION"),
							      arena_printf(arena, "Bearer %.*s", STR_ARGS(token))};
	else if (token.p)
		params[incoming->n_params++] =
			(struct param){STR("HTTP_COOKIE"), arena_printf(arena, "%.*s=%.*s", STR_ARGS(live->cookie),
									STR_ARGS(token))};
}

enum err live_expect(struct live *live, struct live_page *page, struct str token, bool bearer)
{
	struct worker *worker = &live->checkup->tool.worker;
	struct param params[6] = {{STR("REQUEST_METHOD"), STR("GET")},
				  {STR("HTTP_HOST"), page->authority},
				  {STR("HTTPS"), page->https ? STR("on") : STR("off")},
				  {STR("REQUEST_URI"), page->target}};
	struct incoming incoming = {.params = params, .n_params = 4, .arrived_us = clock_monotonic_us()};
	struct request request;
	struct verdict verdict;
	const char *why;
	arena_reset(worker->arena);
	add_token(live, &incoming, params, token, bearer);
	enum err err = request_read(worker->arena, &incoming, 0, &request, &why);
	verify_request(worker, &request, err, why, &verdict);
	page->policy = verdict.policy;
	if (!token.p)
		page->anonymous = verdict.anonymous;
	return verdict.err;
}

/* Making one -------------------------------------------------------------------- */

static bool has_issuer(const struct issuer_set *set, const struct issuer *issuer)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->items[i] == issuer)
			return true;
	return false;
}

/* The one that is named, else the login's, else the first that signs, of those whose tokens the page takes. */
static struct issuer *choose_issuer(const struct live *live)
{
	const struct snapshot *snapshot = live->checkup->tool.snapshot;
	const struct policy *policy = live->pages[0].policy;
	const struct issuer_set *set = policy ? &policy->issuers : &snapshot->issuers;
	struct str name = str_of(arguments_value(live->checkup->tool.arguments, OPTION_ISSUER));
	if (name.p)
		return snapshot_issuer(snapshot, name);
	if (snapshot->login_issuer && has_issuer(set, snapshot->login_issuer))
		return snapshot->login_issuer;
	for (size_t i = 0; i < set->n; i++)
		if (issuer_can_sign(set->items[i]))
			return set->items[i];
	return NULL;
}

static bool sign(struct live *live, struct issuer *issuer, const struct issue *issue, struct str *out)
{
	struct worker *worker = &live->checkup->tool.worker;
	struct str token;
	if (issuer_sign(issuer, worker->token, worker->arena, issue, &token))
		return false;
	*out = arena_copy(live->keep, token);
	return out->p != NULL;
}

static int make_token(struct live *live)
{
	struct tool *tool = &live->checkup->tool;
	const char *user = arguments_value(tool->arguments, OPTION_USER);
	struct issue issue = {
		.user_id = str_of(user ? user : USER_DEFAULT), .now = clock_now(), .lifetime = LIFETIME};
	struct issuer *issuer = choose_issuer(live);
	if (!claims_user_id_valid(issue.user_id))
		return arguments_wrong(
			tool->arguments,
			"--user is 1 to %d bytes of UTF-8 without control bytes and blanks at the ends", USER_ID_MAX);
	int status = token_read_claims(tool, &issue.members);
	if (status)
		return status;
	live->user = issue.user_id;
	live->own = issuer && issuer_can_sign(issuer) && sign(live, issuer, &issue, &live->token);
	if (!live->own) {
		live_line(live, found(CHECK_SKIPPED, CAUSE_NONE, "token", NULL),
			  "no issuer of the page's policy can sign a token here: give one with --token - on standard "
			  "input, then what it takes a good token for is judged as well");
		return EX_OK;
	}
	issue.now -= EXPIRED_SINCE + LIFETIME;
	/* It is missed in one line; the good one is what matters. */
	sign(live, issuer, &issue, &live->expired);
	return EX_OK;
}

static int read_token(struct live *live)
{
	struct str token;
	if (!input_token(live->checkup->tool.worker.arena, &token))
		return EXIT_FAILED;
	live->token = arena_copy(live->keep, token);
	return EX_OK;
}

/* The cookie of the page's policy in which the configuration takes the token, else the first one. */
static void choose_cookie(struct live *live, struct live_page *page)
{
	const struct token_sources *sources = page->policy ? &page->policy->sources : NULL;
	live->cookie = live->checkup->tool.snapshot->login->cookie.value;
	for (size_t i = 0; sources && i < sources->n_cookies; i++) {
		live->cookie = sources->cookies[i];
		if (live->token.p && live_expect(live, page, live->token, false) == ERR_NONE)
			return;
	}
	if (sources && sources->n_cookies)
		live->cookie = sources->cookies[0];
}

/* Is it one that the configuration lets in anywhere? Otherwise its refusal says nothing. */
static void judge_token(struct live *live)
{
	enum err err = ERR_NONE;
	for (size_t i = 0; i < live->n_pages; i++) {
		choose_cookie(live, &live->pages[i]);
		if (live_expect(live, &live->pages[i], live->token, false) == ERR_NONE)
			return;
		err = live_expect(live, &live->pages[i], live->token, true);
		if (err == ERR_NONE)
			return;
	}
	live_line(live, found(CHECK_WARNING, CAUSE_NONE, "token", NULL),
		  "this configuration itself refuses %s on every page (%s)%s; name a user who may see the pages with "
		  "--user and what the rules want with --claim, or give a token with --token -",
		  live->own ? "the token made for the user of --user" : "the token on standard input",
		  err_row(err)->reason, live->own ? "" : ", as authctl explain says in more words");
	live->token = STR_NONE;
}

bool live_token_open(struct live *live, int *status)
{
	const struct arguments *arguments = live->checkup->tool.arguments;
	for (size_t i = 0; i < live->n_pages; i++)
		live_expect(live, &live->pages[i], STR_NONE, false);
	choose_cookie(live, &live->pages[0]);
	*status = arguments_value(arguments, OPTION_TOKEN) ? read_token(live) : make_token(live);
	if (*status)
		return false;
	if (live->token.p)
		judge_token(live);
	return true;
}
