/* SPDX-License-Identifier: Apache-2.0 */
/* Issuers of type nextauth: the session cookie of NextAuth v4 (next-auth/jwt). Its
 * tokens name no key, and NextAuth itself knows one secret only; several are
 * taken here so that it can be changed without ending every session. */
#include "token/issuer_derived.h"

static const char *const encryptions[] = {"A256GCM", NULL};

static bool nextauth_open(const struct conf_section *section, struct issuer *issuer, struct conf_error *error)
{
	struct derivation how = {.salt = issuer->conf->salt.value, .encryptions = encryptions};
	char memory[512];
	struct buf info = buf_over(memory, sizeof memory);
	buf_add(&info, STR("NextAuth.js Generated Encryption Key"));
	if (how.salt.n > 0)
		buf_printf(&info, " (%.*s)", STR_ARGS(how.salt));
	if (info.full)
		return conf_fail(error, section, "salt", "is too long");
	how.info = buf_str(&info);
	return derived_open_issuer(section, &how, issuer, error);
}

static const char *const cookies[] = {"__Secure-next-auth.session-token", "next-auth.session-token", NULL};
static const char *const user_id[] = {"sub", NULL};
static const char *const options[] = {"encryption", "salt", "secret", NULL};

const struct issuer_driver issuer_nextauth = {
	.name = "nextauth",
	.options = options,
	.forms = TOKEN_FORM(TOKEN_JWE),
	.defaults = {.cookies = cookies, .user_id = user_id, .leeway = 15, .anonymous = true},
	.open = nextauth_open,
	.close = derived_close_issuer,
	.each_key = derived_issuer_each_key,
	.fits = derived_issuer_fits,
	.authenticate = derived_issuer_authenticate,
};
