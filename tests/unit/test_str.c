/* SPDX-License-Identifier: Apache-2.0 */
/* Slices, numbers, UTF-8 and the bounded buffer. */
#include <string.h>

#include "unit.h"

static void splits(void)
{
	struct str rest = STR("a,,b"), part;
	CU_ASSERT(str_split(&rest, ',', &part));
	UNIT_STR_EQ(part, STR("a"), "first");
	CU_ASSERT(str_split(&rest, ',', &part));
	UNIT_STR_EQ(part, STR(""), "second");
	CU_ASSERT(str_split(&rest, ',', &part));
	UNIT_STR_EQ(part, STR("b"), "third");
	CU_ASSERT(!str_split(&rest, ',', &part));
}

static void numbers(void)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool good;
		uint64_t value;
	} rows[] = {
		{"0", 10, true, 0},	 {"10", 10, true, 10},	  {"11", 10, false, 0},
		{"", 10, false, 0},	 {"01", 10, false, 0},	  {"-1", 10, false, 0},
		{"+1", 10, false, 0},	 {"1 ", 10, false, 0},	  {"9", 5, false, 0},
		{"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
		{"18446744073709551616", UINT64_MAX, false, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint64_t value = 0;
		bool good = str_to_uint(str_of(rows[i].text), rows[i].max, &value);
		UNIT_ROW(good == rows[i].good && value == rows[i].value, rows[i].text);
	}
}

static void utf8(void)
{
	static const struct {
		struct str text;
		bool good;
	} rows[] = {
		{{"plain", 5}, true},		{{"\xc3\xa4", 2}, true},	 {{"\xf0\x9f\x98\x80", 4}, true},
		{{"\xc0\xaf", 2}, false},	{{"\xe0\x80\x80", 3}, false},	 {{"\xed\xa0\x80", 3}, false},
		{{"\xf4\x90\x80\x80", 4}, false}, {{"\x80", 1}, false},		 {{"\xc3", 1}, false},
		{{"\xf5\x80\x80\x80", 4}, false}, {{"\xf0\x80\x80\x80", 4}, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_ROW(str_is_utf8(rows[i].text) == rows[i].good, rows[i].text.p);
}

static void buffer_is_bounded(void)
{
	char memory[8];
	struct buf b = buf_over(memory, 4);
	memset(memory, 'x', sizeof memory);
	buf_add(&b, STR("abc"));
	buf_add(&b, STR("de"));
	CU_ASSERT(b.full);
	buf_char(&b, 'f');
	UNIT_STR_EQ(buf_str(&b), STR("abc"), "nothing after the overflow");
	CU_ASSERT(memory[4] == 'x');
	struct buf p = buf_over(memory, 4);
	buf_printf(&p, "%s", "12345678");
	CU_ASSERT(p.full && p.n == 0 && memory[4] == 'x');
}

static void json_text(void)
{
	static const struct {
		struct str text, want;
	} rows[] = {
		{{"a\"b\\c", 5}, {"\"a\\\"b\\\\c\"", 9}},
		{{"</script>&", 10}, {"\"\\u003c/script\\u003e\\u0026\"", 27}},
		{{"\n\t\x01\x7f", 4}, {"\"\\n\\t\\u0001\\u007f\"", 18}},
		{{"\xc3\xa4\xff", 3}, {"\"\xc3\xa4\xef\xbf\xbd\"", 7}},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char memory[64];
		struct buf b = buf_over(memory, sizeof memory);
		buf_json(&b, rows[i].text);
		UNIT_STR_EQ(buf_str(&b), rows[i].want, "JSON text");
	}
}

static void integers(void)
{
	char memory[64];
	struct buf b = buf_over(memory, sizeof memory);
	buf_int(&b, INT64_MIN);
	buf_char(&b, ' ');
	buf_int(&b, 0);
	buf_char(&b, ' ');
	buf_uint(&b, UINT64_MAX);
	UNIT_STR_EQ(buf_str(&b), STR("-9223372036854775808 0 18446744073709551615"), "integers");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"split", splits},   {"numbers", numbers}, {"utf-8", utf8}, {"buffer is bounded", buffer_is_bounded},
		{"JSON text", json_text}, {"integers", integers}, {NULL, NULL},
	};
	return unit_main("str", cases);
}
