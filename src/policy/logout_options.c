/* SPDX-License-Identifier: Apache-2.0 */
/* The options of [logout], and what must hold for them. */
#include "policy/logout_options.h"

#include <stddef.h>

#include "http/url.h"
#include "policy/cookies.h"
#include "policy/cors.h"
#include "policy/runtime.h"

/* Each one costs a header line or more of every answer. */
enum { COOKIES_MAX = 16 };

static const struct conf_opt opts[] = {
	{"return-to", CONF_URL, offsetof(struct logout_conf, return_to), "/", NULL,
	 "Where a browser goes after logging out: a path, or an address on another site"},
	{"cookies", CONF_LIST, offsetof(struct logout_conf, cookies), NULL, NULL,
	 "Names of further cookies to look for tokens in and to delete"},
	{"backchannel", CONF_BOOL, offsetof(struct logout_conf, backchannel), "on", NULL,
	 "Whether issuers may log users out by a logout token (OpenID Connect)"},
	{"clear", CONF_LIST, offsetof(struct logout_conf, clear), NULL, NULL,
	 "What else browsers forget of this site: cache, storage"},
	{"cors-origin", CONF_LIST, offsetof(struct logout_conf, cors_origin), NULL, NULL,
	 "Origins whose pages may log out by a request of their scripts"},
	{"upstream", CONF_WORD, offsetof(struct logout_conf, upstream), "best-effort", "best-effort|off",
	 "Whether the auth server of [upstream] is told, after our own logout, where that has a path for it"},
	{NULL, CONF_TEXT, 0, NULL, NULL, NULL},
};

const struct conf_kind logout_kind = {"logout", false, sizeof(struct logout_conf), opts, "auth-logout"};

/* "https://host" of the address, or STR_NONE for a path. */
static struct str origin_of(struct str address)
{
	size_t scheme = str_starts(address, STR("https://")) ? 8 : str_starts(address, STR("http://")) ? 7 : 0;
	if (scheme == 0)
		return STR_NONE;
	return (struct str){address.p, scheme + str_find(str_skip(address, scheme), '/')};
}

bool logout_options_check(const struct snapshot *snapshot, struct conf_error *error)
{
	const struct logout_conf *logout = snapshot->logout;
	const struct conf_section *section = snapshot->conf->sections;
	while (section->kind != &logout_kind)
		section = section->next;
	struct str address = logout->return_to.value, origin = origin_of(address);
	if ((origin.p && !login_origin_is_valid(origin)) || !url_return_is_safe(address, origin, NULL, 0))
		return conf_fail(error, section, "return-to",
				 "is a path as /bye, or an address as https://host/bye with the host in lower case, "
				 "without dots, doubled slashes or encoded slashes in the path");
	for (size_t i = 0; i < logout->cors_origin.n; i++)
		if (!cors_check_origin(&logout->cors_origin.items[i], error))
			return false;
	for (size_t i = 0; i < logout->clear.n; i++)
		if (!str_eq(logout->clear.items[i].value, STR("cache")) &&
		    !str_eq(logout->clear.items[i].value, STR("storage")))
			return conf_fail_at(error, &logout->clear.items[i], "clear",
					    "\"%.*s\" is neither cache nor storage; cookies are deleted one by one",
					    STR_ARGS(logout->clear.items[i].value));
	if (logout->cookies.n > COOKIES_MAX)
		return conf_fail(error, section, "cookies", "are more than %d", COOKIES_MAX);
	for (size_t i = 0; i < logout->cookies.n; i++)
		if (!cookies_name_is_valid(logout->cookies.items[i].value))
			return conf_fail_at(error, &logout->cookies.items[i], "cookies",
					    "\"%.*s\" can't be the name of a cookie",
					    STR_ARGS(logout->cookies.items[i].value));
	return true;
}
