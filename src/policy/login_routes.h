/* SPDX-License-Identifier: Apache-2.0 */
/* The answers behind auth-login-proxy's table of routes. */
#ifndef POLICY_LOGIN_ROUTES_H
#define POLICY_LOGIN_ROUTES_H

#include "policy/attempt.h"
#include "policy/call.h"
#include "policy/verify.h"

/* login_form.c */
void login_show(const struct call *call);
void login_submit(const struct call *call);
/* login_token.c: what the presented token says */
void login_profile(const struct call *call);
void login_verify_token(const struct call *call);
/* {"id", …}: the user, as the token's claims have it. */
void login_print_user(struct buf *b, const struct claims *claims);
/* login_profile.c: the same for people, with the own sessions */
void login_profile_page(const struct call *call, const struct claims *claims);
/* login_sessions.c */
void login_sessions(const struct call *call);
void login_sessions_end(const struct call *call);
#define LOGIN_SESSIONS_PURPOSE "sessions" /* of the forms (csrf.h) */
/* login_jwks.c: the public keys that verify the tokens of a login */
void login_jwks(const struct call *call);
/* login_logo.c */
void login_logo(const struct call *call);
/* A person's browser, refused with 401, goes to the login and comes back to this address.
 * false: it is none, and there is no reply yet. */
bool login_send_here(const struct call *call, enum err err);
/* login_refresh.c: the next token of a session in use */
void login_refresh(const struct call *call);
/* login_password.c */
void login_show_change_password(const struct call *call);
void login_change_password(const struct call *call);

/* login_register.c, where [login] registration is on */
void login_show_register(const struct call *call);
void login_register(const struct call *call);
/* login_verify.c, login_forgot.c, login_reset.c, where there is mail */
void login_show_verify_email(const struct call *call);
void login_verify_email(const struct call *call);
void login_show_forgot_password(const struct call *call);
void login_forgot_password(const struct call *call);
void login_show_reset_password(const struct call *call);
void login_reset_password(const struct call *call);

/* A password that somebody sent. */
struct login_proof {
	enum attempt_kind kind;
	struct str user, password;
	struct account account; /* whose it is */
	const char *why;	/* for the log alone; or NULL */
	int64_t retry_after;	/* seconds; with ERR_RATE_LIMITED and ERR_ACCOUNT_LOCKED */
};

/* login_check.c: is it the account's password, and may it be tried now? One answer, and one class
 * of time, for a user who does not exist, has no password, is disabled, and for a wrong
 * password: ERR_BAD_CREDENTIALS; why tells them apart. ERR_USER_INACTIVE: the password is
 * right, and the e-mail is not confirmed. Without a look at the password:
 * ERR_RATE_LIMITED, ERR_ACCOUNT_LOCKED. A hash that is weaker than [login] password-cost
 * wants is made anew when the password is right. ERR_STORE. */
enum err login_check_password(const struct call *call, struct login_proof *proof);
/* Where a browser goes after a login: the address if it is on this site or one of
 * return-origins; else, and when there is none, STR_NONE. A bad one is logged. */
struct str login_return_address(const struct call *call, struct str address);

#endif
