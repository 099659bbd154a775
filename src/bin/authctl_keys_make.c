/* SPDX-License-Identifier: Apache-2.0 */
/* Where the key comes from that `authctl keys add` adds: made, a PEM file, or a shared secret. */
#include <stdio.h>

#include "base/codec.h"
#include "base/secret.h"
#include "bin/authctl_keys.h"
#include "bin/authctl_output.h"

enum { KID_BYTES = 16 };

/* On a command line it would be taken for an option. */
static bool looks_like_option(struct str kid)
{
	return kid.n > 0 && kid.p[0] == '-';
}

int keys_algorithms(const struct keys *keys, struct algorithm_set *out)
{
	const struct conf_list *names = &keys->issuer->algorithms;
	*out = (struct algorithm_set){0};
	for (size_t i = 0; i < names->n; i++) {
		const struct algorithm *algorithm = algorithm_find(names->items[i].value, ALGORITHM_ALL);
		if (algorithm)
			algorithm_add(out, algorithm);
	}
	if (out->bits)
		return EX_OK;
	struct conf_error error;
	conf_fail(&error, keys->section, "algorithms", "name what the ring's keys are for, such as ES256");
	output_error("%s", error.text);
	return EX_CONFIG;
}

/* That of --algorithm, which the issuer must take, else NULL. */
static int wanted_algorithm(const struct keys *keys, const struct algorithm **out)
{
	struct algorithm_set allowed;
	const char *name = arguments_value(keys->tool.arguments, OPTION_ALGORITHM);
	int status = keys_algorithms(keys, &allowed);
	*out = NULL;
	if (status || !name)
		return status;
	*out = algorithm_find(str_of(name), allowed);
	if (*out)
		return EX_OK;
	return arguments_wrong(keys->tool.arguments, "--algorithm is one of the issuer's algorithms; the first is %.*s",
			       STR_ARGS(keys->issuer->algorithms.items[0].value));
}

/* A random kid: one made of the secret could be tried against guesses. */
static bool print_secret(const struct algorithm *algorithm, struct str secret, struct buf *jwk, struct buf *why)
{
	unsigned char bytes[KID_BYTES];
	char memory[BASE64URL_ENCODED(KID_BYTES)];
	struct buf kid;
	if (algorithm->family != KEY_HMAC) {
		buf_printf(why, "%s takes no shared secret", algorithm->name);
		return false;
	}
	if (!key_check_secret(secret, why))
		return false;
	do {
		kid = buf_over(memory, sizeof memory);
		random_bytes(bytes, sizeof bytes);
		base64url_encode(&kid, bytes, sizeof bytes);
	} while (looks_like_option(buf_str(&kid)));
	buf_printf(jwk, "{\"kty\":\"oct\",\"use\":\"sig\",\"alg\":\"%s\",\"kid\":\"%.*s\",\"k\":\"", algorithm->name,
		   STR_ARGS(buf_str(&kid)));
	base64url_encode(jwk, (const unsigned char *)secret.p, secret.n);
	buf_add(jwk, STR("\"}"));
	return true;
}

/* Where the key comes from: neither, then it is made. */
struct source {
	struct str pem, secret;
};

static bool print_jwk(const struct algorithm *algorithm, const struct source *source, struct buf *jwk, struct buf *why)
{
	if (source->pem.p)
		return key_jwk_from_pem(algorithm, source->pem, STR_NONE, jwk, why);
	if (source->secret.p)
		return print_secret(algorithm, source->secret, jwk, why);
	if (key_generate_jwk(algorithm, STR_NONE, jwk))
		return true;
	buf_printf(why, "no key for %s can be made: no memory, or OpenSSL fails", algorithm->name);
	return false;
}

static int read_source(const struct keys *keys, struct source *out)
{
	const struct arguments *arguments = keys->tool.arguments;
	struct arena *arena = keys->tool.worker.arena;
	const char *file = arguments_value(arguments, OPTION_FROM);
	struct str spec = str_of(arguments_value(arguments, OPTION_FROM_SECRET));
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	*out = (struct source){0};
	if (file && spec.p)
		return arguments_wrong(arguments, "give --from or --from-secret, not both");
	if (spec.p && str_starts(spec, STR("text:")))
		return arguments_wrong(arguments,
				       "--from-secret is file:PATH or env:NAME: every user could see a secret among "
				       "the arguments");
	if (!file && !spec.p)
		return EX_OK;
	/* A private key is as secret as a secret: the same checks of the file. */
	bool good = file ? secret_load(arena, arena_printf(arena, "file:%s", file), &out->pem, &why)
			 : secret_load(arena, spec, &out->secret, &why);
	if (good)
		return EX_OK;
	output_error("%s", buf_z(&why));
	return EXIT_FAILED;
}

static bool make_for(struct keys *keys, const struct algorithm *algorithm, const struct source *source,
		     struct ring_key *out, struct buf *why)
{
	struct arena *arena = keys->tool.worker.arena;
	bool is_new = !source->pem.p && !source->secret.p;
	do {
		struct buf jwk = arena_buf(arena, KEY_JWK_MAX);
		if (!print_jwk(algorithm, source, &jwk, why))
			return false;
		if (!ring_key_read(arena, buf_str(&jwk), out)) {
			buf_printf(why, "the key is too large: no JWK has more than %d bytes", KEY_JWK_MAX);
			return false;
		}
	} while (is_new && looks_like_option(out->kid));
	return true;
}

/* For the algorithm that is wanted; else a new key is for the issuer's first,
 * and one that is there for the first that it fits. */
int keys_make(struct keys *keys, struct ring_key *out)
{
	const struct conf_list *names = &keys->issuer->algorithms;
	const struct algorithm *wanted;
	struct source source;
	char memory[512];
	struct buf why;
	int status = wanted_algorithm(keys, &wanted);
	if (!status)
		status = read_source(keys, &source);
	if (status)
		return status;
	size_t n = wanted || (!source.pem.p && !source.secret.p) ? 1 : names->n;
	for (size_t i = 0; i < n; i++) {
		const struct algorithm *algorithm =
			wanted ? wanted : algorithm_find(names->items[i].value, ALGORITHM_ALL);
		why = buf_over(memory, sizeof memory);
		if (!algorithm)
			buf_printf(&why, "%.*s is no algorithm", STR_ARGS(names->items[i].value));
		else if (make_for(keys, algorithm, &source, out, &why))
			return EX_OK;
	}
	const char *where = arguments_value(keys->tool.arguments, source.pem.p ? OPTION_FROM : OPTION_FROM_SECRET);
	output_error("%s%s%s", where ? where : "", where ? ": " : "", buf_z(&why));
	return EXIT_FAILED;
}
