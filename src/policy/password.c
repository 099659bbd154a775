/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing and checking passwords by crypt(3). */
#include "policy/password.h"

#include <crypt.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "token/apache_hash.h"

enum { BCRYPT_SIZE = 60, BCRYPT_COST_AT = 4, SALT_BYTES = 16 };

/* crypt(3)'s alphabet. */
static bool is_radix64(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		/* '.', '/' and the digits follow each other in ASCII. */
		if (!letter && !(c >= '.' && c <= '9'))
			return false;
	}
	return true;
}

/* The cost of a whole bcrypt hash; 0: it is none, or one that would take too long. */
static unsigned cost_of(struct str hash)
{
	static const char kinds[] = "abxy";
	if (hash.n != BCRYPT_SIZE || !str_starts(hash, STR("$2")) || !memchr(kinds, hash.p[2], sizeof kinds - 1) ||
	    hash.p[3] != '$' || hash.p[6] != '$' || !is_radix64(str_skip(hash, 7)))
		return 0;
	unsigned char tens = (unsigned char)hash.p[BCRYPT_COST_AT], ones = (unsigned char)hash.p[BCRYPT_COST_AT + 1];
	if (tens < '0' || tens > '9' || ones < '0' || ones > '9')
		return 0;
	int cost = (tens - '0') * 10 + ones - '0';
	return cost >= PASSWORD_COST_MIN && cost <= PASSWORD_COST_MAX ? (unsigned)cost : 0;
}

static bool is_bcrypt(struct str hash)
{
	return cost_of(hash) > 0;
}

bool password_is_outdated(struct str hash, unsigned cost)
{
	return cost_of(hash) < cost;
}

/* The forms that say what they are, and the length of what follows their last '$'.
 * The lengths tell a hash from a setting that has none, or one that was cut. */
static const struct form {
	struct str prefix;
	size_t digest;
} forms[] = {
	{{"$1$", 3}, 22}, {{"$5$", 3}, 43},    {{"$6$", 3}, 86},  {{"$y$", 3}, 43},  {{"$gy$", 4}, 43},
	{{"$7$", 3}, 43}, {{"$sha1$", 6}, 28}, {{"$md5", 4}, 22}, {{"$3$$", 4}, 32},
};

static struct str after_last_dollar(struct str s)
{
	size_t at = s.n;
	while (at > 0 && s.p[at - 1] != '$')
		at--;
	return str_skip(s, at);
}

static bool is_crypt(struct str hash)
{
	struct str digest = after_last_dollar(hash);
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (str_starts(hash, forms[i].prefix))
			return digest.n == forms[i].digest && is_radix64(digest);
	/* DES, with two characters of salt or extended. */
	if (hash.n == 13)
		return is_radix64(hash);
	return hash.n == 20 && hash.p[0] == '_' && is_radix64(str_skip(hash, 1));
}

static bool terminate(struct str s, char *out, size_t size)
{
	if (s.n >= size || (s.n && memchr(s.p, '\0', s.n)))
		return false;
	if (s.n)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

/* Does the system's library know the form? */
static bool is_known(struct str hash)
{
	char setting[CRYPT_OUTPUT_SIZE];
	if (!terminate(hash, setting, sizeof setting))
		return false;
	int answer = crypt_checksalt(setting);
	return answer == CRYPT_SALT_OK || answer == CRYPT_SALT_METHOD_LEGACY;
}

bool password_is_supported(struct str hash)
{
	return apache_hash_is(hash) || ((is_bcrypt(hash) || is_crypt(hash)) && is_known(hash));
}

/* crypt(3) with a setting: a hash, or the beginning of one. The result lives in
 * the arena; the work space, 32 KB, on the stack, so that a request's arena need
 * not have room for it. */
static bool run_crypt(struct arena *arena, struct str password, struct str setting, struct str *out)
{
	char phrase[CRYPT_MAX_PASSPHRASE_SIZE];
	struct crypt_data data = {.initialized = 0};
	struct str z = arena_copy(arena, setting), result = STR_NONE;
	if (z.p && terminate(password, phrase, sizeof phrase)) {
		const char *text = crypt_r(phrase, z.p, &data);
		if (text && text[0] != '*')
			result = arena_copy(arena, str_of(text));
	}
	secret_wipe(phrase, sizeof phrase);
	secret_wipe(&data, sizeof data);
	if (!result.p)
		return false;
	*out = result;
	return true;
}

const char *password_problem(struct str password)
{
	if (password.n == 0)
		return "The password is empty.";
	if (password.n > PASSWORD_MAX)
		return "The password is too long: 72 bytes at most, and characters other than plain letters count as "
		       "two to four.";
	if (memchr(password.p, '\0', password.n))
		return "The password has a NUL byte.";
	return NULL;
}

bool password_hash(struct arena *arena, struct str password, unsigned cost, struct str *hash)
{
	char salt[SALT_BYTES], setting[CRYPT_GENSALT_OUTPUT_SIZE];
	if (password_problem(password) || cost < PASSWORD_COST_MIN || cost > PASSWORD_COST_MAX)
		return false;
	random_bytes(salt, sizeof salt);
	if (!crypt_gensalt_rn("$2b$", cost, salt, sizeof salt, setting, sizeof setting)) {
		log_text(LOG_ERR, "password", "the system's crypt(3) does not offer bcrypt");
		return false;
	}
	return run_crypt(arena, password, str_of(setting), hash);
}

bool password_verify(struct arena *arena, struct str password, struct str hash)
{
	struct str got;
	if (apache_hash_is(hash))
		return apache_hash_verify(password, hash);
	if (!password_is_supported(hash) || !run_crypt(arena, password, hash, &got))
		return false;
	return got.n == hash.n && secret_equal(got.p, hash.p, hash.n);
}

void password_verify_nobody(struct arena *arena, struct str password, unsigned cost)
{
	/* A salt and a digest that belong to no password; "%02u" of a cost in range. */
	if (cost < PASSWORD_COST_MIN || cost > PASSWORD_COST_MAX)
		cost = PASSWORD_COST_DEFAULT;
	struct str hash = arena_printf(arena, "$2b$%02u$abcdefghijklmnopqrstuu...............................", cost);
	/* Nobody may get in, whatever came out. */
	(void)password_verify(arena, password, hash);
}
