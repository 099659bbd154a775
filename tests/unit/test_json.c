/* SPDX-License-Identifier: Apache-2.0 */
/* The strict JSON parser; json-c is the oracle for what the accepted documents mean. */
#include "token/json.h"

#include <stdlib.h>
#include <string.h>

#include "json_oracle.h"
#include "unit.h"

enum { ARENA = 1 << 20, DOCUMENT = 1 << 18 };

static struct arena *arena;

/* A literal may have NUL inside. */
#define DOC(literal) {literal, sizeof(literal) - 1}

struct row {
	struct str text;
	bool good;
};

static const struct row grammar[] = {
	{DOC("{}"), true},
	{DOC("[]"), true},
	{DOC("null"), true},
	{DOC("true"), true},
	{DOC("false"), true},
	{DOC("\"\""), true},
	{DOC("0"), true},
	{DOC(" \t\r\n{ \"a\" : [ 1 , { } ] } \n"), true},
	{DOC("[[],{},[{}]]"), true},
	{DOC("{\"a\":1,\"b\":{\"a\":2}}"), true},
	{DOC("{\"\":0}"), true},
	{DOC(""), false},
	{DOC(" "), false},
	{DOC("{"), false},
	{DOC("}"), false},
	{DOC("["), false},
	{DOC("]"), false},
	{DOC("{]"), false},
	{DOC("[}"), false},
	{DOC("[1,]"), false},
	{DOC("[,1]"), false},
	{DOC("[1,,2]"), false},
	{DOC("[1 2]"), false},
	{DOC("[1]]"), false},
	{DOC("{\"a\"}"), false},
	{DOC("{\"a\":}"), false},
	{DOC("{:1}"), false},
	{DOC("{\"a\":1,}"), false},
	{DOC("{,\"a\":1}"), false},
	{DOC("{\"a\" 1}"), false},
	{DOC("{a:1}"), false},
	{DOC("{'a':1}"), false},
	{DOC("['a']"), false},
	{DOC("{1:1}"), false},
	{DOC("{null:1}"), false},
	{DOC("{\"a\"::1}"), false},
	{DOC("{} {}"), false},
	{DOC("{}x"), false},
	{DOC("{}\0"), false},
	{DOC("\0{}"), false},
	{DOC("[1\0]"), false},
	{DOC("[1]//"), false},
	{DOC("/**/[1]"), false},
	{DOC("[1/**/]"), false},
	{DOC("\xef\xbb\xbf{}"), false},
	{DOC("\f{}"), false},
	{DOC("\v{}"), false},
	{DOC("\xc2\xa0{}"), false},
	{DOC("{\0\"\0a\0\"\0:\0001\0}\0"), false},
	{DOC("True"), false},
	{DOC("TRUE"), false},
	{DOC("nul"), false},
	{DOC("nullx"), false},
	{DOC("truefalse"), false},
	{DOC("undefined"), false},
};

static const struct row numbers[] = {
	{DOC("-0"), true},
	{DOC("-1"), true},
	{DOC("10"), true},
	{DOC("0.5"), true},
	{DOC("-0.5"), true},
	{DOC("1e5"), true},
	{DOC("1E5"), true},
	{DOC("1e+5"), true},
	{DOC("1.25e-5"), true},
	{DOC("0e0"), true},
	{DOC("9223372036854775807"), true},
	{DOC("-9223372036854775808"), true},
	{DOC("123456789012345678901234567890"), true},
	{DOC("1e400"), true},
	{DOC("00"), false},
	{DOC("01"), false},
	{DOC("-01"), false},
	{DOC("-"), false},
	{DOC("--1"), false},
	{DOC("+1"), false},
	{DOC(".5"), false},
	{DOC("-.5"), false},
	{DOC("1."), false},
	{DOC("1.e5"), false},
	{DOC("1.-5"), false},
	{DOC("1e"), false},
	{DOC("1e+"), false},
	{DOC("1e-"), false},
	{DOC("1e1.5"), false},
	{DOC("1e1e1"), false},
	{DOC("0x1"), false},
	{DOC("1_000"), false},
	{DOC("1a"), false},
	{DOC("NaN"), false},
	{DOC("-NaN"), false},
	{DOC("nan"), false},
	{DOC("Infinity"), false},
	{DOC("-Infinity"), false},
	{DOC("inf"), false},
	{DOC("\xef\xbc\x91"), false},
};

static const struct row strings[] = {
	{DOC("\"abc\""), true},
	{DOC("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), true},
	{DOC("\"\\u0041\\u00e9\\u20ac\""), true},
	{DOC("\"\\ud83d\\ude00\""), true},
	{DOC("\"\\uD83D\\uDE00x\""), true},
	{DOC("\"\\uffff\\u0001\\u007f\""), true},
	{DOC("\"\\\\u0000\""), true},
	{DOC("\"\x7f\""), true},
	{DOC("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""), true},
	{DOC("\"\xf4\x8f\xbf\xbf\""), true},
	{DOC("\""), false},
	{DOC("\"a"), false},
	{DOC("\"\\"), false},
	{DOC("\"\\\""), false},
	{DOC("'a'"), false},
	{DOC("\"a\tb\""), false},
	{DOC("\"a\nb\""), false},
	{DOC("\"a\x01\""), false},
	{DOC("\"a\x1f\""), false},
	{DOC("\"a\0b\""), false},
	{DOC("\"\\\0\""), false},
	{DOC("\"\\\n\""), false},
	{DOC("\"\\u0000\""), false},
	{DOC("\"a\\u0000b\""), false},
	{DOC("{\"exp\\u0000x\":1}"), false},
	{DOC("\"\\x41\""), false},
	{DOC("\"\\a\""), false},
	{DOC("\"\\'\""), false},
	{DOC("\"\\U0041\""), false},
	{DOC("\"\\u\""), false},
	{DOC("\"\\u004\""), false},
	{DOC("\"\\u00g1\""), false},
	{DOC("\"\\u-041\""), false},
	{DOC("\"\\ud800\""), false},
	{DOC("\"\\ud800x\""), false},
	{DOC("\"\\ud800\\n\""), false},
	{DOC("\"\\ud800\\ud800\""), false},
	{DOC("\"\\ud800\\u0041\""), false},
	{DOC("\"\\udc00\""), false},
	{DOC("\"\\udc00\\ud800\""), false},
	{DOC("\"\\ud800\\u\""), false},
	{DOC("\"\xc0\xaf\""), false},
	{DOC("\"\xe0\x80\xaf\""), false},
	{DOC("\"\xed\xa0\x80\""), false},
	{DOC("\"\xf4\x90\x80\x80\""), false},
	{DOC("\"\xff\""), false},
	{DOC("\"\x80\""), false},
	{DOC("\"\xc3\""), false},
	{DOC("\"\xe2\x82\""), false},
	{DOC("\"\\\xc3\xa9\""), false},
	{DOC("{\"\xff\":1}"), false},
};

static const struct row duplicates[] = {
	{DOC("{\"a\":1,\"a\":1}"), false},
	{DOC("{\"a\":1,\"b\":2,\"a\":3}"), false},
	{DOC("{\"exp\":1,\"\\u0065xp\":9999999999}"), false},
	{DOC("{\"\\u00e9\":1,\"\xc3\xa9\":2}"), false},
	{DOC("{\"/\":1,\"\\/\":2}"), false},
	{DOC("{\"\":1,\"\":2}"), false},
	{DOC("[{\"a\":{\"b\":1,\"b\":2}}]"), false},
	{DOC("{\"a\":1,\"A\":2}"), true},
	{DOC("{\"a\":1,\"a \":2}"), true},
	{DOC("[{\"a\":1},{\"a\":1}]"), true},
};

/* In memory of exactly its size, so that a read beyond the end shows. */
static bool parses(struct str text)
{
	char *copy = malloc(text.n ? text.n : 1);
	if (text.n)
		memcpy(copy, text.p, text.n);
	const struct json *tree = NULL;
	bool good = json_parse(arena, (struct str){copy, text.n}, &tree);
	CU_ASSERT(good == (tree != NULL));
	if (good)
		UNIT_ROW(json_oracle_agrees(tree, (struct str){copy, text.n}), copy);
	arena_reset(arena);
	free(copy);
	return good;
}

static void check_rows(const struct row *rows, size_t n)
{
	char in_list[DOCUMENT / 8];
	for (size_t i = 0; i < n; i++) {
		UNIT_ROW(parses(rows[i].text) == rows[i].good, rows[i].text.p);
		struct buf b = buf_over(in_list, sizeof in_list);
		buf_add(&b, STR("[0,"));
		buf_add(&b, rows[i].text);
		buf_add(&b, STR(",{\"x\":"));
		buf_add(&b, rows[i].text);
		buf_add(&b, STR("}]"));
		/* A byte order mark or a second document is as wrong inside; white space alone too. */
		UNIT_ROW(parses(buf_str(&b)) == rows[i].good, rows[i].text.p);
	}
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof(rows)[0])

static void grammar_rows(void)
{
	CHECK_ROWS(grammar);
}

static void number_rows(void)
{
	CHECK_ROWS(numbers);
}

static void string_rows(void)
{
	CHECK_ROWS(strings);
}

static void duplicate_rows(void)
{
	CHECK_ROWS(duplicates);
}

/* No beginning of a document is a document. */
static void prefixes(void)
{
	struct str text = STR("{\"a\":[1.5e+3,true,false,null,\"x\\u00e9\\n\"],\"\xc3\xa9\":{\"b\":-0}}");
	for (size_t n = 0; n < text.n; n++)
		CU_ASSERT_FALSE(parses((struct str){text.p, n}));
	CU_ASSERT_TRUE(parses(text));
}

static void text_values(void)
{
	static const struct {
		const char *text;
		struct str want;
	} rows[] = {
		{"\"a\\u0041\\n\\/\"", DOC("aA\n/")},
		{"\"\\ud83d\\ude00\"", DOC("\xf0\x9f\x98\x80")},
		{"\"\\u00e9\\u20ac\"", DOC("\xc3\xa9\xe2\x82\xac")},
		{"\"\\\\u0000\"", DOC("\\u0000")},
		{"\"\"", DOC("")},
		{"1.50", DOC("1.50")},
		{"true", DOC("true")},
		{"false", DOC("false")},
		{"[\"a\",1,true,\"\"]", DOC("a,1,true,")},
		{"[]", DOC("")},
		{"[\"\\u0041\"]", DOC("A")},
		{"null", {NULL, 0}},
		{"{}", {NULL, 0}},
		{"[null]", {NULL, 0}},
		{"[[1]]", {NULL, 0}},
		{"[\"a\",{}]", {NULL, 0}},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct json *tree;
		CU_ASSERT_FATAL(json_parse(arena, str_of(rows[i].text), &tree));
		struct str text = json_text(arena, tree);
		UNIT_STR_EQ(text, rows[i].want, rows[i].text);
		CU_ASSERT((text.p == NULL) == (rows[i].want.p == NULL));
		CU_ASSERT(tree->type == JSON_ARRAY || str_eq(json_scalar(tree), text));
		UNIT_STR_EQ(tree->raw, str_of(rows[i].text), rows[i].text);
		arena_reset(arena);
	}
	CU_ASSERT_PTR_NULL(json_text(arena, NULL).p);
}

/* n arrays or objects inside each other */
static bool nested_parses(struct str open, struct str middle, struct str close, size_t n)
{
	char text[2048];
	struct buf b = buf_over(text, sizeof text);
	for (size_t i = 0; i < n; i++)
		buf_add(&b, open);
	buf_add(&b, middle);
	for (size_t i = 0; i < n; i++)
		buf_add(&b, close);
	return parses(buf_str(&b));
}

static void depth(void)
{
	static const size_t depths[] = {1, JSON_DEPTH_MAX, JSON_DEPTH_MAX + 1, 200};
	for (size_t i = 0; i < 4; i++) {
		size_t n = depths[i];
		CU_ASSERT(nested_parses(STR("["), STR(""), STR("]"), n) == (n <= JSON_DEPTH_MAX));
		CU_ASSERT(nested_parses(STR("[0,"), STR("0"), STR("]"), n) == (n <= JSON_DEPTH_MAX));
		CU_ASSERT(nested_parses(STR("{\"a\":"), STR("0"), STR("}"), n) == (n <= JSON_DEPTH_MAX));
	}
}

/* An object of n members, the last of which is named as the member `again`. */
static struct str object_of(struct buf *b, size_t n, size_t again)
{
	buf_char(b, '{');
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s\"m%03zu\":0", i ? "," : "", i + 1 == n && again < n ? again : i);
	buf_char(b, '}');
	return buf_str(b);
}

static void large_objects(void)
{
	static char text[DOCUMENT];
	static const size_t sizes[] = {1, 2, 15, 16, 17, 18, 100, JSON_NODES_MAX - 1};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		size_t n = sizes[i];
		struct buf b = buf_over(text, sizeof text);
		CU_ASSERT_TRUE(parses(object_of(&b, n, n)));
		for (size_t again = 0; again + 1 < n; again += n / 7 + 1) {
			b = buf_over(text, sizeof text);
			CU_ASSERT_FALSE(parses(object_of(&b, n, again)));
		}
	}
	struct buf b = buf_over(text, sizeof text);
	CU_ASSERT_FALSE(parses(object_of(&b, JSON_NODES_MAX, JSON_NODES_MAX)));
}

/* Whatever the size of the arena: the right tree or none. */
static void small_arenas(void)
{
	struct str text = STR("{\"a\":[1,\"x\\n\"],\"b\":{\"c\":\"\\u00e9\"}}");
	bool was_good = false;
	for (size_t size = 0; size < 2048; size += 16) {
		struct arena *small;
		const struct json *tree = NULL;
		CU_ASSERT_FATAL(arena_open(size, &small));
		bool good = json_parse(small, text, &tree);
		CU_ASSERT(good || !was_good);
		CU_ASSERT(!good || json_oracle_agrees(tree, text));
		was_good = good;
		arena_close(&small);
	}
	CU_ASSERT_TRUE(was_good);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"grammar", grammar_rows},
		{"numbers", number_rows},
		{"strings", string_rows},
		{"duplicate names", duplicate_rows},
		{"cut documents", prefixes},
		{"texts", text_values},
		{"depth", depth},
		{"large objects", large_objects},
		{"small arenas", small_arenas},
		{0},
	};
	if (!arena_open(ARENA, &arena))
		return 1;
	int status = unit_main("json", cases);
	arena_close(&arena);
	return status;
}
