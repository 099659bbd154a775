/* SPDX-License-Identifier: Apache-2.0 */
/* Issuing tokens for local accounts, and the cookie they travel in. */
#include "policy/session.h"

#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"
#include "base/secret.h"
#include "policy/cookies.h"
#include "policy/revocation.h"

enum { MEMBERS_MAX = 16 << 10, SKEW_MAX = 5, VALUES_MAX = 4, SID_BYTES = 16 };

enum err session_find(const struct call *call, const struct issuer_set *issuers, enum carrier *carrier,
		      struct claims *claims)
{
	struct token_sources sources = {.carriers = {CARRIER_BEARER, CARRIER_COOKIE}, .n_carriers = 2};
	struct credentials credentials;
	struct token token;
	sources.cookies = cookies_with_tokens(call->worker, &sources.n_cookies);
	if (!sources.cookies)
		return ERR_INTERNAL;
	enum err err = credentials_find(&sources, call->worker->arena, call->request, &credentials);
	if (err)
		return err;
	*carrier = credentials.carrier;
	return verify_token(call->worker, issuers, &credentials, &token, claims);
}

/* Roles are a JSON array, so that `require = claim:roles = admin` finds each one. */
static void add_roles(struct buf *b, struct str roles)
{
	struct str rest = roles, role;
	bool first = true;
	buf_char(b, '[');
	while (str_split(&rest, ' ', &role)) {
		if (role.n == 0)
			continue;
		if (!first)
			buf_char(b, ',');
		buf_json(b, role);
		first = false;
	}
	buf_char(b, ']');
}

static struct str text_claim(const struct account *account, struct str name)
{
	if (str_eq(name, STR("email")))
		return account->email;
	if (str_eq(name, STR("name")))
		return account->name;
	return str_eq(name, STR("user_id")) ? account->id : STR_NONE;
}

static struct str print_members(struct worker *worker, const struct account *account, struct str sid,
				int64_t auth_time)
{
	const struct conf_list *wanted = &worker->snapshot->login->token_claims;
	struct buf b = arena_buf(worker->arena, MEMBERS_MAX);
	buf_add(&b, STR("\"sid\":"));
	buf_json(&b, sid);
	buf_add(&b, STR(",\"auth_time\":"));
	buf_int(&b, auth_time);
	for (size_t i = 0; i < wanted->n; i++) {
		struct str name = wanted->items[i].value, text = text_claim(account, name);
		bool roles = str_eq(name, STR("roles"));
		if (!roles && text.n == 0)
			continue;
		buf_char(&b, ',');
		buf_json(&b, name);
		buf_char(&b, ':');
		if (roles)
			add_roles(&b, account->roles);
		else
			buf_json(&b, text);
	}
	return b.full ? STR_NONE : (struct str){b.p, b.n};
}

/* A name that nobody can guess (OpenID Connect Front-Channel Logout 1.0 section 3). */
static struct str make_sid(struct arena *arena)
{
	unsigned char bytes[SID_BYTES];
	struct buf b = arena_buf(arena, BASE64URL_ENCODED(SID_BYTES));
	random_bytes(bytes, sizeof bytes);
	base64url_encode(&b, bytes, sizeof bytes);
	return buf_str(&b);
}

enum err session_sign(struct worker *worker, const struct new_token *wanted, struct str *text, struct claims *claims)
{
	struct issue issue = {
		.user_id = wanted->account->id,
		.members = print_members(worker, wanted->account, wanted->sid, wanted->auth_time),
		.jti = wanted->jti,
		.now = wanted->now,
		.lifetime = wanted->lifetime,
	};
	struct issuer *issuer = worker->snapshot->login_issuer;
	struct token token;
	if (!issue.members.p)
		return ERR_INTERNAL;
	enum err err = issuer_sign(issuer, worker->token, worker->arena, &issue, text);
	return err ? err
		   : verify_token(worker, &(struct issuer_set){&issuer, 1}, &(struct credentials){.token = *text},
				  &token, claims);
}

/* What the new token is for. */
struct plan {
	const struct account *account;
	struct str sid;	   /* STR_NONE: a new one */
	int64_t auth_time; /* 0: now */
};

static enum err try_issue(struct worker *worker, const struct plan *plan, int64_t now, struct str *text,
			  struct claims *claims)
{
	const struct new_token wanted = {
		.account = plan->account,
		.sid = plan->sid.n ? plan->sid : make_sid(worker->arena),
		.auth_time = plan->auth_time ? plan->auth_time : now,
		.now = now,
		.lifetime = worker->snapshot->login->lifetime / 1000,
	};
	return session_sign(worker, &wanted, text, claims);
}

/* Since when are the user's tokens good? */
static enum err not_before(struct worker *worker, const struct claims *claims, int64_t *out)
{
	struct store_question question = {.now = clock_now()};
	struct store_answer answer = {0};
	if (!revocation_user_key(worker->token, claims->iss, claims->user_id, &question.user))
		return ERR_INTERNAL;
	enum err err = worker->store_driver->ask(worker->store, &question, &answer);
	if (err == ERR_NONE)
		*out = answer.not_before;
	return err;
}

/* The user has logged out everywhere in this very second, which also refuses what
 * is issued in it. The new token is dated just after that mark. */
static enum err issue_after_mark(struct worker *worker, const struct plan *plan, struct str *text,
				 struct claims *claims)
{
	int64_t mark, now = clock_now();
	enum err err = not_before(worker, claims, &mark);
	if (err)
		return err;
	if (mark > now + SKEW_MAX) {
		log_text(LOG_ERR, "clock",
			 "all tokens of a user are revoked up to %lld, in the future: are all hosts' clocks right?",
			 (long long)mark);
		return ERR_INTERNAL;
	}
	return try_issue(worker, plan, mark >= now ? mark + 1 : now, text, claims);
}

static enum err issue(const struct call *call, const struct plan *plan, struct str *token, struct claims *claims)
{
	struct worker *worker = call->worker;
	struct str text;
	if (!worker->snapshot->login_issuer) {
		log_text(LOG_ERR, "issue", "no issuer signs the tokens of local accounts: set [login] issuer");
		return ERR_INTERNAL;
	}
	enum err err = try_issue(worker, plan, clock_now(), &text, claims);
	if (err == ERR_TOKEN_REVOKED)
		err = issue_after_mark(worker, plan, &text, claims);
	if (err == ERR_STORE || err == ERR_INTERNAL)
		return err;
	if (err || !str_eq(claims->user_id, plan->account->id)) {
		log_text(LOG_ERR, "issue",
			 "a token of our own would be refused (%s): look at user-id of the issuer that [login] names",
			 err_row(err)->reason);
		return ERR_INTERNAL;
	}
	*token = text;
	return ERR_NONE;
}

enum err session_issue(const struct call *call, const struct account *account, struct str *token)
{
	struct claims claims;
	enum err err = issue(call, &(struct plan){.account = account}, token, &claims);
	if (err == ERR_NONE)
		session_note(call, &claims);
	return err;
}

enum err session_go_on(const struct call *call, const struct account *account, struct str sid, int64_t auth_time,
		       struct str *token)
{
	struct claims claims;
	enum err err = issue(call, &(struct plan){account, sid, auth_time}, token, &claims);
	if (err == ERR_NONE && sid.n)
		session_see(call, &claims);
	else if (err == ERR_NONE)
		session_note(call, &claims);
	return err;
}

enum err session_revoke_old(const struct call *call)
{
	const struct snapshot *s = call->worker->snapshot;
	struct str rest = call->request->cookie, value;
	for (int i = 0; i < VALUES_MAX && cookies_next_value(&rest, s->login->cookie.value, &value); i++) {
		struct token token;
		struct claims claims;
		const struct credentials old = {.token = value, .carrier = CARRIER_COOKIE,
						.cookie = s->login->cookie.value};
		enum err err = verify_token(call->worker, &s->issuers, &old, &token, &claims);
		if (err == ERR_NONE)
			err = session_end(call->worker, &token, &claims, STR("login"));
		else if (err_row(err)->status < 500)
			err = ERR_NONE; /* no token, or good for nothing already */
		if (err)
			return err;
	}
	return ERR_NONE;
}

bool session_set_cookie(const struct call *call, struct str token)
{
	return session_set_cookie_until(call, token, clock_now() + call->worker->snapshot->login->lifetime / 1000);
}

bool session_set_cookie_until(const struct call *call, struct str token, int64_t expires)
{
	const struct login_conf *login = call->worker->snapshot->login;
	struct cookie_attributes attributes =
		login_cookie_attributes(login, call->request->https, expires - clock_now());
	struct str value;
	if (cookie_find(call->request->cookie, login->cookie.value, &value) > 1)
		cookies_clear_twins(call, login->cookie.value);
	if (cookies_set(call, login->cookie.value, token, &attributes))
		return true;
	log_text(LOG_ERR, "issue", "a token of %zu bytes is too long for a cookie: shorten [login] token-claims",
		 token.n);
	return false;
}

static void add_text(struct buf *b, const char *name, struct str text)
{
	buf_printf(b, "\"%s\":", name);
	if (text.n)
		buf_json(b, text);
	else
		buf_add(b, STR("null"));
}

static void add_session(struct buf *b, struct str token, const struct account *account)
{
	add_text(b, "token", token);
	buf_add(b, STR(",\"user\":{"));
	add_text(b, "id", account->id);
	buf_char(b, ',');
	add_text(b, "email", account->email);
	buf_char(b, ',');
	add_text(b, "name", account->name);
	buf_char(b, '}');
}

struct str session_json(const struct call *call, const char *message, struct str token, const struct account *account)
{
	struct buf b = arena_buf(call->worker->arena, 2 * (token.n + MEMBERS_MAX));
	buf_add(&b, STR("{\"success\":true,\"message\":"));
	buf_json(&b, str_of(message));
	buf_char(&b, ',');
	add_session(&b, token, account);
	buf_add(&b, STR(",\"data\":{"));
	add_session(&b, token, account);
	buf_add(&b, STR("}}\n"));
	return b.full ? STR_NONE : buf_str(&b);
}
