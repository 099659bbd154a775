/* SPDX-License-Identifier: Apache-2.0 */
#include "token/timestamp.h"

#include <stdio.h>
#include <time.h>

#include "unit.h"

static void reads(void)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: refused */
	} rows[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01T00:00:00.999Z", 0},
		{"2026-11-27T11:42:21.002Z", 1795779741},
		{"2026-11-27T11:42:21Z", 1795779741},
		{"2024-02-29T23:59:59.9Z", 1709251199},
		{"2038-01-19T03:14:08.000Z", 2147483648},
		{"2100-01-01T00:00:00.000Z", 4102444800},
		{"9999-12-31T23:59:59.999999999Z", 253402300799},
		{"2023-02-29T00:00:00Z", -1},
		{"2100-02-29T00:00:00Z", -1},
		{"1969-12-31T23:59:59Z", -1},
		{"2026-00-01T00:00:00Z", -1},
		{"2026-13-01T00:00:00Z", -1},
		{"2026-04-31T00:00:00Z", -1},
		{"2026-04-00T00:00:00Z", -1},
		{"2026-04-01T24:00:00Z", -1},
		{"2026-04-01T00:60:00Z", -1},
		{"2026-04-01T00:00:60Z", -1},
		{"2026-04-01T00:00:00", -1},
		{"2026-04-01T00:00:00z", -1},
		{"2026-04-01t00:00:00Z", -1},
		{"2026-04-01 00:00:00Z", -1},
		{"2026-04-01T00:00:00+00:00", -1},
		{"2026-04-01T00:00:00.Z", -1},
		{"2026-04-01T00:00:00,1Z", -1},
		{"2026-04-01T00:00:00.1", -1},
		{"2026-04-01T00:00:00.1ZZ", -1},
		{"2026-04-01T00:00:00.1xZ", -1},
		{"2026-4-1T00:00:00Z", -1},
		{"+026-04-01T00:00:00Z", -1},
		{"12026-04-01T00:00:00Z", -1},
		{" 2026-04-01T00:00:00Z", -1},
		{"2026-04-01T00:00:00Z ", -1},
		{"2026-04-01", -1},
		{"Z", -1},
		{"", -1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t got = -1;
		UNIT_ROW(timestamp_parse(str_of(rows[i].text), &got) == (rows[i].want >= 0), rows[i].text);
		UNIT_ROW(got == rows[i].want, rows[i].text);
	}
}

/* Every day of four centuries, as libc counts it. */
static void agrees_with_libc(void)
{
	unsigned wrong = 0;
	for (int64_t day = 0; day < 400 * 366; day++) {
		time_t time = (time_t)(day * 86400 + day % 86400);
		struct tm tm;
		char text[32];
		int64_t got;
		gmtime_r(&time, &tm);
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
		wrong += !timestamp_parse(str_of(text), &got) || got != (int64_t)time;
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void printed(void)
{
	static const struct {
		int64_t seconds;
		const char *want;
	} rows[] = {
		{0, "1970-01-01 00:00 UTC"},
		{1795851365, "2026-11-28 07:36 UTC"},
		{INT64_C(253402300799), "9999-12-31 23:59 UTC"},
		{INT64_C(253402300800), ""},
		{-1, ""},
		{INT64_MAX, ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char memory[32];
		struct buf b = buf_over(memory, sizeof memory);
		CU_ASSERT_EQUAL(timestamp_print_minute(rows[i].seconds, &b), *rows[i].want != '\0');
		UNIT_STR_EQ(buf_str(&b), str_of(rows[i].want), rows[i].want);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {{"reads", reads}, {"agrees with libc", agrees_with_libc},
						{"printed", printed}, {0}};
	return unit_main("timestamp", cases);
}
