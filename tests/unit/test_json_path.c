/* SPDX-License-Identifier: Apache-2.0 */
/* The two ways to write a path: each alone, and both of one mind about random documents. */
#include "token/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "unit.h"

enum { ARENA = 1 << 20, DOCUMENT = 1 << 14, PATH_TEXT = 512, DOCUMENTS = 2000 };

struct row {
	const char *path, *want; /* NULL: absent */
	bool valid;
};

static struct arena *arena;

static void check_rows(const char *document, const struct row *rows, size_t n)
{
	const struct json *tree;
	CU_ASSERT_FATAL(json_parse(arena, str_of(document), &tree));
	for (size_t i = 0; i < n; i++) {
		struct str path = str_of(rows[i].path);
		const struct json *found = json_path(tree, path);
		UNIT_STR_EQ(found ? found->raw : STR_NONE, str_of(rows[i].want), rows[i].path);
		UNIT_ROW((found != NULL) == (rows[i].want != NULL), rows[i].path);
		UNIT_ROW(json_path_valid(path) == rows[i].valid, rows[i].path);
	}
	CU_ASSERT_PTR_NULL(json_path(tree, STR_NONE));
	CU_ASSERT_PTR_NULL(json_path(NULL, STR("a")));
	CU_ASSERT_PTR_NULL(json_path(NULL, STR("/a")));
	CU_ASSERT_FALSE(json_path_valid(STR_NONE));
	arena_reset(arena);
}

#define CHECK_ROWS(document, rows) check_rows(document, rows, sizeof(rows) / sizeof(rows)[0])

static void dotted_names(void)
{
	static const struct row rows[] = {
		{"a", "1", true},
		{"b.c", "2", true},
		{"b.d.e", "3", true},
		{"\"b\".\"c\"", "2", true},
		{"b.\"c\"", "2", true},
		{"\"b\".c", "2", true},
		{"\"https://x.test/r\".s", "4", true},
		{"\"b.c\"", "5", true},
		{"\"\"", "6", true},
		{"\"/a\"", "8", true},
		{"t~1u", "9", true},
		{"\"t~1u\"", "9", true},
		{"b.\"\"", NULL, true},
		{"x", NULL, true},
		{"a.b", NULL, true},
		{"b.x.e", NULL, true},
		{"list.0", NULL, true},
		{"A", NULL, true},
		{"", NULL, false},
		{".", NULL, false},
		{".a", NULL, false},
		{"a.", NULL, false},
		{"b..c", NULL, false},
		{"\"", NULL, false},
		{"\"a", NULL, false},
		{"\"a\"x", NULL, false},
		{"\"a\".", NULL, false},
		{"a\"", NULL, false},
		{"b./c", NULL, false},
		{"https://x.test/r", NULL, false},
	};
	CHECK_ROWS("{\"a\":1,\"b\":{\"c\":2,\"d\":{\"e\":3}},\"https://x.test/r\":{\"s\":4},"
		   "\"b.c\":5,\"\":6,\"list\":[7],\"/a\":8,\"t~1u\":9}",
		   rows);
}

/* The document and the first rows are those of RFC 6901 section 5. */
static void pointers(void)
{
	static const struct row rows[] = {
		{"/foo", "[\"bar\",\"baz\"]", true},
		{"/foo/0", "\"bar\"", true},
		{"/", "0", true},
		{"/a~1b", "1", true},
		{"/c%d", "2", true},
		{"/e^f", "3", true},
		{"/g|h", "4", true},
		{"/i\\j", "5", true},
		{"/k\"l", "6", true},
		{"/ ", "7", true},
		{"/m~0n", "8", true},
		{"/foo/1", "\"baz\"", true},
		{"/foo/2", NULL, true},
		{"/foo/-", NULL, true},
		{"/foo/-1", NULL, true},
		{"/foo/+1", NULL, true},
		{"/foo/00", NULL, true},
		{"/foo/01", NULL, true},
		{"/foo/0/", NULL, true},
		{"/foo/0x0", NULL, true},
		{"/foo/18446744073709551616", NULL, true},
		{"/foo/", NULL, true},
		{"/foo/0/bar", NULL, true},
		{"/deep/1/x/0/y", "9", true},
		{"/deep//", "10", true},
		{"/deep/~01", "11", true},
		{"/deep/~1", "12", true},
		{"/deep/~10", NULL, true},
		{"/deep/a.b", "13", true},
		{"/deep/ax", NULL, true},
		{"/deep/a.b/c", NULL, true},
		{"//", NULL, true},
		{"/Foo", NULL, true},
		{"/fo", NULL, true},
		{"/fooo", NULL, true},
		{"/a/b", NULL, true},
		{"/m~n", NULL, false},
		{"/m~", NULL, false},
		{"/~2", NULL, false},
		{"/foo/~", NULL, false},
		{"/absent/~x", NULL, false},
	};
	CHECK_ROWS("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,"
		   "\"k\\\"l\":6,\" \":7,\"m~n\":8,"
		   "\"deep\":{\"1\":{\"x\":[{\"y\":9}]},\"\":{\"\":10},\"~1\":11,\"/\":12,\"a.b\":13}}",
		   rows);
	/* What stands behind the path is not a part of it. */
	CU_ASSERT_FALSE(json_path_valid((struct str){"/m~0", 3}));
}

/* Random documents ------------------------------------------------------- */

static uint64_t state;

/* xorshift64: any numbers will do, the same for the same seed. */
static unsigned below(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 33) % n;
}

/* What is special in a path, and digits, which are special in a list. */
static struct str random_name(char *memory, size_t size)
{
	static const char *const pieces[] = {"a", "b", ".", "/", "~", "0", "1", " ", "\"", "\xc3\xa9", "~1", ","};
	struct buf name = buf_over(memory, size);
	for (unsigned n = below(8) ? 1 + below(3) : 0; n > 0; n--)
		buf_add(&name, str_of(pieces[below(sizeof pieces / sizeof *pieces)]));
	return buf_str(&name);
}

static void random_value(struct buf *out, unsigned depth)
{
	char memory[16];
	enum { NUMBER, LIST }; /* all others are objects */
	unsigned kind = depth == 0 ? NUMBER : below(5), n = below(4);
	if (kind == NUMBER) {
		buf_uint(out, below(1000));
		return;
	}
	buf_char(out, kind == LIST ? '[' : '{');
	for (unsigned i = 0; i < n; i++) {
		if (i)
			buf_char(out, ',');
		if (kind != LIST) {
			buf_json(out, random_name(memory, sizeof memory));
			buf_char(out, ':');
		}
		random_value(out, depth - 1);
	}
	buf_char(out, kind == LIST ? ']' : '}');
}

static void add_token(struct buf *pointer, struct str name)
{
	buf_char(pointer, '/');
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '~' || name.p[i] == '/')
			buf_add(pointer, name.p[i] == '~' ? STR("~0") : STR("~1"));
		else
			buf_char(pointer, name.p[i]);
	}
}

struct visit {
	const struct json *root;
	char pointer[PATH_TEXT], dotted[PATH_TEXT];
	bool has_dotted; /* no list and no quote on the way */
	unsigned *seen;
};

static void visit_child(const struct visit *parent, const struct json *child, bool in_list, unsigned index);

static void visit_children(const struct visit *visit, const struct json *value)
{
	unsigned index = 0;
	for (const struct json *child = value->child; child; child = child->next)
		visit_child(visit, child, value->type == JSON_ARRAY, index++);
}

static void visit_child(const struct visit *parent, const struct json *child, bool in_list, unsigned index)
{
	struct visit visit = *parent;
	struct buf pointer = buf_over(visit.pointer, PATH_TEXT), dotted = buf_over(visit.dotted, PATH_TEXT);
	buf_add(&pointer, str_of(parent->pointer));
	buf_add(&dotted, str_of(parent->dotted));
	if (in_list)
		buf_printf(&pointer, "/%u", index);
	else
		add_token(&pointer, child->name);
	buf_printf(&dotted, "%s\"%.*s\"", dotted.n ? "." : "", STR_ARGS(child->name));
	visit.has_dotted = parent->has_dotted && !in_list && str_find(child->name, '"') == child->name.n;
	struct str text = buf_str(&pointer);
	UNIT_ROW(json_path_valid(text) && json_path(visit.root, text) == child, buf_z(&pointer));
	if (visit.has_dotted) {
		text = buf_str(&dotted);
		UNIT_ROW(json_path_valid(text) && json_path(visit.root, text) == child, buf_z(&dotted));
		*visit.seen += 1;
	}
	buf_z(&dotted);
	CU_ASSERT_FALSE(pointer.full || dotted.full);
	visit_children(&visit, child);
}

static void both_forms_agree(void)
{
	const char *given = getenv("TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	printf(" (TEST_SEED=%llu) ", (unsigned long long)seed);
	state = seed * 2 + 1;
	unsigned seen = 0;
	for (unsigned i = 0; i < DOCUMENTS; i++) {
		static char memory[DOCUMENT];
		struct visit visit = {.has_dotted = true, .seen = &seen};
		struct buf text = buf_over(memory, sizeof memory);
		random_value(&text, 4);
		/* A name may come twice by chance. */
		if (json_parse(arena, buf_str(&text), &visit.root))
			visit_children(&visit, visit.root);
		arena_reset(arena);
	}
	CU_ASSERT(seen > DOCUMENTS);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"dotted names", dotted_names},
		{"pointers", pointers},
		{"both forms agree", both_forms_agree},
		{0},
	};
	if (!arena_open(ARENA, &arena))
		return 1;
	int status = unit_main("json path", cases);
	arena_close(&arena);
	return status;
}
