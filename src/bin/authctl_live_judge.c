/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check --live`: good tokens get in, bad, foreign and revoked ones do not. */
#include <poll.h>
#include <string.h>

#include "bin/authctl_live.h"
#include "policy/revocation.h"
#include "policy/verify.h"

/* Until another host has heard of a revocation. */
enum { NEWS_MS = 1000 };

/* Good ones --------------------------------------------------------------------- */

static void ask_with(struct live *live, const struct live_page *page, struct str token, bool bearer,
		     struct live_answer *out)
{
	struct live_question question = live_begin(live);
	live_with_token(live, &question, token, bearer);
	live_ask(live, page, &question, out);
}

/* What the page shows, and whether it shows it again: what changes cannot be compared. */
static void learn(struct live *live, struct live_page *page, bool bearer, const struct live_answer *answer)
{
	struct live_answer again;
	page->allowed = true;
	page->bearer = bearer;
	page->probe = live_read_probe(live, answer->body) != NULL;
	page->shown = arena_copy(live->keep, answer->body);
	ask_with(live, page, live->token, bearer, &again);
	page->steady = page->shown.p && again.outcome == OUTCOME_SHOWN && str_eq(again.body, page->shown);
}

struct good {
	bool asked, shown;
	int status;
	char said[512];
};

static void try_good(struct live *live, struct live_page *page, bool bearer, struct good *out)
{
	struct live_answer answer;
	bool takes = live_expect(live, page, live->token, bearer) == ERR_NONE;
	*out = (struct good){.asked = takes};
	if (!out->asked)
		return;
	ask_with(live, page, live->token, bearer, &answer);
	out->shown = answer.outcome == OUTCOME_SHOWN;
	out->status = answer.status;
	memcpy(out->said, answer.said, sizeof out->said);
	if (out->shown && !page->allowed)
		learn(live, page, bearer, &answer);
}

static void say_good(struct live *live, const struct live_page *page, const struct good *bearer,
		     const struct good *cookie)
{
	if (bearer->shown || cookie->shown)
		live_line(live, found(CHECK_OK, CAUSE_NONE, "token", page), "a good token is let in (%s%s%s)",
			  bearer->shown ? "bearer" : "", bearer->shown && cookie->shown ? ", " : "",
			  cookie->shown ? "cookie" : "");
	if (bearer->asked && !bearer->shown && cookie->shown)
		live_line(live, found(CHECK_FAILED, CAUSE_EATEN, "bearer", page),
			  "a good token is let in as cookie, but with Authorization: Bearer it %s: does the header "
			  "reach the authorizer?",
			  bearer->said);
	if (cookie->asked && !cookie->shown && bearer->shown)
		live_line(live, found(CHECK_FAILED, CAUSE_COOKIE_LOST, "cookie", page),
			  "a good token is let in as bearer, but in the cookie %.*s it %s", STR_ARGS(live->cookie),
			  cookie->said);
	if (bearer->shown || cookie->shown)
		return;
	const struct good *told = bearer->asked ? bearer : cookie;
	if (told->status == 404)
		live_line(live, found(CHECK_WARNING, CAUSE_NONE, "token", page),
			  "a good token %s: name a page that is there, so that more can be judged", told->said);
	else
		live_line(live, found(CHECK_FAILED, told->status >= 500 ? CAUSE_DOWN : CAUSE_REFUSED, "token", page),
			  "a good token %s, although this configuration lets it in: does the web server ask by "
			  "another policy, or programs with another configuration?",
			  told->said);
}

/* The configuration refuses this user here: so must the web server. */
static void check_refused(struct live *live, struct live_page *page, enum err err)
{
	struct live_answer answer;
	bool bearer = live_expect(live, page, live->token, true) == err;
	ask_with(live, page, live->token, bearer, &answer);
	page->denied = answer.outcome == OUTCOME_DENIED;
	if (answer.outcome == OUTCOME_SHOWN || answer.outcome == OUTCOME_ABSENT)
		live_line(live, found(CHECK_FAILED, CAUSE_OPEN, "token", page),
			  "the token %s, although this configuration refuses its user here (%s)", answer.said,
			  err_row(err)->reason);
	else
		live_line(live, found(CHECK_OK, CAUSE_NONE, "token", page),
			  "the token is refused here, as configured (%s)", err_row(err)->reason);
}

void live_check_token(struct live *live, struct live_page *page)
{
	struct good bearer, cookie;
	if (!live->token.p)
		return;
	if (!live_may_send(live, page)) {
		live_line(live, found(CHECK_FAILED, CAUSE_NONE, "http", page),
			  "goes over plain http to another machine: who is between reads tokens and passwords; serve "
			  "it by https. No token was sent: --insecure would");
		return;
	}
	enum err by_cookie = live_expect(live, page, live->token, false);
	enum err err = live_expect(live, page, live->token, true);
	if (by_cookie && err && err_row(err)->status < 500) {
		check_refused(live, page, err);
		return;
	}
	try_good(live, page, true, &bearer);
	try_good(live, page, false, &cookie);
	say_good(live, page, &bearer, &cookie);
}

/* Bad ones ---------------------------------------------------------------------- */

/* The token with one character of its signature changed. */
static struct str tamper(struct live *live)
{
	struct buf copy = arena_buf(live->keep, live->token.n + 1);
	buf_add(&copy, live->token);
	if (copy.full || copy.n < 10)
		return STR_NONE;
	char *changed = &copy.p[copy.n - 10];
	*changed = *changed == 'A' ? 'B' : 'A';
	return buf_str(&copy);
}

/* The claims of the token under a header that says "not signed". */
static struct str unsign(struct live *live)
{
	struct str rest = live->token, part, payload = STR_NONE;
	str_split(&rest, '.', &part);
	if (!str_split(&rest, '.', &payload))
		return STR_NONE;
	/* {"alg":"none"} */
	return arena_printf(live->keep, "eyJhbGciOiJub25lIn0.%.*s.", STR_ARGS(payload));
}

static bool is_let_in(struct live *live, const struct live_page *page, const char *name, struct str token)
{
	struct live_answer answer;
	if (!token.p)
		return false;
	ask_with(live, page, token, page->bearer, &answer);
	if (answer.outcome != OUTCOME_SHOWN)
		return false;
	live_line(live, found(CHECK_FAILED, CAUSE_OPEN, "bad token", page),
		  "%s %s: whoever answers the web server is not auth-verify, or is not asked", name, answer.said);
	return true;
}

void live_check_bad_tokens(struct live *live, struct live_page *page)
{
	if (page->open || page->anonymous || !live_may_send(live, page))
		return;
	bool in = is_let_in(live, page, "a token that is none", STR("fcgi-auth-check"));
	if (page->allowed) {
		in |= is_let_in(live, page, "a token with a changed signature", tamper(live));
		in |= is_let_in(live, page, "a token without a signature", unsign(live));
		in |= is_let_in(live, page, "an expired token", live->expired);
	}
	if (!in)
		live_line(live, found(CHECK_OK, CAUSE_NONE, "bad token", page), "refused: %s",
			  page->allowed ? live->expired.p ? "no token, changed, unsigned, expired"
							  : "no token, changed, unsigned"
					: "no token");
}

/* path-user --------------------------------------------------------------------- */

/* A path that fits the pattern and belongs to somebody else. */
static struct str path_of_another(struct live *live, struct str pattern)
{
	struct buf path = arena_buf(live->keep, 2 * pattern.n + 64);
	struct str rest = pattern, segment;
	str_split(&rest, '/', &segment); /* nothing stands before the first */
	while (str_split(&rest, '/', &segment)) {
		bool user = str_starts(segment, STR("{")), any = str_starts(segment, STR("*"));
		buf_char(&path, '/');
		buf_add(&path, user ? STR("fcgi-auth-somebody-else") : any ? STR("fcgi-auth-check") : segment);
	}
	return path.full ? STR_NONE : buf_str(&path);
}

static void check_pattern(struct live *live, const struct live_page *page, struct str pattern)
{
	struct live_page other = *page;
	struct live_answer answer;
	other.target = path_of_another(live, pattern);
	other.url = arena_printf(live->keep, "%.*s%.*s", STR_ARGS(page->origin), STR_ARGS(other.target));
	if (!other.target.p || !other.url.p ||
	    live_expect(live, &other, live->token, page->bearer) != ERR_USER_MISMATCH)
		return;
	ask_with(live, &other, live->token, page->bearer, &answer);
	if (answer.outcome == OUTCOME_SHOWN || answer.outcome == OUTCOME_ABSENT)
		live_line(live, found(CHECK_FAILED, CAUSE_PATH_USER, "path-user", &other),
			  "belongs to another user, but the token of \"%.*s\" %s: path-user is not asked about",
			  STR_ARGS(live->user), answer.said);
	else
		live_line(live, found(CHECK_OK, CAUSE_NONE, "path-user", &other), "belongs to another user: %s",
			  answer.said);
}

void live_check_path_user(struct live *live, struct live_page *page)
{
	const struct policy *policy = page->policy;
	/* Right behind a yes for the same token: a cache that knows credentials alone would give it again. */
	for (size_t i = 0; page->allowed && policy && i < policy->conf->path_user.n; i++)
		check_pattern(live, page, policy->conf->path_user.items[i].value);
}

/* Revoked ----------------------------------------------------------------------- */

static enum err revoke(struct live *live, const struct live_page *page)
{
	struct worker *worker = &live->checkup->tool.worker;
	const struct credentials credentials = {
		.token = live->token, .carrier = CARRIER_COOKIE, .cookie = live->cookie};
	struct token token;
	struct claims claims;
	if (!worker->store)
		return ERR_STORE;
	arena_reset(worker->arena);
	enum err err = verify_token(worker, &page->policy->issuers, &credentials, &token, &claims);
	return err ? err : revocation_add_token(worker, &token, &claims, STR("check"));
}

static const struct live_page *first_allowed(const struct live *live)
{
	for (size_t i = 0; i < live->n_pages; i++)
		if (live->pages[i].allowed && !live->pages[i].open)
			return &live->pages[i];
	return NULL;
}

static bool still_in(struct live *live, const struct live_page *page)
{
	struct live_answer answer;
	ask_with(live, page, live->token, page->bearer, &answer);
	/* Other hosts may take a second, those of this one no time. */
	if (answer.outcome == OUTCOME_SHOWN && live->checkup->tool.snapshot->store->memcached.n > 0) {
		poll(NULL, 0, NEWS_MS);
		ask_with(live, page, live->token, page->bearer, &answer);
	}
	return answer.outcome == OUTCOME_SHOWN;
}

void live_check_revoked(struct live *live)
{
	const struct live_page *page = first_allowed(live);
	if (!page || !live->own) {
		live_line(live, found(CHECK_SKIPPED, CAUSE_NONE, "revoked", NULL), "%s",
			  page ? "a token of somebody else is not revoked: without --token - one is made for it"
			       : "no good token got in, so none was revoked");
		return;
	}
	enum err err = revoke(live, page);
	if (err && err != ERR_STORE_PARTIAL)
		live_line(live, found(CHECK_SKIPPED, CAUSE_NONE, "revoked", page),
			  "the token cannot be revoked from here (%s): may this user write state-dir?",
			  err_row(err)->reason);
	else if (still_in(live, page))
		live_line(live, found(CHECK_FAILED, CAUSE_STALE, "revoked", page),
			  "a token is let in after it was revoked: is the answer cached, or does the web server ask "
			  "programs with another state-dir?");
	else
		live_line(live, found(CHECK_OK, CAUSE_NONE, "revoked", page),
			  "a token is refused as soon as it is revoked");
}
