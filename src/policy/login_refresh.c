/* SPDX-License-Identifier: Apache-2.0 */
/* POST /refresh: the next token of a session, for programs and for pages whose web server
 * passes no cookie on with an allow. */
#include "base/clock.h"
#include "http/negotiate.h"
#include "policy/event.h"
#include "policy/login_routes.h"
#include "policy/session.h"
#include "policy/session_renew.h"

enum { ANSWER_MAX = 24 << 10 };

/* The token that is to go on: the bearer's, or the one in the login's cookie. */
static enum err find_token(const struct call *call, struct credentials *credentials, struct claims *claims)
{
	struct worker *worker = call->worker;
	const struct str cookie = worker->snapshot->login->cookie.value;
	const struct token_sources sources = {
		.carriers = {CARRIER_BEARER, CARRIER_COOKIE}, .n_carriers = 2, .cookies = &cookie, .n_cookies = 1};
	struct issuer *issuer = worker->snapshot->login_issuer;
	struct token token;
	if (!issuer)
		return ERR_NO_TOKEN;
	enum err err = credentials_find(&sources, worker->arena, call->request, credentials);
	return err ? err
		   : verify_token(worker, &(struct issuer_set){&issuer, 1}, credentials, &token, claims);
}

/* A cookie's token stays out of the body, where scripts could read it. */
static void answer(const struct call *call, const struct credentials *credentials, struct str token, int64_t expires)
{
	struct buf b = arena_buf(call->worker->arena, ANSWER_MAX);
	bool bearer = credentials->carrier == CARRIER_BEARER, renewed = token.p != NULL;
	buf_add(&b, STR("{\"message\":"));
	buf_json(&b, renewed ? STR("Session renewed") : STR("Session still good"));
	if (bearer) {
		buf_add(&b, STR(",\"token\":"));
		buf_json(&b, renewed ? token : credentials->token);
	}
	buf_printf(&b, ",\"renewed\":%s,\"expires_at\":%lld}\n", renewed ? "true" : "false", (long long)expires);
	call_begin(call, 200);
	if (b.full || (renewed && !bearer && !session_set_cookie_until(call, token, expires)))
		call_refuse(call, ERR_INTERNAL);
	else
		call_json(call, buf_str(&b));
}

void login_refresh(const struct call *call)
{
	struct credentials credentials = {0};
	struct claims claims = {0};
	struct str token = STR_NONE;
	int64_t expires = 0;
	enum err err = call_is_cross_site(call) ? ERR_CROSS_SITE : find_token(call, &credentials, &claims);
	if (err == ERR_NONE) {
		expires = claims.exp;
		err = session_renew(call->worker, &claims, &token, &expires);
	}
	/* It is not time yet, or it goes on no further. */
	if (err == ERR_NOT_FOUND)
		err = claims.exp != TIME_ABSENT && clock_now() >= claims.exp ? ERR_TOKEN_EXPIRED : ERR_NONE;
	if (err) {
		event_act("renewal_failed", call->request, err, claims.user_id, NULL);
		call_refuse(call, err);
		return;
	}
	if (token.p)
		event_act("renewed", call->request, ERR_NONE, claims.user_id, NULL);
	answer(call, &credentials, token, expires);
}
