/* SPDX-License-Identifier: Apache-2.0 */
/* Key rings as text: read, changed, printed. */
#include "token/ring.h"

#include <stdio.h>

#include "unit.h"

enum { ARENA = 1 << 20, LONG = 128 << 10 };

#define OCT(kid) "{\"kty\":\"oct\",\"kid\":\"" kid "\",\"alg\":\"HS256\",\"k\":\"AAAA\"}"
#define RING(keys) "{\"keys\":[" keys "]}"

static struct arena *arena;

static bool read_text(const char *text, struct ring *ring, char why[512])
{
	struct buf b = buf_over(why, 511);
	bool good = ring_read(arena, str_of(text), ring, &b);
	buf_z(&b);
	return good;
}

static void test_refused(void)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"x", "the ring is no JWK Set"},
		{"[]", "the ring is no JWK Set"},
		{"{}", "the ring is no JWK Set"},
		{"{\"keys\":{}}", "the ring is no JWK Set"},
		{RING(OCT("a")) "x", "the ring is no JWK Set"},
		{"{\"keys\":[],\"keys\":[]}", "the ring is no JWK Set"},
		{RING("1"), "key 1 of the ring is no JSON object"},
		{RING(OCT("a") ",[]"), "key 2 of the ring is no JSON object"},
		{RING("{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"AAAA\"}"), "key 1 of the ring has no kid"},
		{RING("{\"kty\":\"oct\",\"kid\":\"\",\"alg\":\"HS256\"}"), "key 1 of the ring has no kid"},
		{RING("{\"kty\":\"oct\",\"kid\":7,\"alg\":\"HS256\"}"), "key 1 of the ring has no kid"},
		{RING("{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"AAAA\"}"), "key a of the ring has no alg"},
		{RING(OCT("a") "," OCT("b") "," OCT("a")), "two keys of the ring have the kid a"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ring ring;
		char why[512];
		UNIT_ROW(!read_text(rows[i].text, &ring, why), rows[i].text);
		UNIT_ROW(str_starts(str_of(why), str_of(rows[i].why)), why);
	}
}

static void test_too_many(void)
{
	static char text[LONG];
	struct buf b = buf_over(text, sizeof text - 1);
	struct ring ring;
	char why[512];
	buf_add(&b, STR("{\"keys\":["));
	for (int i = 0; i <= RING_KEYS_MAX; i++)
		buf_printf(&b, "%s{\"kty\":\"oct\",\"kid\":\"%d\",\"alg\":\"HS256\"}", i ? "," : "", i);
	buf_add(&b, STR("]}"));
	CU_ASSERT_FALSE(read_text(buf_z(&b), &ring, why));
	CU_ASSERT(str_starts(str_of(why), STR("the ring has more than 32 keys")));
}

static void test_described(void)
{
	static const struct {
		const char *jwk, *alg;
		unsigned bits;
		int64_t added;
	} rows[] = {
		{"{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"AAAA\"}", "HS256", 24, RING_TIME_ABSENT},
		{"{\"kty\":\"RSA\",\"alg\":\"PS256\",\"n\":\"gAA\",\"iat\":12}", "PS256", 16, 12},
		{"{\"kty\":\"RSA\",\"alg\":\"PS256\",\"n\":\"AAH_\",\"iat\":12}", "PS256", 9, 12},
		{"{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"AAAA\"}", "RS256", 0, RING_TIME_ABSENT},
		{"{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"=\"}", "RS256", 0, RING_TIME_ABSENT},
		{"{\"kty\":\"RSA\",\"alg\":\"RS256\"}", "RS256", 0, RING_TIME_ABSENT},
		{"{\"kty\":\"EC\",\"alg\":\"ES256\",\"crv\":\"P-256\"}", "ES256", 256, RING_TIME_ABSENT},
		{"{\"kty\":\"EC\",\"alg\":\"ES512\",\"crv\":\"P-521\",\"iat\":\"1\"}", "ES512", 521, RING_TIME_ABSENT},
		{"{\"kty\":\"OKP\",\"alg\":\"EdDSA\",\"crv\":\"Ed25519\"}", "EdDSA", 256, RING_TIME_ABSENT},
		{"{\"kty\":\"OKP\",\"alg\":\"EdDSA\",\"crv\":\"X25519\"}", "EdDSA", 0, RING_TIME_ABSENT},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ring_key key;
		UNIT_ROW(ring_key_read(arena, str_of(rows[i].jwk), &key), rows[i].jwk);
		UNIT_ROW(str_eq(key.alg, str_of(rows[i].alg)), rows[i].jwk);
		UNIT_ROW(key.bits == rows[i].bits, rows[i].jwk);
		UNIT_ROW(key.added == rows[i].added, rows[i].jwk);
		UNIT_ROW(!key.kid.p, rows[i].jwk);
	}
	struct ring_key key;
	CU_ASSERT_FALSE(ring_key_read(arena, STR("[]"), &key));
	CU_ASSERT_FALSE(ring_key_read(arena, STR("{"), &key));
}

/* The kids in their order. */
static void expect(const struct ring *ring, const char *want)
{
	char text[128];
	struct buf b = buf_over(text, sizeof text);
	for (size_t i = 0; i < ring->n; i++)
		buf_add(&b, ring->keys[i].kid);
	UNIT_STR_EQ(buf_str(&b), str_of(want), "order");
}

static void test_changed(void)
{
	struct ring ring, again;
	struct ring_key key;
	char why[512], text[4096];
	struct buf complaint = buf_over(why, sizeof why), printed = buf_over(text, sizeof text);
	CU_ASSERT_FATAL(read_text("", &ring, why));
	expect(&ring, "");
	CU_ASSERT_FATAL(read_text(" {\"keys\" : [" OCT("a") " , " OCT("b") "," OCT("c") "] , \"x\":1}", &ring, why));
	expect(&ring, "abc");
	CU_ASSERT_EQUAL(ring_find(&ring, STR("b")), 1);
	CU_ASSERT_EQUAL(ring_find(&ring, STR("B")), 3);
	ring_promote(&ring, 2);
	expect(&ring, "cab");
	ring_promote(&ring, 0);
	expect(&ring, "cab");
	ring_retire(&ring, 1);
	expect(&ring, "cb");
	CU_ASSERT_FATAL(ring_key_read(arena, STR(OCT("d")), &key));
	key.added = 77;
	CU_ASSERT(ring_add(&ring, arena, 2, &key, &complaint));
	expect(&ring, "cbd");
	CU_ASSERT_FALSE(ring_add(&ring, arena, 0, &key, &complaint));
	UNIT_STR_EQ(buf_str(&complaint), STR("the ring has a key with the kid d already"), "twice");
	CU_ASSERT_FATAL(ring_key_read(arena, STR(OCT("e")), &key));
	CU_ASSERT(ring_add(&ring, arena, 0, &key, &complaint));
	expect(&ring, "ecbd");
	ring_retire(&ring, 3);
	expect(&ring, "ecb");
	ring_print(&ring, &printed);
	CU_ASSERT_FATAL(read_text(buf_z(&printed), &again, why));
	expect(&again, "ecb");
	UNIT_STR_EQ(again.keys[2].jwk, STR(OCT("b")), "as it was written");
}

static void test_added_is_kept(void)
{
	struct ring ring = {.n = 0}, again;
	struct ring_key key;
	char why[512], text[4096];
	struct buf complaint = buf_over(why, sizeof why), printed = buf_over(text, sizeof text);
	CU_ASSERT_FATAL(ring_key_read(arena, STR(OCT("a")), &key));
	key.added = 1700000000;
	CU_ASSERT_FATAL(ring_add(&ring, arena, 0, &key, &complaint));
	ring_print(&ring, &printed);
	CU_ASSERT_FATAL(read_text(buf_z(&printed), &again, why));
	CU_ASSERT_EQUAL(again.keys[0].added, 1700000000);
	CU_ASSERT_EQUAL(again.keys[0].bits, 24);
}

static void test_full(void)
{
	struct ring ring = {.n = 0};
	char why[512], jwk[128];
	struct buf complaint = buf_over(why, sizeof why);
	for (int i = 0; i <= RING_KEYS_MAX; i++) {
		struct ring_key key;
		snprintf(jwk, sizeof jwk, "{\"kty\":\"oct\",\"alg\":\"HS256\",\"kid\":\"%d\"}", i);
		CU_ASSERT_FATAL(ring_key_read(arena, arena_copy(arena, str_of(jwk)), &key));
		CU_ASSERT_EQUAL(ring_add(&ring, arena, ring.n, &key, &complaint), i < RING_KEYS_MAX);
	}
	CU_ASSERT_EQUAL(ring.n, RING_KEYS_MAX);
	UNIT_STR_EQ(buf_str(&complaint), STR("the ring has 32 keys already: retire some first"), "full");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"what is no ring", test_refused},
		{"too many keys", test_too_many},
		{"what a key says of itself", test_described},
		{"add, promote, retire", test_changed},
		{"when a key was added", test_added_is_kept},
		{"a full ring", test_full},
		{NULL, NULL},
	};
	if (!arena_open(ARENA, &arena))
		return 1;
	int status = unit_main("ring", cases);
	arena_close(&arena);
	return status;
}
