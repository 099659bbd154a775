/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of each kind, all with the same claims: verified for the first time
 * against OpenSSL's operation alone, and seen before against HS256. Of a signed
 * token the whole verification is compared, of an encrypted one decryption: it
 * takes OpenSSL less than JSON takes anybody. All of a row take turns. */
#include <stdio.h>

#include "core_frame.h"
#include "core_openssl.h"
#include "kinds.h"
#include "token/cache.h"

enum { MEASURE_NS = 4000000 };

struct tokens {
	struct kind_token token;
	struct token parsed; /* of an encrypted token */
	char parts[4096];
	struct bare *bare;
};

static bool verify(void *context)
{
	struct kind_token *t = &((struct tokens *)context)->token;
	struct token token;
	struct claims claims;
	arena_reset(t->arena);
	if (token_parse(t->arena, t->text, &token) != ERR_NONE)
		return false;
	token.cookie = STR(KIND_COOKIE);
	return issuer_verify(t->issuer, &(struct verification){t->thread, t->arena, NOW}, &token, &claims) == ERR_NONE;
}

static bool decrypt(void *context)
{
	struct tokens *tokens = context;
	struct kind_token *t = &tokens->token;
	struct str plaintext;
	arena_reset(t->arena);
	return jwe_decrypt(t->key, t->thread, t->arena, &tokens->parsed, &plaintext) == ERR_NONE;
}

/* What decrypt needs of it, out of the arena. */
static bool keep_parts(struct tokens *t, struct token *token)
{
	struct buf kept = buf_over(t->parts, sizeof t->parts);
	struct str *const parts[] = {&token->jwe.header, &token->jwe.iv, &token->jwe.ciphertext, &token->jwe.tag};
	for (size_t i = 0; i < 4; i++) {
		size_t begin = kept.n;
		buf_add(&kept, *parts[i]);
		*parts[i] = str_skip(buf_str(&kept), begin);
	}
	t->parsed = *token;
	return !kept.full;
}

static bool open_tokens(struct tokens *t, const struct kind *kind)
{
	struct token token;
	*t = (struct tokens){0};
	if (!kind_open(kind, NOW - 60, 660, &t->token) ||
	    token_parse(t->token.arena, t->token.text, &token) != ERR_NONE)
		return false;
	if (kind == kind_at(0))
		return true;
	if (!t->token.key)
		return bare_open(kind_name(kind), 0, token.canonical.n, &t->bare);
	return keep_parts(t, &token) &&
	       bare_open(kind_name(kind), token.jwe.header.n, token.jwe.ciphertext.n - 1, &t->bare);
}

static void close_tokens(struct tokens *t)
{
	if (t->bare)
		bare_close(&t->bare);
	kind_close(&t->token);
}

/* Of each round; of the ratios the median is printed. */
struct result {
	double bare[ROUNDS], cold[ROUNDS], seen[ROUNDS], cold_ratio[ROUNDS], seen_ratio[ROUNDS];
};

/* So many that a measurement takes some milliseconds. */
static unsigned repeats_of(bool (*run)(void *), void *context, bool *good)
{
	double nanoseconds = core_measure(run, context, 8, good);
	return nanoseconds > MEASURE_NS / 8 ? 8 : (unsigned)(MEASURE_NS / (nanoseconds + 1));
}

static bool measure_kind(struct tokens *t, struct tokens *hs256, struct token_cache *cache, struct result *result)
{
	bool good = true;
	bool (*const first)(void *) = t->token.key ? decrypt : verify;
	token_thread_share(t->token.thread, NULL);
	unsigned bare = repeats_of(bare_run, t->bare, &good), cold = repeats_of(first, t, &good);
	token_thread_share(t->token.thread, cache);
	good = good && verify(t);
	unsigned seen = repeats_of(verify, t, &good), reference = repeats_of(verify, hs256, &good);
	for (size_t i = 0; good && i < ROUNDS; i++) {
		result->bare[i] = core_measure(bare_run, t->bare, bare, &good);
		token_thread_share(t->token.thread, NULL);
		result->cold[i] = core_measure(first, t, cold, &good);
		token_thread_share(t->token.thread, cache);
		result->seen[i] = core_measure(verify, t, seen, &good);
		result->cold_ratio[i] = result->cold[i] / result->bare[i];
		result->seen_ratio[i] = core_measure(verify, hs256, reference, &good) / result->seen[i];
	}
	return good;
}

static bool measure_all(struct tokens *hs256, struct token_cache *cache)
{
	static struct tokens t;
	static struct result result;
	printf("\n%-16s %8s %8s %8s %8s %12s %12s\n", "token", "bytes", "OpenSSL", "cold", "seen", "cold/OpenSSL",
	       "HS256/seen");
	for (size_t i = 1; kind_at(i); i++) {
		bool good = open_tokens(&t, kind_at(i)) && measure_kind(&t, hs256, cache, &result);
		if (good)
			printf("%-16s %8zu %8.0f %8.0f %8.0f %12.3f %12.3f\n", kind_name(t.token.kind), t.token.text.n,
			       core_median(result.bare), core_median(result.cold), core_median(result.seen),
			       core_median(result.cold_ratio), core_median(result.seen_ratio));
		close_tokens(&t);
		if (!good)
			return false;
	}
	return true;
}

bool core_tokens(void)
{
	static struct tokens hs256;
	struct token_cache *cache;
	bool good = cache_open(&cache) && open_tokens(&hs256, kind_at(0)) && measure_all(&hs256, cache);
	close_tokens(&hs256);
	cache_close(&cache);
	return good;
}
