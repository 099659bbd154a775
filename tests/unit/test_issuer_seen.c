/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that were seen before: what is remembered of them, and what is not. The
 * driver's authenticate is counted. */
#include "token/issuer_seen.h"

#include <string.h>

#include "issuer_setup.h"
#include "token/cache.h"
#include "token/jwe.h"
#include "token/thread.h"
#include "unit.h"

enum { ARENA = 1 << 18, NOW = 1767225600, TEXT = 2048 };

static struct arena *arena;
static struct token_thread *thread;
static struct token_cache *cache;
static unsigned authenticated;
static const struct issuer_driver *counted;

static enum err count(const struct issuer *issuer, struct token_thread *of, struct arena *in, struct token *token)
{
	authenticated++;
	return counted->authenticate(issuer, of, in, token);
}

/* An issuer whose driver counts. It must not move. */
struct bed {
	struct issuer_setup setup;
	struct issuer_driver driver;
	struct issuer *issuer;
};

static void open_issuer(struct bed *bed)
{
	struct conf_error error = {0};
	CU_ASSERT_FATAL(issuer_open(&bed->setup.section, 1, &bed->issuer, &error));
	counted = bed->issuer->driver;
	bed->driver = *counted;
	bed->driver.authenticate = count;
	bed->issuer->driver = &bed->driver;
}

static void setup_ring(struct bed *bed, const char *algorithm, const char *ring)
{
	issuer_setup(&bed->setup);
	issuer_setup_add(&bed->setup, &bed->setup.conf.algorithms, str_of(algorithm));
	issuer_setup_add(&bed->setup, &bed->setup.conf.user_id, STR("sub"));
	bed->setup.conf.key_ring = (struct conf_text){.value = str_of(ring), .file = "test.conf", .line = 2};
}

/* text:{"keys":[…]} with a fresh key. */
static const char *make_ring(const char *algorithm)
{
	static char texts[4][4096];
	static unsigned turn;
	struct buf ring = buf_over(texts[turn % 4], sizeof texts[0]);
	buf_add(&ring, STR("text:{\"keys\":["));
	CU_ASSERT_TRUE_FATAL(key_generate_jwk(algorithm_find(str_of(algorithm), ALGORITHM_ALL), STR_NONE, &ring));
	buf_add(&ring, STR("]}"));
	buf_z(&ring);
	CU_ASSERT_FALSE_FATAL(ring.full);
	return texts[turn++ % 4];
}

static struct str sign(const struct bed *bed, char memory[TEXT], int64_t lifetime)
{
	struct issue issue = {STR("alice"), STR(""), NOW, lifetime, STR_NONE};
	struct buf text = buf_over(memory, TEXT);
	struct str signed_text;
	CU_ASSERT_EQUAL_FATAL(issuer_sign(bed->issuer, thread, arena, &issue, &signed_text), ERR_NONE);
	buf_add(&text, signed_text);
	arena_reset(arena);
	return buf_str(&text);
}

/* Verify, and say by how often the driver was asked whether it was seen before. */
static enum err verify(const struct bed *bed, struct str text, const char *cookie, int64_t now, bool *seen)
{
	struct token token;
	struct claims claims;
	unsigned before = authenticated;
	enum err err = token_parse(arena, text, &token);
	CU_ASSERT_EQUAL_FATAL(err, ERR_NONE);
	token.cookie = str_of(cookie);
	err = issuer_verify(bed->issuer, &(struct verification){thread, arena, now}, &token, &claims);
	CU_ASSERT(err != ERR_NONE || (str_eq(claims.user_id, STR("alice")) && token.payload));
	CU_ASSERT(err != ERR_NONE || str_eq(claims.issuer, issuer_name(bed->issuer)));
	*seen = authenticated == before;
	arena_reset(arena);
	return err;
}

#define IS_SEEN(bed, text, cookie, now, want_err, want_seen) \
	do { \
		bool seen; \
		CU_ASSERT_EQUAL(verify((bed), (text), (cookie), (now), &seen), (want_err)); \
		CU_ASSERT_EQUAL(seen, (want_seen)); \
	} while (0)

static void begin(void)
{
	cache_close(&cache);
	CU_ASSERT_FATAL(cache_open(&cache));
	token_thread_share(thread, cache);
}

static void signed_tokens(void)
{
	static const struct {
		const char *algorithm;
		bool kept;
	} rows[] = {{"HS256", false}, {"RS256", true}, {"PS256", true}, {"ES256", true}, {"EdDSA", true}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bed bed;
		char memory[TEXT];
		begin();
		setup_ring(&bed, rows[i].algorithm, make_ring(rows[i].algorithm));
		open_issuer(&bed);
		struct str text = sign(&bed, memory, 600);
		IS_SEEN(&bed, text, NULL, NOW, ERR_NONE, false);
		IS_SEEN(&bed, text, NULL, NOW, ERR_NONE, rows[i].kept);
		/* A bearer token is no cookie, and a cookie no other one. */
		IS_SEEN(&bed, text, "a", NOW, ERR_NONE, false);
		IS_SEEN(&bed, text, "b", NOW, ERR_NONE, false);
		/* The same payload with another signature was never seen. */
		memory[text.n - 3] = memory[text.n - 3] == 'A' ? 'B' : 'A';
		IS_SEEN(&bed, text, NULL, NOW, ERR_BAD_SIGNATURE, false);
		IS_SEEN(&bed, text, NULL, NOW, ERR_BAD_SIGNATURE, false);
		issuer_close(&bed.issuer);
	}
}

/* The claims are judged each time. */
static void claims_are_judged(void)
{
	struct bed bed;
	char memory[TEXT];
	begin();
	setup_ring(&bed, "ES256", make_ring("ES256"));
	bed.setup.conf.leeway = 10000;
	open_issuer(&bed);
	struct str text = sign(&bed, memory, 600);
	IS_SEEN(&bed, text, NULL, NOW + 611, ERR_TOKEN_EXPIRED, false);
	IS_SEEN(&bed, text, NULL, NOW + 600, ERR_NONE, false);
	IS_SEEN(&bed, text, NULL, NOW + 609, ERR_NONE, true);
	/* It has gone with its time, and does not come back with the clock. */
	IS_SEEN(&bed, text, NULL, NOW + 610, ERR_TOKEN_EXPIRED, false);
	IS_SEEN(&bed, text, NULL, NOW, ERR_NONE, false);
	IS_SEEN(&bed, text, NULL, NOW, ERR_NONE, true);
	issuer_close(&bed.issuer);
}

/* What another issuer has found good, or the same one as it was opened before, says nothing. */
static void other_issuers(void)
{
	struct bed first, second, other;
	char memory[TEXT];
	const char *ring = make_ring("EdDSA");
	begin();
	setup_ring(&first, "EdDSA", ring);
	setup_ring(&second, "EdDSA", ring);
	setup_ring(&other, "EdDSA", make_ring("EdDSA"));
	open_issuer(&first);
	open_issuer(&second);
	open_issuer(&other);
	struct str text = sign(&first, memory, 600);
	IS_SEEN(&first, text, NULL, NOW, ERR_NONE, false);
	IS_SEEN(&first, text, NULL, NOW, ERR_NONE, true);
	IS_SEEN(&second, text, NULL, NOW, ERR_NONE, false);
	IS_SEEN(&other, text, NULL, NOW, ERR_UNKNOWN_KEY, false);
	issuer_close(&second.issuer);
	open_issuer(&second);
	IS_SEEN(&second, text, NULL, NOW, ERR_NONE, false);
	issuer_close(&first.issuer);
	issuer_close(&second.issuer);
	issuer_close(&other.issuer);
}

static void put_keys(struct key_source *source, const struct bed *bed)
{
	char memory[2048], why_memory[256];
	struct buf jwk = buf_over(memory, sizeof memory), why = buf_over(why_memory, sizeof why_memory);
	struct key_set set;
	key_set_begin(&set);
	for (size_t i = 0; bed && i < bed->issuer->keys.n; i++) {
		CU_ASSERT_TRUE(key_print_jwk(bed->issuer->keys.keys[i], &jwk));
		CU_ASSERT_TRUE(key_set_add_public(&set, ALGORITHM_ALL, buf_str(&jwk), &why));
	}
	CU_ASSERT_TRUE_FATAL(key_source_put(source, &set));
}

/* Fetched keys are replaced as a whole: without its key a token is unknown at once. */
static void fetched_keys(void)
{
	struct bed maker, bed;
	struct key_source *source;
	char memory[TEXT];
	begin();
	setup_ring(&maker, "ES256", make_ring("ES256"));
	open_issuer(&maker);
	struct str text = sign(&maker, memory, 600);
	issuer_setup(&bed.setup);
	issuer_setup_add(&bed.setup, &bed.setup.conf.algorithms, STR("ES256"));
	issuer_setup_add(&bed.setup, &bed.setup.conf.user_id, STR("sub"));
	bed.setup.conf.jwks.value = STR("https://issuer.test/jwks.json");
	open_issuer(&bed);
	CU_ASSERT_FATAL(key_source_open(&source));
	issuer_set_source(bed.issuer, source);
	IS_SEEN(&bed, text, NULL, NOW, ERR_KEYS, false);
	put_keys(source, &maker);
	IS_SEEN(&bed, text, NULL, NOW, ERR_NONE, false);
	IS_SEEN(&bed, text, NULL, NOW, ERR_NONE, true);
	put_keys(source, &maker);
	IS_SEEN(&bed, text, NULL, NOW, ERR_NONE, false);
	put_keys(source, NULL);
	IS_SEEN(&bed, text, NULL, NOW, ERR_UNKNOWN_KEY, false);
	key_source_close(&source);
	issuer_close(&bed.issuer);
	issuer_close(&maker.issuer);
}

/* Of an encrypted token the claims are remembered, for the cookie whose key it has. */
static void encrypted_tokens(void)
{
	struct bed bed;
	char memory[TEXT];
	struct jwe_key *key;
	struct buf text = buf_over(memory, sizeof memory);
	begin();
	issuer_setup(&bed.setup);
	bed.setup.conf.type.value = STR("nextauth");
	bed.setup.conf.leeway = -1;
	issuer_setup_secret(&bed.setup, STR("0e8a1d6f2b7c4e5990a1nextauth-secret-lab=="));
	open_issuer(&bed);
	/* HKDF of that secret, by Python's cryptography. */
	static const unsigned char derived[] = {0x46, 0x14, 0xf2, 0x4e, 0xe0, 0xb2, 0x1d, 0xc7, 0x9b, 0xad, 0xc5,
						0x4d, 0xe3, 0x07, 0x80, 0xc3, 0x25, 0x9c, 0x89, 0x8c, 0x6c, 0xc5,
						0x3a, 0xd8, 0x77, 0xb3, 0x7a, 0xb2, 0x1d, 0x34, 0x2e, 0xca};
	CU_ASSERT_FATAL(jwe_key_open(encryption_find(STR("A256GCM"), ENCRYPTION_ALL),
				     (struct str){(const char *)derived, sizeof derived}, STR_NONE, &key));
	CU_ASSERT_TRUE(jwe_encrypt(key, thread, arena, STR(" {\"sub\":\"alice\",\"exp\":1767226200} "), &text));
	IS_SEEN(&bed, buf_str(&text), "next-auth.session-token", NOW, ERR_NONE, false);
	IS_SEEN(&bed, buf_str(&text), "next-auth.session-token", NOW, ERR_NONE, true);
	IS_SEEN(&bed, buf_str(&text), "next-auth.session-token", NOW, ERR_NONE, true);
	IS_SEEN(&bed, buf_str(&text), "__Secure-next-auth.session-token", NOW, ERR_NONE, false);
	jwe_key_close(&key);
	issuer_close(&bed.issuer);
}

/* Without a cache, and without a thread: the same verdicts. */
static void without(void)
{
	struct bed bed;
	char memory[TEXT];
	token_thread_share(thread, NULL);
	setup_ring(&bed, "ES256", make_ring("ES256"));
	open_issuer(&bed);
	struct str text = sign(&bed, memory, 600);
	IS_SEEN(&bed, text, NULL, NOW, ERR_NONE, false);
	IS_SEEN(&bed, text, NULL, NOW, ERR_NONE, false);
	struct token token;
	struct claims claims;
	CU_ASSERT_EQUAL(token_parse(arena, text, &token), ERR_NONE);
	CU_ASSERT_EQUAL(issuer_verify(bed.issuer, &(struct verification){NULL, arena, NOW}, &token, &claims), ERR_NONE);
	issuer_close(&bed.issuer);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"signed tokens", signed_tokens}, {"claims are judged", claims_are_judged},
		{"other issuers", other_issuers}, {"fetched keys", fetched_keys},
		{"encrypted tokens", encrypted_tokens}, {"without", without}, {0},
	};
	if (!token_start() || !arena_open(ARENA, &arena) || !token_thread_open(0, &thread))
		return 1;
	int status = unit_main("issuer_seen", cases);
	token_thread_close(&thread);
	cache_close(&cache);
	arena_close(&arena);
	return status;
}
