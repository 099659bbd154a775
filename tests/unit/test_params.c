/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "web/params.h"

#define BYTES(literal) ((struct str){literal, sizeof(literal) - 1})

static struct params params;

static void test_pairs(void)
{
	static const char *const good = NULL, *const longer = "a parameter longer than its stream",
				 *const length = "length of a parameter's name",
				 *const character = "character in a parameter's name",
				 *const nul = "NUL in a parameter's value";
	const struct {
		const char *row;
		struct str pairs;
		enum params_result result;
		const char *why;
	} rows[] = {
		{"one", BYTES("\1\1ab"), PARAMS_GOOD, good},
		{"empty value", BYTES("\1\0a"), PARAMS_GOOD, good},
		{"four-byte lengths", BYTES("\x80\0\0\1\x80\0\0\1ab"), PARAMS_GOOD, good},
		{"any byte but NUL in a value", BYTES("\1\3a\n\x01\xff"), PARAMS_GOOD, good},
		{"the same name twice", BYTES("\1\1ab\1\1ac"), PARAMS_GOOD, good},
		{"first and last visible character", BYTES("\2\0!~"), PARAMS_GOOD, good},
		{"nothing", BYTES(""), PARAMS_REFUSED, "no parameters"},
		{"name longer than the rest", BYTES("\5\1abc"), PARAMS_BROKEN, longer},
		{"value longer than the rest", BYTES("\1\5abc"), PARAMS_BROKEN, longer},
		{"long form longer than the rest", BYTES("\xff\xff\xff\xf0\x10" "abc"), PARAMS_BROKEN, longer},
		{"lengths whose sum wraps in 32 bits", BYTES("\xff\xff\xff\xff\x81\0\0\0abc"), PARAMS_BROKEN, longer},
		{"end within a length", BYTES("\1\1ab\x80\0"), PARAMS_BROKEN, longer},
		{"end before the second length", BYTES("\1\1ab\1"), PARAMS_BROKEN, longer},
		{"refused, then broken", BYTES("\0\1a\1\1a"), PARAMS_BROKEN, longer},
		{"empty name", BYTES("\0\1a"), PARAMS_REFUSED, length},
		{"= in a name", BYTES("\3\1a=bc"), PARAMS_REFUSED, character},
		{"NUL in a name", BYTES("\3\1a\0bc"), PARAMS_REFUSED, character},
		{"blank in a name", BYTES("\3\1a bc"), PARAMS_REFUSED, character},
		{"DEL in a name", BYTES("\3\1a\x7f" "bc"), PARAMS_REFUSED, character},
		{"high byte in a name", BYTES("\3\1a\xc3" "bc"), PARAMS_REFUSED, character},
		{"NUL in a value", BYTES("\1\3ab\0c"), PARAMS_REFUSED, nul},
		{"the first reason counts", BYTES("\1\1a\0\0\1a"), PARAMS_REFUSED, nul},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *why = NULL;
		/* Memory of exactly its size: a read beyond the end shows under ASan. */
		char *exact = malloc(rows[i].pairs.n + 1);
		CU_ASSERT_FATAL(exact != NULL);
		memcpy(exact + 1, rows[i].pairs.p, rows[i].pairs.n);
		UNIT_ROW(params_decode(&params, exact + 1, rows[i].pairs.n, &why) == rows[i].result, rows[i].row);
		UNIT_STR_EQ(str_of(why), str_of(rows[i].why), rows[i].row);
		free(exact);
	}
}

static void test_environment(void)
{
	char ab[] = "A=b", bcd[] = "B=c=d", c[] = "C=", b[] = "B", empty[] = "=b";
	char *const good[] = {ab, bcd, c, NULL}, *const bare[] = {ab, b, NULL}, *const nameless[] = {empty, NULL},
	     *const none[] = {NULL};
	const char *why;
	params.n = 0;
	CU_ASSERT(params_add_environment(&params, good, 10, &why));
	CU_ASSERT_EQUAL_FATAL(params.n, 3);
	UNIT_STR_EQ(params.items[1].name, STR("B"), "up to the first =");
	UNIT_STR_EQ(params.items[1].value, STR("c=d"), "from there on");
	params.n = 0;
	CU_ASSERT_FALSE(params_add_environment(&params, good, 9, &why));
	UNIT_STR_EQ(str_of(why), STR("length of the parameters"), "3 + 5 + 2 bytes");
	params.n = 0;
	CU_ASSERT_FALSE(params_add_environment(&params, bare, 100, &why));
	CU_ASSERT_FALSE(params_add_environment(&params, nameless, 100, &why));
	params.n = 0;
	CU_ASSERT(params_add_environment(&params, none, 0, &why));
	CU_ASSERT_EQUAL(params.n, 0);
}

static void set(struct str name, struct str first, struct str second)
{
	params.n = 0;
	params.items[params.n++] = (struct param){STR("A"), STR("9")};
	params.items[params.n++] = (struct param){name, first};
	if (second.p)
		params.items[params.n++] = (struct param){name, second};
}

static void test_content_length(void)
{
	uint64_t length = 77;
	set(STR("CONTENT_LENGTH"), STR("4"), STR_NONE);
	CU_ASSERT(params_content_length(&params, &length) && length == 4);
	CU_ASSERT(params_allow_body(&params, 4) && !params_allow_body(&params, 3) && !params_allow_body(&params, 0));
	set(STR("CONTENT_LENGTH"), STR(""), STR_NONE);
	CU_ASSERT(params_content_length(&params, &length) && length == 0);
	CU_ASSERT(params_allow_body(&params, 4) && params_allow_body(&params, 0));
	set(STR("content_length"), STR("4"), STR_NONE);
	CU_ASSERT(params_allow_body(&params, 3));
	set(STR("CONTENT_LENGTH"), STR("4"), STR("5"));
	CU_ASSERT(params_content_length(&params, &length) && length == 5);
	CU_ASSERT(!params_allow_body(&params, 4) && !params_allow_body(&params, 5));
	static const char *const wrong[] = {"-1", "+1", "1 ", "0x1", "99999999999999999999", "1e3"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		set(STR("CONTENT_LENGTH"), str_of(wrong[i]), STR_NONE);
		UNIT_ROW(!params_content_length(&params, &length) && !params_allow_body(&params, 1), wrong[i]);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {{"pairs", test_pairs},
						 {"environment", test_environment},
						 {"CONTENT_LENGTH", test_content_length},
						 {NULL, NULL}};
	return unit_main("params", cases);
}
