/* SPDX-License-Identifier: Apache-2.0 */
/* From tokens to entries of the cache and back. */
#include "token/issuer_seen.h"

#include <string.h>

#include "base/secret.h"
#include "token/cache.h"
#include "token/thread.h"

static bool is_worth_it(const struct issuer *issuer, const struct token *token)
{
	if (token->form != TOKEN_JWS)
		return token->form == TOKEN_JWE;
	struct str name;
	if (!json_string(json_member(token->header, STR("alg")), &name))
		return false;
	const struct algorithm *algorithm = algorithm_find(name, issuer->algorithms);
	return algorithm && algorithm->family != KEY_HMAC;
}

/* Random numbers that no other keys have: those of the issuer as it was opened, of
 * its own keys, and of the fetched ones. */
static void read_generations(const struct issuer *issuer, uint64_t out[3])
{
	const struct key_set *fetched = issuer->source ? key_source_take(issuer->source) : NULL;
	out[0] = issuer->generation;
	out[1] = issuer->keys.generation;
	out[2] = fetched ? fetched->generation : 0;
	if (fetched)
		key_source_give_back(issuer->source, fetched);
}

/* As it came. What is signed is hashed, the signature is kept and compared: it
 * may be longer than what it signs. */
static struct str signature_of(const struct token *token)
{
	return str_skip(token->text, token->canonical.n);
}

struct seen_key seen_key(const struct issuer *issuer, struct token_thread *thread, const struct token *token)
{
	struct seen_key key = {.usable = false};
	uint64_t generations[3];
	if (!thread || !thread->cache || !is_worth_it(issuer, token))
		return key;
	read_generations(issuer, generations);
	/* Of one size always, so that it does not matter that it has NULs. */
	const struct str keys = {(const char *)generations, sizeof generations};
	const struct str parts[] = {keys, token->cookie, token->canonical};
	key.usable = digest_parts(thread, parts, 3, key.bytes);
	return key;
}

bool seen_find(const struct seen_key *key, struct token_thread *thread, struct arena *arena, int64_t now,
	       struct token *token)
{
	struct str value;
	if (!key->usable || !cache_find(thread->cache, key->bytes, now, arena, &value))
		return false;
	if (token->form == TOKEN_JWS)
		return value.n == signature_of(token).n && secret_equal(value.p, signature_of(token).p, value.n);
	return json_parse(arena, value, &token->payload);
}

void seen_put(const struct seen_key *key, struct token_thread *thread, const struct token *token,
	      const struct claims *claims)
{
	int64_t expiry = INT64_MAX;
	if (!key->usable)
		return;
	if (claims->exp != TIME_ABSENT && __builtin_add_overflow(claims->exp, claims->leeway, &expiry))
		expiry = INT64_MAX;
	cache_put(thread->cache, key->bytes, expiry,
		  token->form == TOKEN_JWE ? token->payload->raw : signature_of(token));
}
