/* SPDX-License-Identifier: Apache-2.0 */
/* [login] */
#ifndef POLICY_LOGIN_OPTIONS_H
#define POLICY_LOGIN_OPTIONS_H

#include "base/conf.h"
#include "http/cookie.h"
#include "http/request.h"
#include "store/count.h"

enum login_backend { LOGIN_LOCAL, LOGIN_UPSTREAM, LOGIN_BACKENDS };

struct login_conf {
	int backend; /* enum login_backend */
	struct conf_text cookie, cookie_domain, cookie_path, issuer, title;
	struct conf_text template_dir, language, logo, color; /* of the pages */
	int cookie_samesite; /* Lax, Strict, None */
	int cookie_secure;   /* auto, on, off */
	int64_t lifetime;    /* milliseconds */
	int64_t renew;	     /* milliseconds before the end; -1: a quarter of lifetime; 0: never */
	int64_t session_max; /* milliseconds */
	struct conf_list token_claims, return_origins, cors_origin;
	int64_t password_min; /* characters of a new password */
	int64_t resume_max; /* bytes */
	int64_t password_cost; /* of bcrypt: the logarithm of the work */
	struct conf_text rate_limit, account_rate_limit, lockout, breached_passwords;
	bool registration, verify_email;
	struct conf_text url; /* where people find the login */
	int64_t lockout_time; /* milliseconds */
};

/* How much guessing there may be; most is 0 where there is no limit. */
struct login_limits {
	struct limiter_rate client, account; /* attempts */
	struct limiter_rate failures;	     /* of an account, until it is locked */
};

extern const struct conf_kind login_kind;

struct snapshot;
/* May people make local accounts; can they confirm an address and get a new password by mail? */
bool login_registers(const struct snapshot *snapshot);
bool login_mails(const struct snapshot *snapshot);
/* What the table cannot say: cookie prefixes and attributes fit, the issuer
 * exists and can sign, origins are origins. Sets the snapshot's login_issuer: the
 * one named, which must be able to sign; without a name the only issuer there
 * is, when it can; else NULL. */
bool login_options_check(struct snapshot *snapshot, struct conf_error *error);
/* login_limits.c: sets the snapshot's login_limits, and opens its list of breached passwords. */
bool login_limits_check(struct snapshot *snapshot, const struct conf_section *section, struct conf_error *error);
/* The attributes of the login cookie for this request; max_age 0 deletes it. */
struct cookie_attributes login_cookie_attributes(const struct login_conf *login, bool https, int64_t max_age);
/* Next to a login page of ours, where posted forms wait for the login: the address
 * with "resume" in place of "login" or "signin". STR_NONE: no such page on this site. */
struct str login_resume_url(struct arena *arena, struct str login_url);
/* "https://host[:port]" in lower case, nothing after it. */
bool login_origin_is_valid(struct str origin);

#endif
