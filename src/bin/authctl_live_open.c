/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check --live`: nobody gets in without a token, however the page is asked for. */
#include <stdio.h>
#include <string.h>

#include "bin/authctl_live.h"

/* What comes of it when a way of asking gets an answer with a page. */
enum certainty {
	SURE, /* it names this page: it was shown */
	UNSURE /* it may name another one: shown, when that is the same */
};

/* A way to ask for the page. In target and header stand {path}, {dir} and {name} for
 * the page's path without the first '/', for the part up to its last '/', and for what is behind;
 * {coded} for the path with its first character percent-encoded, {upper} for it in
 * capitals, {host} for the authority. */
static const struct way {
	const char *what; /* the group that it is reported in */
	enum live_cause cause;
	enum certainty certainty;
	const char *method, *target, *header, *body;
} ways[] = {
	{"method", CAUSE_METHOD, SURE, "HEAD", NULL, NULL, NULL},
	{"method", CAUSE_METHOD, SURE, NULL, NULL, "Content-Type: application/x-www-form-urlencoded",
	 "fcgi-auth-check=1"},
	{"method", CAUSE_METHOD, SURE, "POST", NULL, "Content-Length: 0", NULL},
	{"method", CAUSE_METHOD, SURE, "OPTIONS", NULL, NULL, NULL},
	{"method", CAUSE_METHOD, SURE, "PROPFIND", NULL, NULL, NULL},
	{"method", CAUSE_METHOD, SURE, "BREW", NULL, NULL, NULL},
	{"method", CAUSE_METHOD, SURE, "get", NULL, NULL, NULL},
	{"path", CAUSE_PATH, SURE, NULL, "//{path}", NULL, NULL},
	{"path", CAUSE_PATH, SURE, NULL, "/./{path}", NULL, NULL},
	{"path", CAUSE_PATH, SURE, NULL, "/{dir}/{name}", NULL, NULL},
	{"path", CAUSE_PATH, SURE, NULL, "/{dir}./{name}", NULL, NULL},
	{"path", CAUSE_PATH, SURE, NULL, "/{dir}%2e/{name}", NULL, NULL},
	{"path", CAUSE_PATH, SURE, NULL, "/{dir}fcgi-auth-check/../{name}", NULL, NULL},
	{"path", CAUSE_PATH, SURE, NULL, "/fcgi-auth-check/../{path}", NULL, NULL},
	{"path", CAUSE_PATH, SURE, NULL, "/fcgi-auth-check/%2e%2e/{path}", NULL, NULL},
	{"path", CAUSE_PATH, SURE, NULL, "/fcgi-auth-check/..%2f{path}", NULL, NULL},
	{"path", CAUSE_PATH, SURE, NULL, "/auth/../{path}", NULL, NULL},
	{"path", CAUSE_PATH, SURE, NULL, "/auth/%2e%2e/{path}", NULL, NULL},
	{"path", CAUSE_PATH, SURE, NULL, "/auth/..;/{path}", NULL, NULL},
	{"path", CAUSE_PATH, SURE, NULL, "/{coded}", NULL, NULL},
	{"path", CAUSE_PATH, SURE, NULL, "/{path}?fcgi-auth-check=/auth/login", NULL, NULL},
	{"path", CAUSE_PATH, UNSURE, NULL, "/{path}#/auth/login", NULL, NULL},
	{"path", CAUSE_PATH, SURE, NULL, "/{path}/", NULL, NULL},
	{"path", CAUSE_PATH, SURE, NULL, "/{path}/fcgi-auth-check", NULL, NULL},
	{"path", CAUSE_PATH, UNSURE, NULL, "/{path};x=1", NULL, NULL},
	{"path", CAUSE_PATH, UNSURE, NULL, "/;x=1/{path}", NULL, NULL},
	{"path", CAUSE_PATH, UNSURE, NULL, "/{path}%00", NULL, NULL},
	{"path", CAUSE_PATH, UNSURE, NULL, "/{path}%20", NULL, NULL},
	{"path", CAUSE_PATH, UNSURE, NULL, "/{path}.", NULL, NULL},
	{"path", CAUSE_PATH, UNSURE, NULL, "/{path}%3fx", NULL, NULL},
	{"path", CAUSE_PATH, UNSURE, NULL, "\\{path}", NULL, NULL},
	{"path", CAUSE_PATH, UNSURE, NULL, "/{dir}%5c{name}", NULL, NULL},
	{"path", CAUSE_PATH, UNSURE, NULL, "/{upper}", NULL, NULL},
	{"host", CAUSE_HOST, SURE, NULL, "http://{host}/{path}", NULL, NULL},
	{"host", CAUSE_HOST, UNSURE, NULL, "http://fcgi-auth-check.invalid/{path}", NULL, NULL},
	{"host", CAUSE_HOST, UNSURE, NULL, NULL, "Host: fcgi-auth-check.invalid", NULL},
	{"host", CAUSE_HOST, UNSURE, NULL, NULL, "Host: {host}.", NULL},
	{"host", CAUSE_HOST, UNSURE, NULL, NULL, "Host: localhost", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "X-Original-URI: /auth/login", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "X-Original-URL: /auth/login", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "X-Rewrite-URL: /auth/login", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "X-Forwarded-Uri: /auth/login", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "X-Original-Method: OPTIONS", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "X-Forwarded-Method: OPTIONS", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "X-HTTP-Method-Override: OPTIONS", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "X-Forwarded-Host: fcgi-auth-check.invalid", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "X-Forwarded-For: 127.0.0.1", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "X-Real-IP: 127.0.0.1", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "User-Agent: kube-probe/1.30", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "User-Agent: GoogleHC/1.0", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "X-Auth-User: root", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "Remote-User: root", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "Auth-Request-Id: 0123456789abcdef", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "Auth-Policy: public", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "Authorization: Basic cm9vdDpyb290", NULL},
	{"headers", CAUSE_CLAIMED, SURE, NULL, NULL, "Upgrade: websocket", NULL},
};

/* Writing a way ------------------------------------------------------------------ */

struct place {
	struct str path, dir, name, host; /* path, dir and name without the first '/' */
};

static struct place place_of(const struct live_page *page)
{
	struct str path = str_skip(page->path, 1);
	size_t cut = path.n;
	while (cut > 0 && path.p[cut - 1] != '/')
		cut--;
	return (struct place){path, {path.p, cut}, str_skip(path, cut), page->authority};
}

static void add_word(struct buf *out, const struct place *place, struct str word)
{
	if (str_eq(word, STR("path"))) {
		buf_add(out, place->path);
	} else if (str_eq(word, STR("dir"))) {
		buf_add(out, place->dir);
	} else if (str_eq(word, STR("name"))) {
		buf_add(out, place->name);
	} else if (str_eq(word, STR("host"))) {
		buf_add(out, place->host);
	} else if (str_eq(word, STR("coded")) && place->path.n) {
		buf_printf(out, "%%%02x", (unsigned)(unsigned char)place->path.p[0]);
		buf_add(out, str_skip(place->path, 1));
	} else if (str_eq(word, STR("upper"))) {
		for (size_t i = 0; i < place->path.n; i++) {
			char c = place->path.p[i];
			buf_char(out, c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
		}
	}
}

static struct str fill_in(struct live *live, const struct place *place, const char *text)
{
	struct str rest = str_of(text);
	struct buf out = arena_buf(live->arena, rest.n + 2 * place->path.n + place->host.n + 16);
	while (rest.n > 0) {
		size_t open = str_find(rest, '{');
		buf_add(&out, (struct str){rest.p, open});
		rest = str_skip(rest, open);
		if (rest.n == 0)
			break;
		size_t close = str_find(rest, '}');
		add_word(&out, place, (struct str){rest.p + 1, close - 1});
		rest = str_skip(rest, close + 1);
	}
	return buf_str(&out);
}

static void ask_way(struct live *live, const struct live_page *page, const struct way *way, struct live_answer *out)
{
	struct live_question question = live_begin(live);
	struct place place = place_of(page);
	question.method = way->method;
	question.body = str_of(way->body);
	if (way->target)
		question.target = fill_in(live, &place, way->target);
	if (way->header) {
		struct str header = fill_in(live, &place, way->header);
		live_header(live, &question, "%.*s", STR_ARGS(header));
	}
	live_ask(live, page, &question, out);
}

/* What an answer means ------------------------------------------------------------ */

/* "with POST", "as //wiki/page", "with Host: other" */
static const char *describe(struct live *live, const struct live_page *page, const struct way *way, char memory[256])
{
	struct buf out = buf_over(memory, 255);
	struct place place = place_of(page);
	struct str text = fill_in(live, &place, way->target ? way->target : way->header ? way->header : "");
	if (way->target)
		buf_printf(&out, "asked for as %.*s", STR_ARGS(text));
	else if (way->body)
		buf_add(&out, STR("asked with POST and a form"));
	else if (way->method)
		buf_printf(&out, "asked with %s", way->method);
	else
		buf_printf(&out, "asked with %.*s", STR_ARGS(text));
	return buf_z(&out);
}

/* The page itself, or nobody can tell that it is another one. */
static bool is_the_page(const struct live *live, const struct live_page *page, const struct way *way,
			const struct live_answer *answer)
{
	if (live_shows(live, page, answer))
		return true;
	bool other = answer->body.n > 0 && (page->steady || page->probe || live->text.p);
	return way->certainty == SURE && !other;
}

/* true: it is fine. */
static bool judge_way(struct live *live, const struct live_page *page, const struct way *way)
{
	struct live_answer answer;
	char memory[256];
	ask_way(live, page, way, &answer);
	bool page_in_denial = answer.outcome != OUTCOME_SHOWN && live_shows(live, page, &answer);
	if (answer.outcome != OUTCOME_SHOWN && !page_in_denial)
		return true;
	bool failed = page_in_denial || is_the_page(live, page, way, &answer);
	live_line(live, found(failed ? CHECK_FAILED : CHECK_WARNING, way->cause, way->what, page),
		  "without a token, %s, it %s%s", describe(live, page, way, memory), answer.said,
		  failed ? "" : ": another page, as it seems; is it meant for everybody?");
	return false;
}

static void check_ways(struct live *live, const struct live_page *page)
{
	static const char *const groups[] = {"method", "path", "host", "headers"};
	for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
		size_t n = 0, good = 0;
		for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
			if (strcmp(ways[i].what, groups[g]) != 0)
				continue;
			n++;
			good += judge_way(live, page, &ways[i]);
		}
		if (good == n)
			live_line(live, found(CHECK_OK, CAUSE_NONE, groups[g], page),
				  "without a token, asked in %zu ways: not shown", n);
	}
}

/* TRACE sends back what came, and that is no page; but it has cookies in it. */
static void check_trace(struct live *live, const struct live_page *page)
{
	struct live_answer answer;
	struct live_question question = live_begin(live);
	question.method = "TRACE";
	live_ask(live, page, &question, &answer);
	if (answer.outcome == OUTCOME_SHOWN)
		live_line(live, found(CHECK_WARNING, CAUSE_TRACE, "method", page), "asked with TRACE it %s",
			  answer.said);
}

/* The folder of the page, and a name in it that is not there. */
static void check_below(struct live *live, const struct live_page *page)
{
	struct live_answer answer;
	struct live_question question = live_begin(live);
	struct place place = place_of(page);
	question.target = fill_in(live, &place, "/{dir}fcgi-auth-check-no-such-page");
	struct str target = arena_copy(live->keep, question.target);
	struct live_page missing = *page;
	missing.target = target;
	if (live_expect(live, &missing, STR_NONE, false) == ERR_NONE)
		return;
	live_ask(live, page, &question, &answer);
	if (answer.outcome == OUTCOME_ABSENT)
		live_line(live,
			  found(live->server == LIVE_LIGHTTPD ? CHECK_FAILED : CHECK_WARNING, CAUSE_MISSING, "below",
				page),
			  "without a token a missing page beside it (%.*s) %s: the authorizer is not asked",
			  STR_ARGS(target), answer.said);
	else if (answer.outcome == OUTCOME_SHOWN)
		live_line(live, found(CHECK_WARNING, CAUSE_MISSING, "below", page),
			  "without a token a page beside it (%.*s) %s", STR_ARGS(target), answer.said);
	else
		live_line(live, found(CHECK_OK, CAUSE_NONE, "below", page),
			  "without a token a missing page beside it %s", answer.said);
}

/* Who else asks for a password? */
static bool asks_for_basic(struct str head)
{
	struct str name, value;
	while (fetch_next_header(&head, &name, &value))
		if (str_eq_nocase(name, STR("WWW-Authenticate")) && value.n >= 5 &&
		    str_eq_nocase((struct str){value.p, 5}, STR("Basic")))
			return true;
	return false;
}

static void judge_plain(struct live *live, struct live_page *page, const struct live_answer *answer)
{
	page->open = answer->outcome == OUTCOME_SHOWN;
	bool leak = !page->open && live_shows(live, page, answer);
	if (page->open)
		live_line(live, found(CHECK_FAILED, CAUSE_OPEN, "protected", page), "without a token it %s",
			  answer->said);
	else if (leak)
		live_line(live, found(CHECK_FAILED, CAUSE_DENIAL_SHOWS, "protected", page),
			  "without a token it %s, but the page is in the answer", answer->said);
	else if (answer->outcome == OUTCOME_NONE || answer->outcome == OUTCOME_BROKEN)
		live_line(live, found(CHECK_FAILED, CAUSE_DOWN, "protected", page), "without a token it %s",
			  answer->said);
	else if (answer->outcome == OUTCOME_ABSENT)
		live_line(live, found(CHECK_FAILED, CAUSE_MISSING, "protected", page),
			  "without a token it %s: the authorizer is not asked", answer->said);
	else if (answer->outcome == OUTCOME_MOVED)
		live_line(live, found(CHECK_WARNING, CAUSE_NONE, "protected", page),
			  "without a token it %s, which is not the login page: name the page that it leads to",
			  answer->said);
	else
		live_line(live, found(CHECK_OK, CAUSE_NONE, "protected", page), "without a token it %s",
			  answer->said);
	if (asks_for_basic(answer->head))
		live_line(live, found(CHECK_WARNING, CAUSE_BASIC, "protected", page),
			  "the denial asks for a password as well (WWW-Authenticate: Basic)");
}

void live_check_open(struct live *live, struct live_page *page)
{
	struct live_answer answer;
	struct live_question question = live_begin(live);
	if (page->anonymous) {
		live_line(live, found(CHECK_SKIPPED, CAUSE_NONE, "protected", page),
			  "the policy \"%.*s\" lets everybody in (unauthenticated = anonymous)",
			  STR_ARGS(page->policy->name));
		return;
	}
	live_ask(live, page, &question, &answer);
	judge_plain(live, page, &answer);
	if (page->open || answer.outcome == OUTCOME_NONE) {
		live_line(live, found(CHECK_SKIPPED, CAUSE_NONE, "ways", page), "%s",
			  page->open ? "other ways to ask for a page that is open anyway" : "nobody answers");
		return;
	}
	check_ways(live, page);
	check_trace(live, page);
	check_below(live, page);
}
