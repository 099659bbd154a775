/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check --live`: protected pages do not come out through public ones, nor
 * through others that are protected otherwise; and nobody reaches the endpoint. */
#include <string.h>

#include "bin/authctl_live.h"

/* A page as short as this may stand in another one by chance. */
enum { TELLING = 8 };

/* Is the protected page, or the text that it alone has, in what came? */
static bool has_inside(const struct live *live, const struct live_page *page, struct str body)
{
	if (live->text.p)
		return live_contains(body, live->text);
	if (page->probe)
		return live_contains(body, STR("\"fcgi-auth-probe\""));
	return page->steady && page->shown.n >= TELLING && live_contains(body, page->shown);
}

static bool can_compare(const struct live *live)
{
	bool can = live->text.p != NULL;
	for (size_t i = 0; i < live->n_pages; i++)
		can = can || live->pages[i].probe || (live->pages[i].steady && live->pages[i].shown.n >= TELLING);
	return can;
}

static void check_public_page(struct live *live, const struct live_page *outer)
{
	struct live_question question = live_begin(live);
	struct live_answer answer;
	live_ask(live, outer, &question, &answer);
	if (answer.outcome != OUTCOME_SHOWN) {
		live_line(live, found(CHECK_WARNING, CAUSE_NONE, "public", outer), "it %s: is it public?",
			  answer.said);
		return;
	}
	/* A probe on a public page is another one. */
	bool probe = live_read_probe(live, answer.body) != NULL;
	for (size_t i = 0; i < live->n_pages; i++) {
		const struct live_page *inner = &live->pages[i];
		if ((probe && inner->probe) || !has_inside(live, inner, answer.body))
			continue;
		live_line(live, found(CHECK_FAILED, CAUSE_INCLUDED, "public", outer),
			  "shows everybody what stands on the protected page %.*s", STR_ARGS(inner->url));
		return;
	}
	if (can_compare(live))
		live_line(live, found(CHECK_OK, CAUSE_NONE, "public", outer),
			  "nothing of the protected pages is in it");
}

/* A page that refuses a token must not come out through another one that takes it. */
static void check_denied(struct live *live, const struct live_page *inner)
{
	for (size_t i = 0; i < live->n_pages; i++) {
		const struct live_page *outer = &live->pages[i];
		if (outer->allowed && live_contains(outer->shown, live->text))
			live_line(live, found(CHECK_FAILED, CAUSE_INCLUDED, "included", outer),
				  "shows a user what stands on %.*s, where that user is refused",
				  STR_ARGS(inner->url));
		else if (outer->allowed)
			live_line(live, found(CHECK_OK, CAUSE_NONE, "included", outer), "has nothing of %.*s in it",
				  STR_ARGS(inner->url));
	}
}

void live_check_public(struct live *live)
{
	for (size_t i = 0; i < live->n_publics; i++)
		check_public_page(live, &live->publics[i]);
	for (size_t i = 0; i < live->n_pages; i++)
		if (live->text.p && live->pages[i].denied)
			check_denied(live, &live->pages[i]);
	if (live->n_publics == 0)
		live_line(live, found(CHECK_SKIPPED, CAUSE_NONE, "public", NULL),
			  "whether protected pages come out through public ones (includes, index pages): name those "
			  "with --public");
	else if (!can_compare(live))
		live_line(
			live, found(CHECK_SKIPPED, CAUSE_NONE, "public", NULL),
			"whether protected pages come out through public ones: name a text that they alone have with "
			"--text");
}

/* Endpoints ------------------------------------------------------------------------- */

static bool is_ours(const struct live_answer *answer)
{
	struct str rest = answer->head, name, value;
	while (fetch_next_header(&rest, &name, &value))
		if (name.n > 9 && str_eq_nocase((struct str){name.p, 9}, STR("Variable-")))
			return true;
	return false;
}

/* named: the admin says that it is one, so every yes is one too many. A 401 may come
 * from whoever protects the whole site. */
static bool is_reached(struct live *live, const struct live_page *page, bool named)
{
	struct live_answer answer;
	for (int token = 0; token < 2; token++) {
		struct live_question question = live_begin(live);
		bool send = token && live->token.p && live_may_send(live, page);
		if (send)
			live_with_token(live, &question, live->token, true);
		live_ask(live, page, &question, &answer);
		if (!is_ours(&answer) && !(named && answer.outcome == OUTCOME_SHOWN))
			continue;
		live_line(live, found(CHECK_FAILED, CAUSE_ENDPOINT, "endpoint", page),
			  "%s it %s: who asks from outside learns what auth-verify says",
			  send ? "with a token" : "without a token", answer.said);
		return true;
	}
	return false;
}

void live_check_endpoints(struct live *live)
{
	static const char *const usual[] = {"/_auth",	    "/_auth_request", "/_verify",	  "/auth_request",
					    "/auth-verify", "/_fcgi_auth",    "/fcgi-auth/verify"};
	const struct arguments *arguments = live->checkup->tool.arguments;
	bool reached = false;
	for (size_t i = 0; i < arguments->n_given; i++) {
		struct live_page page;
		char memory[8];
		struct buf why = buf_over(memory, sizeof memory);
		if (arguments->given[i].id == OPTION_ENDPOINT &&
		    live_page_read(str_of(arguments->given[i].value), &page, &why))
			reached = is_reached(live, &page, true) || reached;
	}
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
		struct live_page page = live->pages[0];
		page.target = page.path = str_of(usual[i]);
		page.url = arena_printf(live->keep, "%.*s%s", STR_ARGS(page.origin), usual[i]);
		reached = is_reached(live, &page, false) || reached;
	}
	if (!reached)
		live_line(live, found(CHECK_OK, CAUSE_NONE, "endpoint", NULL),
			  "auth-verify cannot be reached from outside%s",
			  arguments_value(arguments, OPTION_ENDPOINT)
				  ? ""
				  : " at the usual addresses (others: --endpoint)");
}
