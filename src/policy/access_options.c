/* SPDX-License-Identifier: Apache-2.0 */
/* The options of [policy]. */
#include <stddef.h>

#include "policy/access.h"

static const struct conf_opt opts[] = {
	{"path", CONF_LIST, offsetof(struct policy_conf, path), NULL, NULL,
	 "Paths it is for: /wiki/**, /u/{user}/**, /one/*/page; the most specific policy wins"},
	{"host", CONF_LIST, offsetof(struct policy_conf, host), NULL, NULL,
	 "Hosts it is for, without port; none: all"},
	{"issuer", CONF_LIST, offsetof(struct policy_conf, issuer), NULL, NULL,
	 "Issuers whose tokens it accepts; none: all"},
	{"token-from", CONF_LIST, offsetof(struct policy_conf, token_from), "bearer, cookie", NULL,
	 "Where the token is, in this order: bearer, cookie, cookie:NAME, api-key, query:NAME, websocket-protocol"},
	{"unauthenticated", CONF_WORD, offsetof(struct policy_conf, unauthenticated), "auto",
	 "auto|401|redirect|anonymous",
	 "What a request without a good token gets; auto: people are sent to the login page, programs get 401"},
	{"login-url", CONF_URL, offsetof(struct policy_conf, login_url), "/auth/login", NULL,
	 "The login page; the address first asked for is added as rd"},
	{"require", CONF_LINES, offsetof(struct policy_conf, require), NULL, NULL,
	 "A rule that must hold, one per line: [not] claim:PATH|profile:PATH|user|scope "
	 "=|!=|in|contains|domain|exists|<|<=|>|>= VALUE"},
	{"path-user", CONF_LIST, offsetof(struct policy_conf, path_user), NULL, NULL,
	 "Patterns whose {user} must be the user of the token: /users/{user}/**"},
	{"profile", CONF_TEXT, offsetof(struct policy_conf, profile), NULL, NULL,
	 "The [profile \"NAME\"] that is asked about the user: for profile:PATH in rules and attributes"},
	{"attribute", CONF_LINES, offsetof(struct policy_conf, attribute), NULL, NULL,
	 "A variable for the application, one per line: AUTH_EMAIL = claim:email, profile:/email, user, text:none"},
	{"pass-token", CONF_BOOL, offsetof(struct policy_conf, pass_token), "off", NULL,
	 "Hand the verified token on as AUTH_TOKEN"},
	{"realm", CONF_TEXT, offsetof(struct policy_conf, realm), "fcgi-auth", NULL,
	 "The realm in WWW-Authenticate"},
	{"max-age", CONF_DURATION, offsetof(struct policy_conf, max_age), "0", NULL,
	 "How long ago a token may have been issued (iat); 0: any time"},
	{"cors-origin", CONF_LIST, offsetof(struct policy_conf, cors_origin), NULL, NULL,
	 "Origins whose pages may send requests and read the answers: https://app.example; *: all, without cookies"},
	{"cors-headers", CONF_LIST, offsetof(struct policy_conf, cors_headers), "Authorization, Content-Type", NULL,
	 "Headers that such pages may set"},
	{"local-user", CONF_BOOL, offsetof(struct policy_conf, local_user), "off", NULL,
	 "Keep a record of each user, under a number of this host's own: AUTH_LOCAL_USER_ID"},
	{"local-user-refresh", CONF_DURATION, offsetof(struct policy_conf, local_user_refresh), "10m", "1s-30d",
	 "How old last_seen of a record may get while its user is there; new attributes are recorded at once"},
	{"verdict-ttl", CONF_DURATION, offsetof(struct policy_conf, verdict_ttl), "60s", "0-1h",
	 "How long a web server that sees each change at once (KEPT VERDICTS) may use an allow again; 0: not at all"},
	{NULL, CONF_TEXT, 0, NULL, NULL, NULL},
};

const struct conf_kind policy_kind = {"policy", true, sizeof(struct policy_conf), opts,
				      "What is protected, and what it takes to get in"};
