/* SPDX-License-Identifier: Apache-2.0 */
/* Derived keys and thumbprints; vectors-jwe.json (test_issuer) has tokens that were made with such keys. */
#include "token/derive.h"

#include <string.h>

#include "unit.h"

static char bytes[256];

/* n bytes from first up. */
static struct str counted(unsigned char first, size_t n)
{
	static char memory[3][128];
	static unsigned turn;
	char *out = memory[turn++ % 3];
	for (size_t i = 0; i < n; i++)
		out[i] = (char)(first + i);
	return (struct str){out, n};
}

static struct str repeated(char c, size_t n)
{
	memset(bytes, c, sizeof bytes);
	return (struct str){bytes, n};
}

static void check_hkdf(struct str secret, struct str salt, struct str info, struct str want)
{
	unsigned char out[128];
	char memory[256];
	struct buf hex = buf_over(memory, sizeof memory);
	CU_ASSERT_TRUE(derive_hkdf(secret, salt, info, out, want.n / 2));
	buf_hex(&hex, out, want.n / 2);
	UNIT_STR_EQ(buf_str(&hex), want, "derived");
}

/* Appendix A.1 to A.3: those of SHA-256. */
static void rfc5869(void)
{
	static const char third[] = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879e"
				    "c3454e5f3c738d2d9d201395faa4b61a96c8";
	static const char zeros[32];
	check_hkdf(repeated(0x0b, 22), counted(0, 13), counted(0xf0, 10),
		   STR("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"));
	check_hkdf(counted(0, 80), counted(0x60, 80), counted(0xb0, 80),
		   STR("b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
		       "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
		       "cc30c58179ec3e87c14c01d5c1f3434f1d87"));
	check_hkdf(repeated(0x0b, 22), STR_NONE, STR_NONE, STR(third));
	/* No salt is a salt of zeros (section 2.2). */
	check_hkdf(repeated(0x0b, 22), (struct str){zeros, sizeof zeros}, STR(""), STR(third));
}

/* Of every length: the beginning of the longest, and no byte beyond. */
static void lengths(void)
{
	static unsigned char longest[255 * 32], out[255 * 32 + 1];
	struct str secret = repeated('s', 40);
	CU_ASSERT_TRUE(derive_hkdf(secret, STR("salt"), STR("info"), longest, sizeof longest));
	for (size_t n = 0; n <= 100; n++) {
		memset(out, 0xee, sizeof out);
		CU_ASSERT_TRUE(derive_hkdf(secret, STR("salt"), STR("info"), out, n));
		CU_ASSERT(memcmp(out, longest, n) == 0 && out[n] == 0xee);
	}
	CU_ASSERT_FALSE(derive_hkdf(secret, STR("salt"), STR("info"), out, sizeof out));
	CU_ASSERT_FALSE(derive_hkdf(STR_NONE, STR("salt"), STR("info"), out, 32));
	CU_ASSERT_FALSE(derive_hkdf(STR(""), STR("salt"), STR("info"), out, 32));
}

/* Secret, salt and info are each part of the key, and not one text. */
static void all_count(void)
{
	static const char *const rows[][3] = {
		{"secret", "salt", "info"}, {"secre", "tsalt", "info"}, {"secret", "sal", "tinfo"},
		{"Secret", "salt", "info"}, {"secret", "Salt", "info"}, {"secret", "salt", "Info"},
		{"secret", "", "info"},	    {"secret", "salt", ""},
	};
	enum { ROWS = sizeof rows / sizeof rows[0] };
	unsigned char out[ROWS][32];
	for (size_t i = 0; i < ROWS; i++) {
		CU_ASSERT_TRUE(derive_hkdf(str_of(rows[i][0]), str_of(rows[i][1]), str_of(rows[i][2]), out[i], 32));
		for (size_t j = 0; j < i; j++)
			CU_ASSERT(memcmp(out[i], out[j], 32) != 0);
	}
}

/* By jwcrypto: JWK(kty="oct", k=…).thumbprint(hash). */
static void thumbprints(void)
{
	char memory[128];
	struct buf out = buf_over(memory, sizeof memory);
	derive_oct_thumbprint(DIGEST_SHA256, counted(0, 32), &out);
	UNIT_STR_EQ(buf_str(&out), STR("WqjPPRvAP8oYbAqCwMErhzTg-Quaz-vLx_cef07yhOs"), "SHA-256 of 32 bytes");
	out = buf_over(memory, sizeof memory);
	derive_oct_thumbprint(DIGEST_SHA256, counted(0, 64), &out);
	UNIT_STR_EQ(buf_str(&out), STR("C78xEqPp1b_LswE8KyDQ_0WikUVN-jmDtHmYDwUNRpw"), "SHA-256 of 64 bytes");
	out = buf_over(memory, sizeof memory);
	buf_char(&out, '.');
	derive_oct_thumbprint(DIGEST_SHA512, counted(0, 64), &out);
	UNIT_STR_EQ(buf_str(&out), STR(".8YGM_hgHJLgDo84c_xellW2cujZhZq-A5Zd5XjqxkfJ"
					"jYDaZqtIpDKRiPXkGFiOOIYXYYwvy1r695HPAfudkRg"),
		    "SHA-512 of 64 bytes");
	size_t size = out.n - 1;
	for (size_t room = 0; room <= size; room++) {
		out = buf_over(memory, room);
		derive_oct_thumbprint(DIGEST_SHA512, counted(0, 64), &out);
		CU_ASSERT_EQUAL(out.full, room < size);
	}
	/* No key of ours is longer. */
	out = buf_over(memory, sizeof memory);
	derive_oct_thumbprint(DIGEST_SHA256, counted(0, 120), &out);
	CU_ASSERT_TRUE(out.full && out.n == 0);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"RFC 5869", rfc5869},	      {"lengths", lengths}, {"all of the input counts", all_count},
		{"thumbprints", thumbprints}, {0},
	};
	return token_start() ? unit_main("derive", cases) : 1;
}
