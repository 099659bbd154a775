/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers are Python's hashlib and hmac. */
#include "token/digest.h"

#include <string.h>

#include "unit.h"

static struct token_thread *thread;

static void check_hex(const unsigned char *bytes, const char *want, const char *what)
{
	char text[2 * DIGEST_SIZE + 1];
	struct buf b = buf_over(text, sizeof text);
	buf_hex(&b, bytes, DIGEST_SIZE);
	UNIT_STR_EQ(buf_str(&b), str_of(want), what);
}

static void parts(void)
{
	static const struct {
		struct str parts[2];
		size_t n;
		const char *want;
	} rows[] = {
		{{{NULL, 0}, {NULL, 0}}, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{{{NULL, 0}, {NULL, 0}}, 1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
		{{{"a", 1}, {"bc", 2}}, 2, "aa795aa4bbb6117911ef062e271bcb05ccfd58ea439da7d46a44e3a3fcefa790"},
		{{{"ab", 2}, {"c", 1}}, 2, "629c2f14f654f026086f2aefe1855533d0897f49df86a19073be17b237361b09"},
		{{{"https://issuer.test", 19}, {"jti-1", 5}},
		 2,
		 "e918a83739de45d030f05375eea1f65dbf179646bc0df9d0301596cdc2a10e1c"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		unsigned char out[DIGEST_SIZE];
		CU_ASSERT_TRUE(digest_parts(thread, rows[i].parts, rows[i].n, out));
		check_hex(out, rows[i].want, "parts");
	}
}

/* RFC 4231 section 4.7 */
static void mac(void)
{
	char key[131];
	memset(key, 0xaa, sizeof key);
	unsigned char out[DIGEST_SIZE];
	struct str text = STR("Test Using Larger Than Block-Size Key - Hash Key First");
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_TRUE(digest_mac(thread, (struct str){key, sizeof key}, text, out));
		check_hex(out, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", "RFC 4231");
		/* Another key in between must leave nothing behind. */
		CU_ASSERT_TRUE(digest_mac(thread, (struct str){key, 32}, text, out));
	}
}

static void mac_needs_a_key(void)
{
	unsigned char out[DIGEST_SIZE] = {1, 2, 3};
	CU_ASSERT_FALSE(digest_mac(thread, STR_NONE, STR("x"), out));
	CU_ASSERT_FALSE(digest_mac(thread, STR(""), STR("x"), out));
	CU_ASSERT_FALSE(digest_mac(thread, STR("0123456789abcdef0123456789abcde"), STR("x"), out));
	CU_ASSERT_EQUAL(out[0], 1);
	CU_ASSERT_TRUE(digest_mac(thread, STR("0123456789abcdef0123456789abcdef"), STR_NONE, out));
}

static void threads(void)
{
	struct token_thread *other;
	CU_ASSERT_FATAL(token_thread_open(7, &other));
	CU_ASSERT_EQUAL(token_thread_slot(other), 7);
	token_thread_close(&other);
	CU_ASSERT_PTR_NULL(other);
	token_thread_close(&other);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"parts", parts}, {"mac", mac}, {"a mac needs a key", mac_needs_a_key}, {"threads", threads}, {0},
	};
	if (!token_start() || !token_thread_open(0, &thread))
		return 1;
	int status = unit_main("digest", cases);
	token_thread_close(&thread);
	return status;
}
