/* SPDX-License-Identifier: Apache-2.0 */
/* Which secrets may be HMAC keys, and which are known to everybody. */
#include <string.h>

#include "token/key.h"

/* Placeholders, and secrets printed in documentation and tutorials. Compared
 * without regard to case. */
static const char *const well_known[] = {
	"secret",
	"secretkey",
	"secret-key",
	"secret_key",
	"supersecret",
	"super-secret",
	"super_secret",
	"mysecret",
	"my-secret",
	"my_secret",
	"jwtsecret",
	"jwt-secret",
	"jwt_secret",
	"sharedsecret",
	"shared-secret",
	"password",
	"default",
	"example",
	"development",
	"insecure",
	"test",
	"a-string-secret-at-least-256-bits-long",
	"a-valid-string-secret-that-is-at-least-384-bits-long",
	"a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
	"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
	NULL,
};

/* What a placeholder begins with. */
static const char *const beginnings[] = {
	"changeme", "change-me", "change_me", "change me", "changethis", "change-this", "change_this", "change this",
	"replaceme", "replace-me", "replace_me", "your-", "your_", "yoursecret", "your secret", "todo", "xxxx",
	"better-auth-secret-123", "<",
	NULL,
};

static bool has_prefix(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq_nocase((struct str){s.p, prefix.n}, prefix);
}

static bool is_one_byte(struct str s)
{
	return s.n > 1 && memcmp(s.p, s.p + 1, s.n - 1) == 0;
}

bool key_is_well_known(struct str secret)
{
	for (size_t i = 0; well_known[i]; i++)
		if (str_eq_nocase(secret, str_of(well_known[i])))
			return true;
	for (size_t i = 0; beginnings[i]; i++)
		if (has_prefix(secret, str_of(beginnings[i])))
			return true;
	return is_one_byte(secret);
}

static bool is_blank(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && (s.p[i] < '\t' || s.p[i] > '\r'))
			return false;
	return true;
}

bool key_check_secret(struct str secret, struct buf *why)
{
	if (is_blank(secret)) {
		buf_printf(why, "the secret is %s; make one: authctl secret generate",
			   secret.n ? "white space alone" : "empty");
		return false;
	}
	if (str_starts(secret, STR("-----BEGIN "))) {
		buf_add(why, STR("the secret is a PEM file: with a public key as the secret everybody could sign; "
				 "make a secret: authctl secret generate"));
		return false;
	}
	return true;
}

bool key_secret_suffices(struct str secret, const struct algorithm *algorithm)
{
	return secret.n >= algorithm->key_size;
}
