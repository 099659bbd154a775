/* SPDX-License-Identifier: Apache-2.0 */
/* [upstream]: an auth server of the site that knows the accounts. */
#ifndef POLICY_UPSTREAM_OPTIONS_H
#define POLICY_UPSTREAM_OPTIONS_H

#include "base/conf.h"

/* What it can be asked for; each has a path of its own. */
enum upstream_action {
	UPSTREAM_LOGIN,
	UPSTREAM_REGISTER,
	UPSTREAM_PROFILE,
	UPSTREAM_VERIFY,
	UPSTREAM_LOGOUT,
	UPSTREAM_FORGOT,
	UPSTREAM_RESET,
	UPSTREAM_VERIFY_EMAIL,
	UPSTREAM_HEALTH,
	UPSTREAM_CSRF,	   /* a token that has to come with a login and a logout (Auth.js) */
	UPSTREAM_EXCHANGE, /* a signed token for the session that a login has given (Better Auth) */
	UPSTREAM_ACTIONS
};

enum upstream_session { UPSTREAM_SESSION_TOKEN, UPSTREAM_SESSION_COOKIES };
enum upstream_request { UPSTREAM_REQUEST_JSON, UPSTREAM_REQUEST_FORM };
enum upstream_username { UPSTREAM_USERNAME_ANY, UPSTREAM_USERNAME_PLAIN };

struct upstream_conf {
	struct conf_text base, paths[UPSTREAM_ACTIONS], host, origin, ca_file;
	int request;	   /* enum upstream_request */
	int login_request; /* the same, beginning at 1; 0: as request */
	int session;	   /* enum upstream_session */
	int username;	   /* enum upstream_username */
	struct conf_list fields, extra_fields;
	struct conf_list token, user, user_id, error, token_header;
	struct conf_list success, pass_cookies;
	int64_t timeout, login_timeout, connect_timeout; /* milliseconds */
	int64_t max_body, max_concurrent;
	bool forward_address, allow_plain_http;
};

extern const struct conf_kind upstream_kind;

/* A field of an action: what it is called here, and there. */
struct upstream_field {
	enum upstream_action action;
	struct str ours, theirs;
};

enum { UPSTREAM_STATUSES_MAX = 16, UPSTREAM_HEADERS_MAX = 2 };

/* The section, compiled; belongs to the snapshot. */
struct upstream {
	const struct upstream_conf *conf;
	struct str urls[UPSTREAM_ACTIONS];	  /* STR_NONE: it is not asked for that */
	bool verify_by_get; /* the code goes to the end of the URL */
	struct str headers[UPSTREAM_HEADERS_MAX]; /* lines of each call: Host, Origin */
	size_t n_headers;
	int success[UPSTREAM_STATUSES_MAX];
	size_t n_success;
	const struct upstream_field *fields, *extra_fields;
};

struct snapshot;
/* Compile the section where [login] backend = upstream; else the snapshot's
 * upstream stays NULL. After the issuers and [login]. */
bool upstream_options_check(struct snapshot *snapshot, struct conf_error *error);
/* The key that has the path of an action. */
const char *upstream_action_name(enum upstream_action action);
/* How is the body of the action sent? */
enum upstream_request upstream_encoding(const struct upstream *upstream, enum upstream_action action);

#endif
