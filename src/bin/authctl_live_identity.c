/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check --live`: no client can give itself a name by a header. Only the
 * application knows what it gets, so a page that tells (doc/examples/probe.cgi) is needed. */
#include <stdio.h>
#include <string.h>

#include "bin/authctl_live.h"

/* The value of the forged headers; the number of the spelling is behind it. */
#define FORGED "fcgi-auth-forged-"
enum { NAME_MAX_SIZE = 80, SPELLINGS = 6, NAMES_MAX = 64 };

/* Names that our own configuration uses, those of attributes are added; then what other products use. */
static const char *const own_names[] = {
	"X-Auth-User", "X-Auth-User-Id", "X-Auth-Request-Id", "Remote-User", "Auth-User", "Auth-User-Id", NULL};
static const char *const other_names[] = {
	"X-Remote-User",  "X-User", "X-Forwarded-User", "X-Forwarded-Email", "X-Authenticated-User",
	"X-WebAuth-User", NULL};

/* Spelling number n of the name: X-Auth-User, X_Auth_User, X.Auth.User, x-auth_user, X_AUTH-USER, x.aUTH-uSER. */
static void spell(struct buf *out, struct str name, size_t n)
{
	static const char separators[SPELLINGS][2] = {{'-', '-'}, {'_', '_'}, {'.', '.'},
						      {'-', '_'}, {'_', '-'}, {'.', '-'}};
	size_t seen = 0;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
		if (c == '-')
			c = separators[n][seen++ % 2];
		else if (n == 3 && upper)
			c = (char)(c - 'A' + 'a');
		else if ((n == 4 && lower) || (n == 5 && lower && i % 2))
			c = (char)(c - 'a' + 'A');
		buf_char(out, c);
	}
}

/* Where in what the application got is a forged value? The member's name, or STR_NONE. */
static struct str find_forged(const struct json *value, struct str name)
{
	if (value->type == JSON_STRING)
		return live_contains(value->text, STR(FORGED)) ? name : STR_NONE;
	for (const struct json *child = value->child; child; child = child->next) {
		struct str found = find_forged(child, child->name.p ? child->name : name);
		if (found.p)
			return found;
	}
	return STR_NONE;
}

struct sending {
	const struct live_page *page;
	bool token;
	struct str name;
	bool own;
};

/* Send all spellings of one name. false: one has arrived, which has been said. */
static bool try_name(struct live *live, const struct sending *sending)
{
	struct live_question question = live_begin(live);
	struct live_answer answer;
	for (size_t n = 0; n < SPELLINGS; n++) {
		char memory[NAME_MAX_SIZE];
		struct buf name = buf_over(memory, sizeof memory - 1);
		spell(&name, sending->name, n);
		live_header(live, &question, "%s: " FORGED "%zu", buf_z(&name), n);
	}
	if (sending->token)
		live_with_token(live, &question, live->token, sending->page->bearer);
	live_ask(live, sending->page, &question, &answer);
	const struct json *probe = live_read_probe(live, answer.body);
	struct str where = probe ? find_forged(probe, STR("")) : STR_NONE;
	if (!where.p)
		return true;
	live_line(live, found(sending->own ? CHECK_FAILED : CHECK_WARNING, CAUSE_FORGED, "identity", sending->page),
		  "%s the application gets what a client has sent as %.*s, or in another spelling of it (as %.*s)",
		  sending->token ? "with a token" : "without a token", STR_ARGS(sending->name), STR_ARGS(where));
	return false;
}

/* AUTH_EMAIL reaches proxied applications as X-Auth-Email. */
static void name_of_attribute(struct str attribute, struct buf *out)
{
	buf_add(out, STR("X-Auth"));
	for (size_t i = 4; i < attribute.n; i++) {
		char c = attribute.p[i];
		bool inside = attribute.p[i - 1] != '_';
		buf_char(out, c == '_' ? '-' : inside && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
	}
}

static bool try_attributes(struct live *live, struct sending sending)
{
	const struct policy *policy = sending.page->policy;
	bool good = true;
	for (size_t i = 0; policy && i < policy->n_attributes; i++) {
		char memory[NAME_MAX_SIZE];
		struct buf name = buf_over(memory, sizeof memory);
		struct str attribute = policy->attributes[i].name;
		if (!str_starts(attribute, STR("AUTH_")))
			continue;
		name_of_attribute(attribute, &name);
		sending.name = buf_str(&name);
		good = (name.full || try_name(live, &sending)) && good;
	}
	return good;
}

static bool try_names(struct live *live, struct sending sending, const char *const *names)
{
	bool good = true;
	for (; *names; names++) {
		sending.name = str_of(*names);
		good = try_name(live, &sending) && good;
	}
	return good;
}

static void check_forged(struct live *live, const struct live_page *page, bool token)
{
	struct sending sending = {.page = page, .token = token, .own = true};
	bool good = try_names(live, sending, own_names);
	good = try_attributes(live, sending) && good;
	sending.own = false;
	good = try_names(live, sending, other_names) && good;
	if (good)
		live_line(live, found(CHECK_OK, CAUSE_NONE, "identity", page),
			  "%s no forged header arrives, in no spelling (-, _, ., capitals)",
			  token ? "with a token" : "without a token");
}

/* Who the application thinks it is: what a program in CGI, and what a proxied one reads. */
static struct str user_of(const struct json *probe)
{
	static const char *const paths[] = {"environment.REMOTE_USER", "environment.AUTH_USER_ID",
					    "environment.HTTP_X_AUTH_USER", "environment.HTTP_REMOTE_USER"};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct str user = json_scalar(json_path(probe, str_of(paths[i])));
		if (user.n)
			return user;
	}
	return STR_NONE;
}

/* The name arrives with a token, and without one there is none. */
static void check_user(struct live *live, const struct live_page *page, bool token)
{
	struct live_question question = live_begin(live);
	struct live_answer answer;
	if (token)
		live_with_token(live, &question, live->token, page->bearer);
	live_ask(live, page, &question, &answer);
	const struct json *probe = live_read_probe(live, answer.body);
	struct str user = probe ? user_of(probe) : STR_NONE;
	if (!probe)
		return;
	if (token && !user.p)
		live_line(live, found(CHECK_WARNING, CAUSE_NO_USER, "identity", page),
			  "the application does not learn who is there: neither REMOTE_USER nor X-Auth-User");
	else if (token && live->own && !str_eq(user, live->user))
		live_line(live, found(CHECK_FAILED, CAUSE_DEFAULT_USER, "identity", page),
			  "the token is that of \"%.*s\", the application is told \"%.*s\"", STR_ARGS(live->user),
			  STR_ARGS(user));
	else if (token)
		live_line(live, found(CHECK_OK, CAUSE_NONE, "identity", page),
			  "the application is told who is there: %.*s", STR_ARGS(user));
	else if (user.p)
		live_line(live, found(CHECK_FAILED, CAUSE_DEFAULT_USER, "identity", page),
			  "without a token the application is told that \"%.*s\" is there", STR_ARGS(user));
}

/* Everybody may see it: what it tells them. */
static bool check_open_probe(struct live *live, struct live_page *page)
{
	struct live_question question = live_begin(live);
	struct live_answer answer;
	live_ask(live, page, &question, &answer);
	page->probe = page->probe || live_read_probe(live, answer.body);
	if (!page->probe || answer.outcome != OUTCOME_SHOWN)
		return false;
	check_user(live, page, false);
	check_forged(live, page, false);
	return true;
}

void live_check_identity(struct live *live)
{
	bool inside = false, outside = false;
	for (size_t i = 0; i < live->n_pages; i++) {
		struct live_page *page = &live->pages[i];
		if (page->anonymous || page->open)
			outside |= check_open_probe(live, page);
		if (!page->probe || !page->allowed)
			continue;
		inside = true;
		check_user(live, page, true);
		check_forged(live, page, true);
	}
	for (size_t i = 0; i < live->n_publics; i++)
		outside |= check_open_probe(live, &live->publics[i]);
	if (!inside)
		live_line(live, found(CHECK_SKIPPED, CAUSE_NONE, "identity", NULL),
			  "no protected page tells what the application gets, so forged identity headers cannot be "
			  "judged: put doc/examples/probe.cgi or probe.php behind the login and name it with --live");
	if (!outside)
		live_line(live, found(CHECK_SKIPPED, CAUSE_NONE, "identity", NULL),
			  "no public page tells what the application gets, so forged identity headers on public "
			  "pages cannot be judged: put the same probe there and name it with --public");
}
