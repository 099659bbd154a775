/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check --live`: a denial reaches people and programs as auth-verify has made it. */
#include <stdio.h>

#include "base/codec.h"
#include "bin/authctl_live.h"
#include "http/url.h"

/* A query of which every byte must come back. */
#define QUERY "fcgi-auth-check=a%26b&c=d"

/* Programs ----------------------------------------------------------------------- */

static void check_challenge(struct live *live, const struct live_page *page, const struct live_answer *answer)
{
	struct str challenge = fetch_header(answer->head, STR("WWW-Authenticate"));
	if (!str_starts(challenge, STR("Bearer")))
		live_line(live, found(CHECK_WARNING, CAUSE_CHALLENGE, "denial", page),
			  "WWW-Authenticate: Bearer of the denial is lost: programs cannot tell what is wanted");
}

static void check_body(struct live *live, const struct live_page *page, const struct live_answer *answer)
{
	const struct json *document;
	bool body = json_parse(live->arena, answer->body, &document) && json_member(document, STR("reason"));
	if (!body)
		live_line(live, found(CHECK_WARNING, CAUSE_BODY, "denial", page),
			  "the body of the denial is lost: programs do not learn the reason");
	else if (!fetch_type_is_json(answer->content_type))
		live_line(live, found(CHECK_WARNING, CAUSE_TYPE, "denial", page),
			  "the body of the denial is JSON, but its Content-Type is %.*s",
			  STR_ARGS(answer->content_type));
}

static void check_no_store(struct live *live, const struct live_page *page, const struct live_answer *answer)
{
	if (!live_contains(fetch_header(answer->head, STR("Cache-Control")), STR("no-store")))
		live_line(live, found(CHECK_WARNING, CAUSE_NO_STORE, "denial", page),
			  "Cache-Control: no-store of the denial is lost: caches may keep it, and show it to those "
			  "who may get in");
}

static void check_program(struct live *live, const struct live_page *page)
{
	struct live_answer answer;
	struct live_question question = live_begin(live);
	live_as_program(live, &question);
	live_ask(live, page, &question, &answer);
	if (answer.outcome == OUTCOME_LOGIN || answer.outcome == OUTCOME_MOVED)
		live_line(live, found(CHECK_FAILED, CAUSE_PROGRAM, "program", page),
			  "a script of a page (XMLHttpRequest) %s, where it wants 401", answer.said);
	else if (answer.outcome == OUTCOME_DENIED)
		live_line(live, found(CHECK_OK, CAUSE_NONE, "program", page), "a script of a page %s", answer.said);
	if (answer.outcome != OUTCOME_DENIED)
		return;
	if (answer.status == 401)
		check_challenge(live, page, &answer);
	check_body(live, page, &answer);
	check_no_store(live, page, &answer);
}

/* People ------------------------------------------------------------------------- */

static bool wants_redirect(const struct live_page *page)
{
	int how = page->policy ? page->policy->conf->unauthenticated : UNAUTHENTICATED_AUTO;
	return page->policy && (how == UNAUTHENTICATED_AUTO || how == UNAUTHENTICATED_REDIRECT);
}

/* Does it lead back to where the person wanted to go? */
static bool keeps_address(struct live *live, const struct live_page *page, struct str location, struct str target)
{
	struct str query = str_skip(location, str_find(location, '?'));
	struct str rd = url_field(live->arena, query.n ? str_skip(query, 1) : query, "rd");
	return str_eq(rd, target) || (str_starts(rd, page->origin) && str_eq(str_skip(rd, page->origin.n), target));
}

static void judge_navigation(struct live *live, const struct live_page *page, struct str target,
			     const struct live_answer *answer)
{
	if (answer->outcome == OUTCOME_LOGIN && keeps_address(live, page, answer->location, target))
		live_line(live, found(CHECK_OK, CAUSE_NONE, "navigation", page), "a person %s, and will be led back",
			  answer->said);
	else if (answer->outcome == OUTCOME_LOGIN)
		live_line(live, found(CHECK_FAILED, CAUSE_RETURN, "navigation", page),
			  "a person %s, but without the way back: rd= has to be %.*s", answer->said,
			  STR_ARGS(target));
	else if (answer->outcome == OUTCOME_MOVED)
		live_line(live, found(CHECK_FAILED, CAUSE_RETURN, "navigation", page),
			  "a person %s, but the login page is %.*s", answer->said, STR_ARGS(live->login.url));
	else
		/* A denial it is: mod_fcgid can give no other one. */
		live_line(live,
			  found(answer->outcome == OUTCOME_DENIED ? CHECK_WARNING : CHECK_FAILED, CAUSE_NAVIGATION,
				"navigation", page),
			  "a person %s, and sees no login page", answer->said);
}

static void check_navigation(struct live *live, const struct live_page *page)
{
	struct live_answer answer;
	struct live_question question = live_begin(live);
	live_as_navigation(live, &question);
	bool query = page->path.n < page->target.n;
	struct str target = arena_printf(live->arena, "%.*s%c%s", STR_ARGS(page->target), query ? '&' : '?', QUERY);
	question.target = target;
	live_ask(live, page, &question, &answer);
	if (wants_redirect(page))
		judge_navigation(live, page, target, &answer);
	else if (answer.outcome == OUTCOME_DENIED)
		live_line(live, found(CHECK_OK, CAUSE_NONE, "navigation", page), "a person %s, as configured",
			  answer.said);
	else
		live_line(live, found(CHECK_WARNING, CAUSE_PROGRAM, "navigation", page),
			  "a person %s, where unauthenticated = 401 wants 401", answer.said);
}

/* Cookies ------------------------------------------------------------------------ */

static size_t count_cookies(struct str head)
{
	struct str name, value;
	size_t n = 0;
	while (fetch_next_header(&head, &name, &value))
		n += str_eq_nocase(name, STR("Set-Cookie"));
	return n;
}

/* Two different cookies of one name: the denial deletes them for each folder that the page lies in. */
static void check_cookies(struct live *live, const struct live_page *page)
{
	struct live_answer answer;
	struct live_question question = live_begin(live);
	live_as_program(live, &question);
	live_header(live, &question, "Cookie: %.*s=one; %.*s=two", STR_ARGS(live->cookie), STR_ARGS(live->cookie));
	live_ask(live, page, &question, &answer);
	size_t n = count_cookies(answer.head);
	if (answer.outcome != OUTCOME_DENIED)
		return;
	if (n == 0)
		live_line(live, found(CHECK_WARNING, CAUSE_SET_COOKIE, "denial", page),
			  "Set-Cookie of a denial is lost: of two cookies of one name none is cleared");
	else if (n == 1 && page->path.n > 1)
		live_line(live, found(CHECK_WARNING, CAUSE_SET_COOKIE, "denial", page),
			  "the second Set-Cookie of a denial is lost: of two cookies of one name one stays");
	else
		live_line(live, found(CHECK_OK, CAUSE_NONE, "denial", page),
			  "every Set-Cookie of a denial arrives (%zu)", n);
}

void live_check_denial(struct live *live, const struct live_page *page)
{
	if (page->open || page->anonymous || !page->policy)
		return;
	check_program(live, page);
	check_navigation(live, page);
	check_cookies(live, page);
}
