/* SPDX-License-Identifier: Apache-2.0 */
/* Issuers of type authjs: the session cookie of Auth.js v5 (@auth/core/jwt). The
 * name of the cookie is the salt of its key. */
#include "token/issuer_derived.h"

static const char *const encryptions[] = {"A256CBC-HS512", "A256GCM", NULL};

static bool check_cookie(const struct conf_section *section, const struct issuer *issuer, struct conf_error *error)
{
	const struct conf_list *cookie = &issuer->conf->cookie;
	if (cookie->n == 0)
		return conf_fail(error, section, "cookie",
				 "is missing: write the exact name of the session cookie, which its key depends on, "
				 "such as cookie = __Secure-authjs.session-token (https) or authjs.session-token");
	if (cookie->n > 1)
		return conf_fail_at(error, &cookie->items[1], "cookie",
				    "is one name only, because the key depends on it: give the other cookie an "
				    "[issuer] of its own");
	return true;
}

static bool authjs_open(const struct conf_section *section, struct issuer *issuer, struct conf_error *error)
{
	struct derivation how = {.encryptions = encryptions, .kid = DERIVED_KID_BY_SIZE};
	char memory[512];
	struct buf info = buf_over(memory, sizeof memory);
	if (!check_cookie(section, issuer, error))
		return false;
	how.salt = issuer->conf->salt.value.p ? issuer->conf->salt.value : issuer->conf->cookie.items[0].value;
	buf_printf(&info, "Auth.js Generated Encryption Key (%.*s)", STR_ARGS(how.salt));
	if (info.full)
		return conf_fail(error, section, "salt", "is too long");
	how.info = buf_str(&info);
	return derived_open_issuer(section, &how, issuer, error);
}

static const char *const user_id[] = {"sub", NULL};
static const char *const options[] = {"encryption", "salt", "secret", NULL};

const struct issuer_driver issuer_authjs = {
	.name = "authjs",
	.options = options,
	.forms = TOKEN_FORM(TOKEN_JWE),
	.defaults = {.user_id = user_id, .leeway = 15, .anonymous = true},
	.open = authjs_open,
	.close = derived_close_issuer,
	.each_key = derived_issuer_each_key,
	.fits = derived_issuer_fits,
	.authenticate = derived_issuer_authenticate,
};
