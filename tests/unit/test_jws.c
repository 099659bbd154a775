/* SPDX-License-Identifier: Apache-2.0 */
/* The compact form; tokens.json (test_issuer) has many more of its shapes. */
#include "token/jws.h"

#include "base/codec.h"
#include "unit.h"

enum { ARENA = 1 << 18 };

static struct arena *arena;
static struct key_set keys;
static struct algorithm_set hs256;

/* RFC 7515 appendix A.1 */
#define A1_HEADER "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
#define A1_PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define A1_SIGNATURE "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define A1_KEY "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"

static bool open_key(const char *name, const char *base64url)
{
	unsigned char bytes[128];
	size_t n;
	struct key *key;
	const struct algorithm *algorithm = algorithm_find(str_of(name), ALGORITHM_ALL);
	return base64url_decode(str_of(base64url), bytes, &n) &&
	       key_open_hmac(algorithm, (struct str){(char *)bytes, n}, STR_NONE, &key) && key_set_add(&keys, key);
}

static void rfc7515(void)
{
	struct token token;
	struct str text = STR(A1_HEADER "." A1_PAYLOAD "." A1_SIGNATURE), name;
	CU_ASSERT_EQUAL_FATAL(jws_parse_claims(arena, text, &token), ERR_NONE);
	UNIT_STR_EQ(token.text, text, "text");
	UNIT_STR_EQ(token.canonical, STR(A1_HEADER "." A1_PAYLOAD), "signing input");
	UNIT_STR_EQ(token.payload_bytes,
		    STR("{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"),
		    "payload");
	CU_ASSERT_EQUAL(token.signature.n, 32);
	CU_ASSERT_TRUE(json_string(json_member(token.header, STR("alg")), &name));
	UNIT_STR_EQ(name, STR("HS256"), "alg");
	CU_ASSERT_PTR_NOT_NULL(json_member(token.payload, STR("http://example.com/is_root")));
	CU_ASSERT_EQUAL(jws_verify(&keys, NULL, hs256, &token), ERR_NONE);
	CU_ASSERT_EQUAL(jws_verify(&keys, NULL, (struct algorithm_set){0}, &token), ERR_BAD_ALGORITHM);
	CU_ASSERT_EQUAL(jws_verify(&keys, NULL, ALGORITHM_ALL, &token), ERR_NONE);
}

/* Every single changed character is refused: what the text says and what is signed are one. */
static void each_character(void)
{
	char text[] = A1_HEADER "." A1_PAYLOAD "." A1_SIGNATURE;
	static const char others[] = "A9-_.=+/ \n";
	for (size_t i = 0; i + 1 < sizeof text; i++) {
		char was = text[i];
		for (const char *other = others; *other; other++) {
			if (*other == was)
				continue;
			text[i] = *other;
			struct token token;
			enum err err = jws_parse_claims(arena, str_of(text), &token);
			if (err == ERR_NONE)
				err = jws_verify(&keys, NULL, hs256, &token);
			UNIT_ROW(err == ERR_TOKEN_MALFORMED || err == ERR_BAD_SIGNATURE || err == ERR_BAD_ALGORITHM,
				 text);
			arena_reset(arena);
		}
		text[i] = was;
	}
}

/* Any payload may be signed; a token's is an object. */
static void payloads(void)
{
	static const struct {
		const char *text;
		bool token;
	} rows[] = {{"{}", true}, {"{\"a\":1}", true}, {"", false}, {"foo", false}, {"[1]", false}, {"\"x\"", false}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char memory[512];
		struct buf text = buf_over(memory, sizeof memory);
		struct token token;
		buf_add(&text, STR("prefix "));
		CU_ASSERT_TRUE(jws_sign(&keys, NULL, str_of(rows[i].text), &text));
		struct str signed_text = str_skip(buf_str(&text), 7);
		CU_ASSERT_EQUAL_FATAL(jws_parse(arena, signed_text, &token), ERR_NONE);
		UNIT_STR_EQ(token.payload_bytes, str_of(rows[i].text), "payload");
		CU_ASSERT_PTR_NULL(token.payload);
		CU_ASSERT_EQUAL(jws_verify(&keys, NULL, hs256, &token), ERR_NONE);
		UNIT_ROW((jws_parse_claims(arena, signed_text, &token) == ERR_NONE) == rows[i].token, rows[i].text);
		arena_reset(arena);
	}
}

static void signing(void)
{
	char memory[512];
	struct buf text = buf_over(memory, sizeof memory);
	CU_ASSERT_TRUE(jws_sign(&keys, NULL, STR("{}"), &text));
	/* {"alg":"HS256","typ":"JWT"} */
	CU_ASSERT_TRUE(str_starts(buf_str(&text), STR("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.")));
	size_t size = text.n;
	for (size_t room = 0; room <= size; room++) {
		text = buf_over(memory, room);
		CU_ASSERT(jws_sign(&keys, NULL, STR("{}"), &text) == (room == size));
	}
	struct key_set none = {.n = 0};
	text = buf_over(memory, sizeof memory);
	CU_ASSERT_FALSE(jws_sign(&none, NULL, STR("{}"), &text));
}

/* At the limit a token is read, beyond it isn't looked at; what is no token has no such limit. */
static void size_limit(void)
{
	static char text[TOKEN_MAX + 8];
	static const size_t sizes[] = {TOKEN_MAX - 4, TOKEN_MAX, TOKEN_MAX + 1, TOKEN_MAX + 4};
	struct str header = STR("eyJhbGciOiJIUzI1NiJ9.");
	for (size_t i = 0; i < 4; i++) {
		struct token token;
		struct buf b = buf_over(text, sizes[i]);
		/* {, many blanks, } */
		buf_add(&b, header);
		buf_add(&b, STR("eyAg"));
		while (b.n + 50 < sizes[i])
			buf_add(&b, STR("ICAg"));
		buf_add(&b, STR("ICB9."));
		while (b.n < sizes[i])
			buf_char(&b, 'A');
		CU_ASSERT_EQUAL(jws_parse(arena, buf_str(&b), &token), ERR_NONE);
		arena_reset(arena);
		CU_ASSERT_EQUAL(token_parse(arena, buf_str(&b), &token),
				sizes[i] <= TOKEN_MAX ? ERR_NONE : ERR_TOKEN_MALFORMED);
		arena_reset(arena);
	}
}

/* Whatever the size of the arena: the token or an error. */
static void small_arenas(void)
{
	bool was_good = false;
	for (size_t size = 0; size < 4096; size += 64) {
		struct arena *small;
		struct token token;
		CU_ASSERT_FATAL(arena_open(size, &small));
		enum err err = jws_parse_claims(small, STR(A1_HEADER "." A1_PAYLOAD "." A1_SIGNATURE), &token);
		CU_ASSERT(err == ERR_NONE || (err == ERR_TOKEN_MALFORMED && !was_good));
		was_good = err == ERR_NONE;
		CU_ASSERT(err || jws_verify(&keys, NULL, hs256, &token) == ERR_NONE);
		arena_close(&small);
	}
	CU_ASSERT_TRUE(was_good);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"RFC 7515 A.1", rfc7515}, {"each character", each_character}, {"payloads", payloads},
		{"signing", signing},	   {"size limit", size_limit},	       {"small arenas", small_arenas},
		{0},
	};
	algorithm_add(&hs256, algorithm_find(STR("HS256"), ALGORITHM_ALL));
	if (!token_start() || !arena_open(ARENA, &arena) || !open_key("HS256", A1_KEY))
		return 1;
	int status = unit_main("jws", cases);
	key_set_close(&keys);
	arena_close(&arena);
	return status;
}
