/* SPDX-License-Identifier: Apache-2.0 */
/* [login] backend = upstream: actions at another auth server of the site. Each is
 * bounded in time, and in how many threads of a process are at it; what comes is
 * believed no further than our own verification goes, and of a failure the client
 * hears no more than a clear text. */
#ifndef POLICY_UPSTREAM_H
#define POLICY_UPSTREAM_H

#include "policy/call.h"
#include "policy/form.h"
#include "token/claims.h"

/* How many threads of the process ask the server. */
struct upstream_gate;

/* false: no memory. */
bool upstream_gate_open(unsigned workers, struct upstream_gate **out);
void upstream_gate_close(struct upstream_gate **gate);

/* A Set-Cookie line of the server, taken apart. */
struct upstream_cookie {
	struct str name, value, path, expires, max_age, same_site; /* STR_NONE: not said */
	bool secure, ends; /* ends: it deletes */
};

/* What an action came to. */
struct upstream_outcome {
	enum err err;
	int status;	     /* of the answer to the client */
	struct str text;     /* what the server says of it, for people; STR_NONE: nothing of use */
	int64_t retry_after; /* seconds; 0: not said */
	const struct json *json; /* its answer, an object; NULL: none */
	/* Of a login, and of a registration that is one. */
	bool signed_in;	     /* token or cookies have passed our own verification; claims are theirs */
	struct str token;    /* for the cookie of [login]; STR_NONE: the session is in cookies */
	struct claims claims;
	const struct upstream_cookie *cookies; /* all that it has set */
	size_t n_cookies;
};

/* A value for a field by the name that it has here. */
struct upstream_value {
	const char *name;
	struct str value; /* STR_NONE: left out */
};

/* What is sent: values under the names of `fields`, and of form extra-fields besides. */
struct upstream_values {
	const struct upstream_value *items;
	size_t n;
	const struct form *form; /* or NULL */
};

/* Sign in (UPSTREAM_LOGIN) or register there. */
void upstream_sign_in(const struct call *call, enum upstream_action action, const struct upstream_values *values,
		      struct upstream_outcome *out);
/* The answer to a program: what the server said, and message, token and user where
 * it did not say them so. STR_NONE: it does not fit. */
struct str upstream_json(const struct call *call, const struct upstream_outcome *outcome, const char *message);
/* Revoke what was in our cookie before, and set the cookies of the session on a begun
 * reply. ours: the token goes into the cookie of [login]. ERR_STORE, ERR_INTERNAL. */
enum err upstream_revoke_old(const struct call *call, const struct upstream_outcome *outcome);
bool upstream_set_cookies(const struct call *call, const struct upstream_outcome *outcome, bool ours);
/* Refuse with the outcome's status, text and Retry-After. */
void upstream_refuse(const struct call *call, const struct upstream_outcome *outcome);

/* After our own logout: tell the server, where it has a path for that and [logout]
 * upstream says so. The token is one whose signature was good, or STR_NONE; cookies
 * of pass-cookies go with it. What comes of it is logged, and nothing else. */
void upstream_logout(const struct call *call, struct str token);

/* The actions of auth-login-proxy (login.c). */
void upstream_register(const struct call *call);
void upstream_show_register(const struct call *call);
void upstream_forgot_password(const struct call *call);
void upstream_show_forgot_password(const struct call *call);
void upstream_reset_password(const struct call *call);
void upstream_show_reset_password(const struct call *call);
void upstream_verify_email(const struct call *call);
void upstream_show_verify_email(const struct call *call);
void upstream_profile(const struct call *call);
void upstream_verify_token(const struct call *call);
void upstream_health(const struct call *call);

/* For `authctl check`: ask the health path (the login's host, where there is none). *why says
 * what is wrong; the result is the status, or 0 when no answer came. */
int upstream_check(struct worker *worker, struct buf *why);

#endif
