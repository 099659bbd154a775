/* SPDX-License-Identifier: Apache-2.0 */
/* The successor of a token: who has one, and what is in it. */
#include "policy/session_renew.h"

#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"
#include "base/secret.h"
#include "http/negotiate.h"
#include "policy/form_key.h"
#include "policy/session.h"
#include "store/session_list.h"

enum { LINE_MAX = REPLY_LINE_MAX, JTI_MAX = 512 };

static int64_t window_of(const struct login_conf *login)
{
	return (login->renew < 0 ? login->lifetime / 4 : login->renew) / 1000;
}

/* The successor's times. false: it has none. */
static bool plan(const struct snapshot *snapshot, const struct claims *claims, struct new_token *out)
{
	const struct login_conf *login = snapshot->login;
	int64_t auth_time;
	if (!snapshot->login_issuer || login->backend != LOGIN_LOCAL || login->renew == 0 || !claims->sid.n ||
	    !claims->jti.n || claims->jti.n > JTI_MAX || claims->exp == TIME_ABSENT ||
	    !str_eq(claims->issuer, issuer_name(snapshot->login_issuer)) ||
	    !json_integer(json_member(claims->all, STR("auth_time")), &auth_time))
		return false;
	int64_t window = window_of(login), last;
	out->sid = claims->sid;
	out->auth_time = auth_time;
	out->now = claims->exp - window;
	out->lifetime = login->lifetime / 1000;
	if (__builtin_add_overflow(auth_time, login->session_max / 1000, &last) || out->now < 0)
		return false;
	if (out->now + out->lifetime > last)
		out->lifetime = last - out->now;
	return out->lifetime > window;
}

int64_t session_renewal_at(const struct snapshot *snapshot, const struct claims *claims)
{
	struct new_token token;
	return plan(snapshot, claims, &token) ? token.now : TIME_ABSENT;
}

int64_t session_renewal_of(const struct snapshot *snapshot, const struct verdict *verdict)
{
	if (verdict->err || verdict->anonymous || verdict->credentials.carrier != CARRIER_COOKIE ||
	    !snapshot->login || !str_eq(verdict->credentials.cookie, snapshot->login->cookie.value))
		return TIME_ABSENT;
	return session_renewal_at(snapshot, &verdict->claims);
}

/* The same for all processes of a host: a MAC of the old one's. */
static enum err name_successor(struct worker *worker, const struct claims *claims, struct new_token *out)
{
	char memory[FORM_KEY_SIZE];
	unsigned char mac[DIGEST_SIZE];
	struct buf text = arena_buf(worker->arena, BASE64URL_ENCODED(sizeof mac));
	struct buf named = arena_buf(worker->arena, claims->jti.n + sizeof "renew");
	enum err err = form_key_load(worker->snapshot->server->state_dir.value.p, memory);
	if (err)
		return err;
	buf_add(&named, (struct str){"renew", sizeof "renew"});
	buf_add(&named, claims->jti);
	bool good = !named.full && digest_mac(worker->token, (struct str){memory, sizeof memory}, buf_str(&named), mac);
	secret_wipe(memory, sizeof memory);
	if (!good)
		return ERR_INTERNAL;
	base64url_encode(&text, mac, sizeof mac);
	out->jti = buf_str(&text);
	return text.full ? ERR_INTERNAL : ERR_NONE;
}

/* As it is now. */
static enum err find_account(struct worker *worker, struct str id, struct account *out)
{
	struct accounts *accounts = worker_accounts(worker);
	enum err err = accounts ? accounts_find(accounts, worker->arena, id, out) : ERR_STORE;
	if (err == ERR_NOT_FOUND || (!err && (!str_eq(out->id, id) || out->disabled || out->pending)))
		return ERR_USER_INACTIVE;
	return err;
}

enum err session_renew(struct worker *worker, const struct claims *claims, struct str *token, int64_t *expires)
{
	struct new_token successor = {0};
	struct account account;
	struct claims made;
	int64_t now = clock_now();
	if (!plan(worker->snapshot, claims, &successor) || now < successor.now || now >= claims->exp)
		return ERR_NOT_FOUND;
	enum err err = find_account(worker, claims->user_id, &account);
	if (!err)
		err = name_successor(worker, claims, &successor);
	successor.account = &account;
	if (!err)
		err = session_sign(worker, &successor, token, &made);
	if (err)
		return err;
	*expires = made.exp;
	/* A list for people to look at: not worth a failure. */
	if (sessions_see(worker_accounts(worker), claims->sid, now, made.exp))
		log_text(LOG_WARNING, "accounts", "when a session was last in use could not be noted");
	return ERR_NONE;
}

struct str session_renew_cookie(struct worker *worker, const struct request *request, const struct verdict *verdict)
{
	const struct login_conf *login = worker->snapshot->login;
	int64_t at = session_renewal_of(worker->snapshot, verdict), now = clock_now(), expires;
	struct str token;
	if (at == TIME_ABSENT || now < at || !str_eq(request->method, STR("GET")) || !negotiate_navigation(request))
		return STR_NONE;
	enum err err = session_renew(worker, &verdict->claims, &token, &expires);
	if (err) {
		if (err != ERR_NOT_FOUND && err != ERR_USER_INACTIVE && err != ERR_TOKEN_REVOKED)
			log_text(LOG_WARNING, "renew", "a session could not be renewed (%s)", err_row(err)->reason);
		return STR_NONE;
	}
	struct cookie_attributes attributes = login_cookie_attributes(login, request->https, expires - now);
	struct buf line = arena_buf(worker->arena, LINE_MAX);
	cookie_print(&line, login->cookie.value, token, &attributes);
	return line.full ? STR_NONE : buf_str(&line);
}
