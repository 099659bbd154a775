/* SPDX-License-Identifier: Apache-2.0 */
/* The calendar is counted here: libc's mktime and timegm take dates that are none. */
#include "token/timestamp.h"

#include <time.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Do the bytes stand where the pattern has them, digits where it has '0'? */
static bool has_shape(struct str text, struct str pattern)
{
	if (text.n < pattern.n)
		return false;
	for (size_t i = 0; i < pattern.n; i++)
		if (pattern.p[i] == '0' ? !is_digit(text.p[i]) : text.p[i] != pattern.p[i])
			return false;
	return true;
}

/* "Z", or ".", digits and "Z". */
static bool is_end(struct str text)
{
	size_t i = 0;
	if (text.n > 1 && text.p[0] == '.')
		for (i = 1; i < text.n && is_digit(text.p[i]); i++)
			;
	return i != 1 && i + 1 == text.n && text.p[i] == 'Z';
}

static int number(struct str text, size_t at, size_t n)
{
	int value = 0;
	for (size_t i = at; i < at + n; i++)
		value = value * 10 + (text.p[i] - '0');
	return value;
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month - 1] + (month == 2 && is_leap(year));
}

static int64_t days_before(int year, int month)
{
	enum { LEAPS_TO_1969 = 1969 / 4 - 1969 / 100 + 1969 / 400 };
	int64_t last = year - 1;
	int64_t days = 365 * (int64_t)(year - 1970) + last / 4 - last / 100 + last / 400 - LEAPS_TO_1969;
	for (int m = 1; m < month; m++)
		days += days_of_month(year, m);
	return days;
}

bool timestamp_parse(struct str text, int64_t *out)
{
	struct str pattern = STR("0000-00-00T00:00:00");
	if (!has_shape(text, pattern) || !is_end(str_skip(text, pattern.n)))
		return false;
	int year = number(text, 0, 4), month = number(text, 5, 2), day = number(text, 8, 2);
	int hour = number(text, 11, 2), minute = number(text, 14, 2), second = number(text, 17, 2);
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
		return false;
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	*out = ((days_before(year, month) + day - 1) * 24 + hour) * 3600 + minute * 60 + second;
	return true;
}

bool timestamp_print_minute(int64_t seconds, struct buf *out)
{
	struct tm tm;
	time_t at = (time_t)seconds;
	char text[sizeof "9999-12-31 23:59 UTC"];
	if (seconds < 0 || seconds > INT64_C(253402300799) || !gmtime_r(&at, &tm) ||
	    strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		return false;
	buf_add(out, str_of(text));
	return true;
}
