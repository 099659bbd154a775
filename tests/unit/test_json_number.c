/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of JSON: as whole ones, as dates, and in their order. */
#include "token/json.h"

#include "unit.h"

static struct arena *arena;

static void integers_and_dates(void)
{
	enum { NO = -1 };
	static const struct {
		const char *text;
		int64_t date; /* NO: none */
		bool whole;
		int64_t integer;
	} rows[] = {
		{"0", 0, true, 0},
		{"-0", NO, true, 0},
		{"1767225600", 1767225600, true, 1767225600},
		{"-1", NO, true, -1},
		{"1767225600.9", 1767225600, false, 0},
		{"0.9", 0, false, 0},
		{"-0.5", NO, false, 0},
		{"9223372036854775807", INT64_MAX, true, INT64_MAX},
		{"9223372036854775808", INT64_MAX, false, 0},
		{"-9223372036854775808", NO, true, INT64_MIN},
		{"-9223372036854775809", NO, false, 0},
		{"18446744073709551616", INT64_MAX, false, 0},
		{"1e3", 1000, false, 0},
		{"1E+3", 1000, false, 0},
		{"1.5e3", 1500, false, 0},
		{"1.2345e3", 1234, false, 0},
		{"1767225600000e-3", 1767225600, false, 0},
		{"0.0000000017672256e18", 1767225600, false, 0},
		{"999e-3", 0, false, 0},
		{"1e-400", 0, false, 0},
		{"0e999999999999999999999", 0, false, 0},
		{"1e300", INT64_MAX, false, 0},
		{"1e400", NO, false, 0},
		{"1e999999999999999999999", NO, false, 0},
		{"1e-999999999999999999999", 0, false, 0},
		{"true", NO, false, 0},
		{"null", NO, false, 0},
		{"\"1767225600\"", NO, false, 0},
		{"[1]", NO, false, 0},
		{"{}", NO, false, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct json *tree;
		int64_t got = NO;
		CU_ASSERT_FATAL(json_parse(arena, str_of(rows[i].text), &tree));
		UNIT_ROW(json_date(tree, &got) == (rows[i].date != NO) && got == rows[i].date, rows[i].text);
		got = 0;
		UNIT_ROW(json_integer(tree, &got) == rows[i].whole && got == rows[i].integer, rows[i].text);
		arena_reset(arena);
	}
	int64_t untouched = 7;
	CU_ASSERT_FALSE(json_date(NULL, &untouched));
	CU_ASSERT_FALSE(json_integer(NULL, &untouched));
	CU_ASSERT_EQUAL(untouched, 7);
}

static void order_of_numbers(void)
{
	static const struct {
		const char *less, *more;
	} rows[] = {
		{"1", "2"},
		{"-2", "-1"},
		{"-1", "0"},
		{"-1", "1"},
		{"0", "1"},
		{"9", "10"},
		{"-10", "-9"},
		{"9007199254740992", "9007199254740993"},
		{"-9007199254740993", "-9007199254740992"},
		{"9223372036854775807", "9223372036854775808"},
		{"18446744073709551615", "18446744073709551616"},
		{"123456789012345678901234567890", "123456789012345678901234567891"},
		{"0.1", "0.11"},
		{"0.0999", "0.1"},
		{"1.5", "2"},
		{"5", "5.5"},
		{"999e-3", "1"},
		{"1e300", "1e400"},
		{"1e400", "1.0000000000000000000000000000001e400"},
		{"1e-400", "1e-300"},
		{"0", "1e-400"},
		{"-1e-400", "0"},
		{"1e999999999999999999999", "1.1e999999999999999999999"},
		{"7", "1e999999999999999999999"},
		{"-1e999999999999999999999", "-7"},
		{"1e-999999999999999999999", "7"},
	};
	static const char *const same[][2] = {
		{"0", "-0"},	{"0", "0.00"},	   {"0", "0e99"},     {"1", "1.0"},
		{"1", "10e-1"}, {"100", "1e2"},	   {"0.001", "1e-3"}, {"-5", "-5.0"},
		{"1E2", "1e+2"}, {"9007199254740993", "9007199254740993.0"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct json less, more;
		CU_ASSERT_FATAL(json_number(str_of(rows[i].less), &less) && json_number(str_of(rows[i].more), &more));
		UNIT_ROW(json_compare(&less, &more) < 0, rows[i].less);
		UNIT_ROW(json_compare(&more, &less) > 0, rows[i].more);
		UNIT_ROW(json_compare(&less, &less) == 0, rows[i].less);
	}
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		struct json a, b;
		CU_ASSERT_FATAL(json_number(str_of(same[i][0]), &a) && json_number(str_of(same[i][1]), &b));
		UNIT_ROW(json_compare(&a, &b) == 0 && json_compare(&b, &a) == 0, same[i][1]);
	}
}

/* json_number takes what is a number and nothing around it. */
static void numbers_alone(void)
{
	static const char *const good[] = {"0", "-0", "7", "-1", "0.5", "1e5", "1E+5", "1.25e-5", "9007199254740993"};
	static const char *const bad[] = {"",	  "-",	 "+1",	 "01",	 "-01", ".5",  "1.",   "1e",   "1e+", "0x1",
					  "inf", "NaN", " 1",  "1 ",  "1,",	"1]",  "true", "\"1\"", "[1]", "1_0"};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct json value = {.type = JSON_NULL};
		UNIT_ROW(json_number(str_of(good[i]), &value) && value.type == JSON_NUMBER, good[i]);
		UNIT_STR_EQ(value.text, str_of(good[i]), good[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct json value = {.type = JSON_NULL};
		UNIT_ROW(!json_number(str_of(bad[i]), &value) && value.type == JSON_NULL, bad[i]);
	}
	CU_ASSERT_FALSE(json_number(STR_NONE, &(struct json){0}));
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"integers and dates", integers_and_dates},
		{"order of numbers", order_of_numbers},
		{"numbers alone", numbers_alone},
		{0},
	};
	if (!arena_open(1 << 16, &arena))
		return 1;
	int status = unit_main("json number", cases);
	arena_close(&arena);
	return status;
}
