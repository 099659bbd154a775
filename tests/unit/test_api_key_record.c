/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of API keys and of their records: what is made is taken, and nothing else. */
#include "policy/api_key.h"

#include <string.h>

#include "unit.h"

#define ID "0123456789abcdEF"
#define SECRET "0123456789012345678901234567890123456789abc"
/* By Python: zlib.crc32, then six digits of 62. */
#define GOOD "fak_" ID "_" SECRET "0LiU8V"
#define HASH "\"sha256\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""
#define HEAD "{\"api_key_id\":\"" ID "\"," HASH ",\"sub\":\"alice\",\"iat\":1"

static void takes_whole_keys(void)
{
	static const struct {
		const char *prefix, *text;
		bool good;
	} rows[] = {
		{"fak", GOOD, true},
		{"fa", GOOD, false},
		{"FAK", GOOD, false},
		{"fakx", GOOD, false},
		{"fak", GOOD "0", false},
		{"fak", "fak_" ID "_" SECRET "0LiU8", false},
		{"fak", "fak_" ID "_" SECRET "0LiU8A", false},
		{"fak", "fak_" ID "_" SECRET, false},
		{"fak", "fak-" ID "_" SECRET "0LiU8V", false},
		{"fak", "fak_" ID "-" SECRET "0LiU8V", false},
		{"fak", "fak_0123456789abcdFE_" SECRET "0LiU8V", false},
		{"fak", "fak_0123456789abcd-F_" SECRET "0LiU8V", false},
		{"fak", "fak_", false},
		{"fak", "fak", false},
		{"fak", "", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct api_key key = {STR_NONE, STR_NONE};
		bool good = api_key_parse(str_of(rows[i].prefix), str_of(rows[i].text), &key);
		UNIT_ROW(good == rows[i].good, rows[i].text);
		UNIT_ROW(good == (key.id.p != NULL), rows[i].text);
		if (good) {
			UNIT_STR_EQ(key.id, STR(ID), "id");
			UNIT_STR_EQ(key.secret, STR(SECRET), "secret");
		}
	}
	CU_ASSERT(api_key_is(STR("fak"), STR("fak_")));
	CU_ASSERT_FALSE(api_key_is(STR("fak"), STR("fak")));
	CU_ASSERT_FALSE(api_key_is(STR("fak"), STR("fakx_")));
	CU_ASSERT(api_key_prefix_valid(STR("sixteen123456789")));
	CU_ASSERT_FALSE(api_key_prefix_valid(STR("seventeen12345678")));
	CU_ASSERT_FALSE(api_key_prefix_valid(STR("")));
	CU_ASSERT_FALSE(api_key_prefix_valid(STR("a_b")));
}

/* Any other character in any place is noticed. */
static void notices_each_character(void)
{
	char text[sizeof GOOD];
	struct api_key key;
	unsigned taken = 0;
	for (size_t i = 0; i < sizeof GOOD - 1; i++) {
		for (int c = 0; c < 256; c++) {
			memcpy(text, GOOD, sizeof text);
			text[i] = (char)c;
			taken += text[i] != GOOD[i] &&
				 api_key_parse(STR("fak"), (struct str){text, sizeof GOOD - 1}, &key);
		}
	}
	CU_ASSERT_EQUAL(taken, 0);
}

static void makes_random_keys(void)
{
	enum { MADE = 2000 };
	unsigned seen[256] = {0}, least = UINT32_MAX, most = 0, kinds = 0;
	char first[API_KEY_MAX];
	struct api_key a, b, again;
	struct buf one = buf_over(first, sizeof first);
	api_key_make(STR("sixteen123456789"), &one, &a);
	CU_ASSERT(!one.full && one.n == API_KEY_MAX);
	for (unsigned i = 0; i < MADE; i++) {
		char memory[API_KEY_MAX];
		struct buf text = buf_over(memory, sizeof memory);
		api_key_make(STR("fak"), &text, &b);
		CU_ASSERT(api_key_parse(STR("fak"), buf_str(&text), &again));
		CU_ASSERT(again.id.p == b.id.p && again.secret.p == b.secret.p);
		UNIT_ROW(!str_eq(a.id, b.id), "a new id");
		for (size_t k = 0; k < API_KEY_SECRET_SIZE; k++)
			seen[(unsigned char)b.secret.p[k]]++;
	}
	for (size_t c = 0; c < 256; c++) {
		kinds += seen[c] > 0;
		least = seen[c] > 0 && seen[c] < least ? seen[c] : least;
		most = seen[c] > most ? seen[c] : most;
	}
	/* 86000 digits of 62 kinds: 1387 of each, with a deviation of 37; 8 of these are once in 10^13. */
	CU_ASSERT_EQUAL(kinds, 62);
	CU_ASSERT(least > 1387 - 8 * 37 && most < 1387 + 8 * 37);
}

static void prints_and_reads_records(void)
{
	struct arena *arena;
	char memory[STORE_RECORD_MAX], again[STORE_RECORD_MAX];
	struct buf text = buf_over(memory, sizeof memory), twice = buf_over(again, sizeof again);
	struct api_key_record r = {.id = STR(ID), .owner = STR("a\"b<\xc3\xbc>"), .name = STR("Nightly \\ backup"),
				   .scope = STR("read write"), .iat = 17, .exp = INT64_MAX, .has_rate = true,
				   .rate_text = STR("5/m")}, read;
	CU_ASSERT(api_key_hash(STR(SECRET), r.hash));
	CU_ASSERT(arena_open(64 << 10, &arena));
	api_key_record_print(&r, &text);
	CU_ASSERT_FALSE(text.full);
	CU_ASSERT_PTR_NULL(memmem(memory, text.n, SECRET, sizeof SECRET - 1));
	CU_ASSERT_FATAL(api_key_record_parse(arena, buf_str(&text), &read));
	UNIT_STR_EQ(read.id, r.id, "id");
	UNIT_STR_EQ(read.owner, r.owner, "owner");
	UNIT_STR_EQ(read.name, r.name, "name");
	UNIT_STR_EQ(read.scope, r.scope, "scope");
	CU_ASSERT(memcmp(read.hash, r.hash, sizeof r.hash) == 0 && read.iat == 17 && read.exp == INT64_MAX);
	CU_ASSERT(read.has_rate && read.rate.most == 5 && read.rate.window_ms == 60000);
	api_key_record_print(&read, &twice);
	UNIT_STR_EQ(buf_str(&twice), buf_str(&text), "printed again");
	arena_close(&arena);
}

static void takes_records(void)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{HEAD "}", true},
		{HEAD ",\"exp\":0,\"rate\":\"none\",\"scope\":\"a\",\"client_name\":\"b\"}", true},
		{HEAD ",\"something\":[1,{\"new\":null}]}", true},
		{HEAD ",\"exp\":-1}", false},
		{HEAD ",\"exp\":\"1\"}", false},
		{HEAD ",\"exp\":1.5}", false},
		{HEAD ",\"exp\":null}", false},
		{HEAD ",\"rate\":\"5\"}", false},
		{HEAD ",\"rate\":5}", false},
		{HEAD ",\"scope\":\"\"}", false},
		{HEAD ",\"scope\":\"a  b\"}", false},
		{HEAD ",\"scope\":[\"a\"]}", false},
		{HEAD ",\"client_name\":\"\"}", false},
		{HEAD ",\"client_name\":\"a\\u0007\"}", false},
		{HEAD ",\"iat\":2}", false},
		{HEAD "", false},
		{HEAD "} x", false},
		{"[]", false},
		{"{}", false},
		{"", false},
		{"{\"api_key_id\":\"" ID "\"," HASH ",\"sub\":\"alice\"}", false},
		{"{\"api_key_id\":\"" ID "\"," HASH ",\"iat\":1}", false},
		{"{\"api_key_id\":\"" ID "\"," HASH ",\"sub\":\"\",\"iat\":1}", false},
		{"{\"api_key_id\":\"" ID "\"," HASH ",\"sub\":\" a\",\"iat\":1}", false},
		{"{\"api_key_id\":\"" ID "\"," HASH ",\"sub\":7,\"iat\":1}", false},
		{"{\"api_key_id\":\"" ID "\",\"sub\":\"alice\",\"iat\":1}", false},
		{"{\"api_key_id\":\"" ID "\",\"sha256\":\"AAAA\",\"sub\":\"alice\",\"iat\":1}", false},
		{"{\"api_key_id\":\"" ID "\",\"sha256\":\"\",\"sub\":\"alice\",\"iat\":1}", false},
		{"{\"api_key_id\":\"" ID "0\"," HASH ",\"sub\":\"alice\",\"iat\":1}", false},
		{"{\"api_key_id\":\"0123456789abcd_F\"," HASH ",\"sub\":\"alice\",\"iat\":1}", false},
		{"{" HASH ",\"sub\":\"alice\",\"iat\":1}", false},
	};
	struct arena *arena;
	static char blanks[STORE_RECORD_MAX + 1];
	struct api_key_record record;
	CU_ASSERT(arena_open(64 << 10, &arena));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		UNIT_ROW(api_key_record_parse(arena, str_of(rows[i].text), &record) == rows[i].good, rows[i].text);
		arena_reset(arena);
	}
	CU_ASSERT(api_key_record_parse(arena, STR(HEAD "}"), &record));
	CU_ASSERT(record.exp == TIME_ABSENT && !record.has_rate && !record.name.p && !record.scope.p);
	memset(blanks, ' ', sizeof blanks);
	memcpy(blanks, HEAD "}", sizeof HEAD);
	CU_ASSERT(api_key_record_parse(arena, (struct str){blanks, STORE_RECORD_MAX}, &record));
	CU_ASSERT_FALSE(api_key_record_parse(arena, (struct str){blanks, STORE_RECORD_MAX + 1}, &record));
	arena_close(&arena);
}

static void seals_records(void)
{
	static const struct str one[] = {{"0123456789abcdef0123456789abcdef", 32}};
	static const struct str two[] = {{"another-secret-of-thirty-two-byte", 33},
					 {"0123456789abcdef0123456789abcdef", 32}};
	const struct api_key_settings none = {.n_secrets = 0}, old = {.secrets = one, .n_secrets = 1},
				      both = {.secrets = two, .n_secrets = 2}, new = {.secrets = two, .n_secrets = 1};
	char memory[STORE_RECORD_MAX], small[sizeof HEAD + 10];
	struct buf text = buf_over(memory, sizeof memory), full = buf_over(small, sizeof small);
	struct arena *arena;
	struct api_key_record record;
	CU_ASSERT(arena_open(64 << 10, &arena));
	buf_add(&text, STR(HEAD "}"));
	CU_ASSERT(api_key_seal(NULL, &none, &text));
	UNIT_STR_EQ(buf_str(&text), STR(HEAD "}"), "no secret, no seal");
	CU_ASSERT(api_key_is_sealed(NULL, &none, buf_str(&text)));
	CU_ASSERT_FALSE(api_key_is_sealed(NULL, &old, buf_str(&text)));
	CU_ASSERT(api_key_seal(NULL, &old, &text));
	CU_ASSERT(api_key_record_parse(arena, buf_str(&text), &record));
	CU_ASSERT(api_key_is_sealed(NULL, &none, buf_str(&text)));
	CU_ASSERT(api_key_is_sealed(NULL, &old, buf_str(&text)));
	CU_ASSERT(api_key_is_sealed(NULL, &both, buf_str(&text)));
	CU_ASSERT_FALSE(api_key_is_sealed(NULL, &new, buf_str(&text)));
	for (size_t i = 0; i < text.n; i++) {
		text.p[i] ^= 1;
		CU_ASSERT_FALSE(api_key_is_sealed(NULL, &both, buf_str(&text)));
		text.p[i] ^= 1;
		CU_ASSERT_FALSE(api_key_is_sealed(NULL, &both, (struct str){text.p, i}));
	}
	buf_add(&full, STR(HEAD "}"));
	CU_ASSERT_FALSE(api_key_seal(NULL, &old, &full));
	arena_close(&arena);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"takes whole keys", takes_whole_keys},
		{"notices each character", notices_each_character},
		{"makes random keys", makes_random_keys},
		{"prints and reads records", prints_and_reads_records},
		{"takes records", takes_records},
		{"seals records", seals_records},
		{NULL, NULL},
	};
	return unit_main("api_key_record", cases);
}
