/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "token/derive.h"

static const char secret[] = "bench-Kp4Wn8Rt1Yx6Bq3Mv9Lz2Cd5Fh7Gj0Sa4Eu";

/* info: what HKDF derives the key of an encrypted token by. */
static const struct kind {
	const char *name, *type, *info;
	bool has_salt; /* and a kid: the cookie's name is the salt */
} kinds[] = {
	{"HS256", "jwt", NULL, false},
	{"RS256", "jwt", NULL, false},
	{"RS384", "jwt", NULL, false},
	{"RS512", "jwt", NULL, false},
	{"PS256", "jwt", NULL, false},
	{"PS384", "jwt", NULL, false},
	{"PS512", "jwt", NULL, false},
	{"ES256", "jwt", NULL, false},
	{"ES384", "jwt", NULL, false},
	{"ES512", "jwt", NULL, false},
	{"EdDSA", "jwt", NULL, false},
	{"A256GCM", "nextauth", "NextAuth.js Generated Encryption Key", false},
	{"A256CBC-HS512", "authjs", "Auth.js Generated Encryption Key (" KIND_COOKIE ")", true},
};

const struct kind *kind_at(size_t n)
{
	return n < sizeof kinds / sizeof kinds[0] ? &kinds[n] : NULL;
}

const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; kind_at(i); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

const char *kind_name(const struct kind *kind)
{
	return kind->name;
}

static bool print_lines(struct kind_token *t)
{
	struct buf lines = buf_over(t->lines, sizeof t->lines);
	bool good = true;
	buf_printf(&lines, "type = %s\n", t->kind->type);
	if (t->kind->info) {
		buf_printf(&lines, "secret = text:%s\n", secret);
	} else {
		buf_printf(&lines, "algorithms = %s\nkey-ring = text:{\"keys\":[", t->kind->name);
		good = key_generate_jwk(algorithm_find(str_of(t->kind->name), ALGORITHM_ALL), STR("first"), &lines);
		buf_add(&lines, STR("]}\n"));
	}
	buf_z(&lines);
	return good && !lines.full;
}

static bool open_issuer(struct kind_token *t)
{
	static const struct conf_kind *const sections[] = {&issuer_kind, NULL};
	char path[] = "/tmp/bench_kinds.XXXXXX";
	struct conf_error error = {"no file below /tmp, or no key"};
	int fd = mkstemp(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file)
		return false;
	bool good = print_lines(t) && fprintf(file, "[issuer \"main\"]\n%s" KIND_COMMON, t->lines) > 0;
	good = fclose(file) == 0 && good && conf_open(path, sections, &t->conf, &error) &&
	       issuer_open(t->conf->sections, 1, &t->issuer, &error);
	unlink(path);
	if (!good)
		fprintf(stderr, "%s: %s\n", t->kind->name, error.text);
	return good;
}

static bool sign(struct kind_token *t, int64_t now, int64_t lifetime, struct buf *out)
{
	struct str members = STR("\"role\":\"editor\",\"email\":\"alice@example.com\"");
	struct issue issue = {STR("alice"), members, now, lifetime, STR_NONE};
	struct str made = STR_NONE;
	bool good = issuer_sign(t->issuer, t->thread, t->arena, &issue, &made) == ERR_NONE;
	buf_add(out, made);
	return good;
}

static bool encrypt(struct kind_token *t, int64_t now, int64_t lifetime, struct buf *out)
{
	const struct encryption *encryption = encryption_find(str_of(t->kind->name), ENCRYPTION_ALL);
	unsigned char bytes[ENCRYPTION_KEY_MAX];
	char kid_memory[128];
	struct buf kid = buf_over(kid_memory, sizeof kid_memory);
	struct str key = {(char *)bytes, encryption->key_size};
	struct str salt = t->kind->has_salt ? STR(KIND_COOKIE) : STR_NONE;
	struct str claims = arena_printf(
		t->arena,
		"{\"sub\":\"alice\",\"iat\":%lld,\"exp\":%lld,\"jti\":\"dDLZ1Ur0ACs2ni7SCnkOpw\","
		"\"iss\":\"https://id.example.org\",\"aud\":\"www\",\"role\":\"editor\","
		"\"email\":\"alice@example.com\"}",
		(long long)now, (long long)(now + lifetime));
	if (!derive_hkdf(STR(secret), salt, str_of(t->kind->info), bytes, key.n))
		return false;
	derive_oct_thumbprint(DIGEST_SHA512, key, &kid);
	return jwe_key_open(encryption, key, t->kind->has_salt ? buf_str(&kid) : STR_NONE, &t->key) &&
	       jwe_encrypt(t->key, t->thread, t->arena, claims, out);
}

bool kind_open(const struct kind *kind, int64_t now, int64_t lifetime, struct kind_token *t)
{
	*t = (struct kind_token){.kind = kind};
	struct buf text = buf_over(t->memory, sizeof t->memory);
	if (!arena_open(1 << 18, &t->arena) || !token_thread_open(0, &t->thread) || !open_issuer(t))
		return false;
	bool good = (kind->info ? encrypt : sign)(t, now, lifetime, &text);
	t->text = buf_str(&text);
	return good && !text.full;
}

void kind_close(struct kind_token *t)
{
	jwe_key_close(&t->key);
	issuer_close(&t->issuer);
	conf_close(&t->conf);
	token_thread_close(&t->thread);
	arena_close(&t->arena);
}
