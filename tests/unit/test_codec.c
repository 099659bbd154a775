/* SPDX-License-Identifier: Apache-2.0 */
/* base64url and percent-encoding: strict, and one text for each byte string. */
#include "base/codec.h"

#include <string.h>

#include "unit.h"

static void base64url_rows(void)
{
	static const struct {
		const char *text;
		bool good;
		struct str bytes;
	} rows[] = {
		{"", true, {"", 0}},	     {"Zg", true, {"f", 1}},	      {"Zm8", true, {"fo", 2}},
		{"Zm9v", true, {"foo", 3}},  {"Zm9vYg", true, {"foob", 4}},   {"-_-_", true, {"\xfb\xff\xbf", 3}},
		{"Z", false, {0}},	     {"Zm9vY", false, {0}},	      {"Zg==", false, {0}},
		{"Zm8=", false, {0}},	     {"Zm 9", false, {0}},	      {"Zm9\n", false, {0}},
		{"+/+/", false, {0}},	     {"Zh", false, {0}},	      {"Zm9", false, {0}},
		{"Zm9v\x80g", false, {0}},   {"Zg\x00", true, {"f", 1}},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned char out[16];
		size_t n = 99;
		bool good = base64url_decode(str_of(rows[i].text), out, &n);
		UNIT_ROW(good == rows[i].good, rows[i].text);
		if (good)
			UNIT_STR_EQ(((struct str){(char *)out, n}), rows[i].bytes, rows[i].text);
		else
			UNIT_ROW(n == 99, "nothing is written on failure");
	}
}

/* Every byte in every place of a group: only the alphabet is taken. */
static void base64url_alphabet(void)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	for (int place = 0; place < 4; place++)
		for (int c = 0; c < 256; c++) {
			char text[] = "AAAA";
			unsigned char out[8];
			size_t n;
			text[place] = (char)c;
			bool known = c != 0 && strchr(alphabet, c) != NULL;
			UNIT_ROW(base64url_decode((struct str){text, 4}, out, &n) == known, "one byte of a group");
		}
}

static void base64url_round_trip(void)
{
	unsigned char bytes[64], back[64];
	for (size_t n = 0; n <= sizeof bytes; n++) {
		char text[100];
		size_t length;
		for (size_t i = 0; i < n; i++)
			bytes[i] = (unsigned char)(i * 37 + n * 11);
		struct buf b = buf_over(text, sizeof text);
		base64url_encode(&b, bytes, n);
		CU_ASSERT_FALSE(b.full);
		CU_ASSERT(base64url_decode(buf_str(&b), back, &length) && length == n && memcmp(bytes, back, n) == 0);
	}
}

static void percent_rows(void)
{
	static const struct {
		const char *text;
		bool plus, good;
		struct str want;
	} rows[] = {
		{"a%20b", false, true, {"a b", 3}}, {"a+b", true, true, {"a b", 3}},   {"a+b", false, true, {"a+b", 3}},
		{"%C3%a4", false, true, {"\xc3\xa4", 2}}, {"%00", false, true, {"\0", 1}}, {"%", false, false, {0}},
		{"%4", false, false, {0}},	    {"%4g", false, false, {0}},	       {"a%zz", false, false, {0}},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char out[16];
		size_t n = 0;
		bool good = percent_decode(str_of(rows[i].text), rows[i].plus, out, &n);
		UNIT_ROW(good == rows[i].good, rows[i].text);
		if (good)
			UNIT_STR_EQ(((struct str){out, n}), rows[i].want, rows[i].text);
	}
}

static void percent_encodes(void)
{
	char text[64];
	struct buf b = buf_over(text, sizeof text);
	percent_encode(&b, STR("/a b?c=d&\xc3\xa4\r\n~"), "/");
	UNIT_STR_EQ(buf_str(&b), STR("/a%20b%3Fc%3Dd%26%C3%A4%0D%0A~"), "encoded");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"base64url", base64url_rows},	    {"base64url alphabet", base64url_alphabet},
		{"base64url there and back", base64url_round_trip}, {"percent-decoding", percent_rows},
		{"percent-encoding", percent_encodes}, {NULL, NULL},
	};
	return unit_main("codec", cases);
}
