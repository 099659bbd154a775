/* SPDX-License-Identifier: Apache-2.0 */
/* Values in chunks. */
#include "http/cookie.h"

#include <string.h>

#include "unit.h"

static void joins(void)
{
	static const struct {
		const char *header;
		enum cookie_chunks_found found;
		const char *value;
	} rows[] = {
		{"a.0=x", COOKIE_CHUNKS_ALL, "x"},
		{"a.0=x; a.1=y; a.2=z", COOKIE_CHUNKS_ALL, "xyz"},
		{"a.2=z;a.0=x;b=1;a.1=y", COOKIE_CHUNKS_ALL, "xyz"},
		{"a.0=x; a.0=x; a.1=y", COOKIE_CHUNKS_ALL, "xy"},
		{"a.0=x; a.1=; a.2=z", COOKIE_CHUNKS_ALL, "xz"},
		{"a.0=\"x\"; a.1=y=", COOKIE_CHUNKS_ALL, "xy="},
		/* numbers, not texts, are put into order */
		{"a.10=k; a.9=j; a.0=a; a.1=b; a.2=c; a.3=d; a.4=e; a.5=f; a.6=g; a.7=h; a.8=i", COOKIE_CHUNKS_ALL,
		 "abcdefghijk"},
		/* other people's cookies */
		{"a.0=x; a.1-x=y; a-x=y; a.x=y; a.01=y; a.=y; a..1=y; a.+1=y; a.-1=y; a.1.1=y; ab.1=y; A.1=y; a.1 =y",
		 COOKIE_CHUNKS_ALL, "x"},
		{"a=x", COOKIE_CHUNKS_NONE, NULL},
		{"a.=x; a.-1=x; a.1e9=x; a.0x1=x; xa.0=x", COOKIE_CHUNKS_NONE, NULL},
		{"", COOKIE_CHUNKS_NONE, NULL},
		{";;;", COOKIE_CHUNKS_NONE, NULL},
		{"a.0", COOKIE_CHUNKS_NONE, NULL},
		{"=", COOKIE_CHUNKS_NONE, NULL},
		{"a.0=x; a.0=y", COOKIE_CHUNKS_SEVERAL, NULL},
		{"a.0=x; a.1=y; a.0=", COOKIE_CHUNKS_SEVERAL, NULL},
		{"a.1=y", COOKIE_CHUNKS_BROKEN, NULL},
		{"a.0=x; a.2=z", COOKIE_CHUNKS_BROKEN, NULL},
		{"a.99=x", COOKIE_CHUNKS_BROKEN, NULL},
		{"a.0=x; a.100=y", COOKIE_CHUNKS_BROKEN, NULL},
		{"a.0=x; a.1000000000=y", COOKIE_CHUNKS_BROKEN, NULL},
		{"a.0=x; a.18446744073709551615=y", COOKIE_CHUNKS_BROKEN, NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct cookie_chunks chunks;
		char memory[64];
		struct buf b = buf_over(memory, sizeof memory);
		enum cookie_chunks_found found = cookie_find_chunks(str_of(rows[i].header), STR("a"), &chunks);
		UNIT_ROW(found == rows[i].found, rows[i].header);
		if (found != COOKIE_CHUNKS_ALL)
			continue;
		cookie_join(&chunks, &b);
		UNIT_STR_EQ(buf_str(&b), str_of(rows[i].value), rows[i].header);
		UNIT_ROW(chunks.size == b.n, rows[i].header);
	}
}

static void as_many_as_there_may_be(void)
{
	static char memory[4096], joined[128];
	struct cookie_chunks chunks;
	struct buf header = buf_over(memory, sizeof memory), all = buf_over(joined, sizeof joined);
	for (unsigned i = COOKIE_CHUNKS_MAX; i-- > 0;)
		buf_printf(&header, "; a.%u=%u", i, i % 10);
	CU_ASSERT_EQUAL(cookie_find_chunks(buf_str(&header), STR("a"), &chunks), COOKIE_CHUNKS_ALL);
	CU_ASSERT_EQUAL(chunks.n, COOKIE_CHUNKS_MAX);
	cookie_join(&chunks, &all);
	CU_ASSERT_EQUAL(all.n, COOKIE_CHUNKS_MAX);
	CU_ASSERT_EQUAL(strncmp(joined, "01234567890123", 14), 0);
}

static void names_chunks(void)
{
	static const struct {
		const char *pair;
		bool is;
		unsigned number;
		const char *own;
	} rows[] = {
		{"a.0=x", true, 0, "a.0"}, {" a.99=x ", true, 99, "a.99"}, {"a.100=x", false, 0, NULL},
		{"a=x", false, 0, NULL},   {"a.01=x", false, 0, NULL},	   {"a.0", false, 0, NULL},
		{"b.0=x", false, 0, NULL}, {"a.x=x", false, 0, NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned number = 0;
		struct str own;
		UNIT_ROW(cookie_is_chunk(str_of(rows[i].pair), STR("a"), &number, &own) == rows[i].is, rows[i].pair);
		UNIT_ROW(number == rows[i].number, rows[i].pair);
		if (rows[i].is)
			UNIT_STR_EQ(own, str_of(rows[i].own), rows[i].pair);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {{"joins", joins},
						 {"as many as there may be", as_many_as_there_may_be},
						 {"names chunks", names_chunks},
						 {NULL, NULL}};
	return unit_main("cookie", cases);
}
