/* SPDX-License-Identifier: Apache-2.0 */
/* The first line is a rule, or an attribute where it begins with "AUTH_"; what follows
 * is the document that it looks into, as claims and as profile. */
#include "fuzz.h"
#include "http/reply.h"
#include "policy/attribute.h"
#include "policy/rule.h"

enum { ARENA = 1 << 22 };

static struct arena *arena;

static void check_source(const struct value_source *source)
{
	bool has_path = source->kind == SOURCE_CLAIM || source->kind == SOURCE_PROFILE;
	FUZZ_CHECK(!has_path || json_path_valid(source->value));
}

/* Whatever is written and whatever comes: `not` turns it round, and so does the other
 * of = and !=. */
static void check_rule(const struct conf_text *line, const struct subject *subject)
{
	struct rule rule;
	struct conf_error error;
	if (!rule_parse(line, &rule, &error))
		return;
	check_source(&rule.source);
	FUZZ_CHECK(rule.source.kind != SOURCE_TEXT);
	FUZZ_CHECK((rule.value.n == 0) == (rule.op == RULE_EXISTS));
	struct rule other = rule;
	bool holds = rule_holds(&rule, subject);
	other.negated = !rule.negated;
	FUZZ_CHECK(rule_holds(&other, subject) != holds);
	if (rule.op == RULE_EQUAL || rule.op == RULE_UNEQUAL) {
		other = rule;
		other.op = rule.op == RULE_EQUAL ? RULE_UNEQUAL : RULE_EQUAL;
		FUZZ_CHECK(rule_holds(&other, subject) != holds);
	}
	if (rule.op == RULE_LESS || rule.op == RULE_AT_MOST || rule.op == RULE_EQUAL || rule.op == RULE_IN) {
		other = rule;
		other.op = RULE_EXISTS;
		FUZZ_CHECK(holds == rule.negated || rule_holds(&other, subject) != rule.negated);
	}
	FUZZ_CHECK(rule.source.kind != SOURCE_PROFILE ||
		   !rule_holds(&rule, &(struct subject){.claims = subject->claims}));
}

static void check_attribute(const struct conf_text *line, const struct subject *subject)
{
	static char memory[REPLY_MAX];
	struct attribute attribute;
	struct conf_error error;
	if (!attribute_parse(arena, line, &attribute, &error))
		return;
	FUZZ_CHECK(attribute.n_sources > 0 && attribute.n_sources <= ATTRIBUTE_SOURCES_MAX);
	for (size_t i = 0; i < attribute.n_sources; i++)
		check_source(&attribute.sources[i]);
	struct str value = attribute_value(arena, &attribute, subject);
	FUZZ_CHECK(!value.p || !attribute_left_out(arena, &attribute, subject));
	if (value.p) {
		/* What is not left out can be handed on. */
		struct reply reply = {.out = buf_over(memory, sizeof memory)};
		char name[96];
		struct buf header = buf_over(name, sizeof name);
		buf_printf(&header, "Variable-%.*s", STR_ARGS(attribute.name));
		reply_begin(&reply, 200);
		FUZZ_CHECK(str_is_utf8(value) && reply_header(&reply, buf_z(&header), value));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = {(const char *)data, size};
	size_t end = str_find(input, '\n');
	struct conf_text line = {.value = str_trim((struct str){input.p, end}), .file = "fuzz", .line = 1};
	struct claims claims = {.user_id = {"ann@corp.test", 13}};
	struct subject subject = {.claims = &claims};
	if (!arena)
		FUZZ_CHECK(arena_open(ARENA, &arena));
	arena_reset(arena);
	if (end == size || !json_parse(arena, str_skip(input, end + 1), &claims.all))
		return 0;
	subject.profile = claims.all;
	if (str_starts(line.value, STR("AUTH_")))
		check_attribute(&line, &subject);
	else
		check_rule(&line, &subject);
	return 0;
}
