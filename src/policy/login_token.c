/* SPDX-License-Identifier: Apache-2.0 */
/* GET /profile and GET /verify-token: what the presented token says, after our own verification. */
#include "base/codec.h"
#include "http/negotiate.h"
#include "policy/login_routes.h"
#include "policy/session.h"

enum { ANSWER_MAX = 48 << 10 };

/* Claims about the token, not about the user (RFC 7519 section 4.1 and OpenID Connect). */
static bool is_about_token(struct str name)
{
	static const char *const names[] = {"iss", "sub", "aud", "exp",   "nbf", "iat",
					    "jti", "sid", "azp", "nonce", "id",	 "claims", "auth_time"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(name, str_of(names[i])))
			return true;
	return false;
}

/* The members of an object that describes the user; without its end. The id is a
 * number where the token has one. */
static void print_user(struct buf *b, const struct claims *claims)
{
	buf_add(b, STR("{\"id\":"));
	if (claims->user_id_is_number)
		buf_add(b, claims->user_id);
	else
		buf_json(b, claims->user_id);
	for (const struct json *claim = claims->all->child; claim; claim = claim->next) {
		if (is_about_token(claim->name))
			continue;
		buf_char(b, ',');
		buf_json(b, claim->name);
		buf_char(b, ':');
		json_print(b, claim);
	}
}

void login_print_user(struct buf *b, const struct claims *claims)
{
	print_user(b, claims);
	buf_char(b, '}');
}

/* false: the reply is a refusal. */
static bool find_claims(const struct call *call, struct claims *claims)
{
	const struct snapshot *s = call->worker->snapshot;
	enum carrier carrier;
	enum err err = session_find(call, &s->issuers, &carrier, claims);
	if (err)
		call_refuse(call, err);
	return err == ERR_NONE;
}

static void finish(const struct call *call, const struct buf *body)
{
	if (body->full) {
		call_refuse(call, ERR_INTERNAL);
		return;
	}
	call_begin(call, 200);
	call_json(call, buf_str(body));
}

bool login_send_here(const struct call *call, enum err err)
{
	if (!negotiate_navigation(call->request) || err_row(err)->status != 401 || !call->login_url.p)
		return false;
	struct buf back = arena_buf(call->worker->arena, 3 * (call->mount.n + call->segment.n) + 1);
	percent_encode(&back, call->mount, "/");
	percent_encode(&back, call->segment, "");
	call_begin(call, 303);
	call_redirect(call, arena_printf(call->worker->arena, "%.*s?rd=%.*s", STR_ARGS(call->login_url),
					 STR_ARGS(buf_str(&back))));
	return true;
}

void login_profile(const struct call *call)
{
	struct claims claims;
	enum carrier carrier;
	enum err err = session_find(call, &call->worker->snapshot->issuers, &carrier, &claims);
	if (err) {
		if (!login_send_here(call, err))
			call_refuse(call, err);
		return;
	}
	if (negotiate_navigation(call->request)) {
		login_profile_page(call, &claims);
		return;
	}
	struct buf b = arena_buf(call->worker->arena, ANSWER_MAX);
	print_user(&b, &claims);
	buf_add(&b, STR(",\"claims\":"));
	json_print(&b, claims.all);
	buf_add(&b, STR("}\n"));
	finish(call, &b);
}

void login_verify_token(const struct call *call)
{
	struct claims claims;
	if (!find_claims(call, &claims))
		return;
	struct buf b = arena_buf(call->worker->arena, ANSWER_MAX);
	buf_add(&b, STR("{\"valid\":true,\"user\":"));
	print_user(&b, &claims);
	buf_add(&b, STR("}}\n"));
	finish(call, &b);
}
