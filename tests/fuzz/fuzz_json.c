/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON parser: what it accepts is a tree that holds together. */
#include "fuzz.h"
#include "token/json.h"

static unsigned nodes;

static void check_value(const struct json *value, unsigned depth)
{
	FUZZ_CHECK(value->type <= JSON_OBJECT);
	FUZZ_CHECK(value->raw.n > 0);
	FUZZ_CHECK(++nodes <= JSON_NODES_MAX);
	if (value->type == JSON_STRING)
		FUZZ_CHECK(value->text.p && str_is_utf8(value->text) && str_find(value->text, '\0') == value->text.n);
	if (value->type == JSON_NUMBER)
		FUZZ_CHECK(str_eq(value->text, value->raw));
	FUZZ_CHECK(!value->child || depth < JSON_DEPTH_MAX);
	FUZZ_CHECK(!value->child || value->type == JSON_ARRAY || value->type == JSON_OBJECT);
	for (const struct json *child = value->child; child; child = child->next) {
		if (value->type == JSON_OBJECT)
			FUZZ_CHECK(child->name.p && json_member(value, child->name) == child);
		check_value(child, depth + 1);
	}
}

static void check_readers(struct arena *arena, const struct json *value)
{
	int64_t integer, date;
	struct str text;
	FUZZ_CHECK(json_string(value, &text) == (value->type == JSON_STRING));
	if (json_date(value, &date))
		FUZZ_CHECK(date >= 0 && value->type == JSON_NUMBER);
	if (json_integer(value, &integer) && integer > 0)
		FUZZ_CHECK(json_date(value, &date) && date == integer);
	text = json_text(arena, value);
	FUZZ_CHECK(!text.p || str_is_utf8(text));
	for (const struct json *child = value->child; child; child = child->next)
		check_readers(arena, child);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena;
	const struct json *tree, *again;
	struct str input = {(const char *)data, size};
	if (!arena)
		FUZZ_CHECK(arena_open(1 << 22, &arena));
	arena_reset(arena);
	nodes = 0;
	/* A path is foreign only in a configuration, but has to be safe as well. */
	FUZZ_CHECK(json_path_valid(input) || !json_path(NULL, input));
	if (!json_parse(arena, input, &tree))
		return 0;
	check_value(tree, 0);
	check_readers(arena, tree);
	FUZZ_CHECK(json_parse(arena, tree->raw, &again) && again->type == tree->type);
	json_path(tree, input);
	return 0;
}
