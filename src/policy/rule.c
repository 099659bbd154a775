/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of `require`. */
#include "policy/rule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	struct str text;
	enum rule_op op;
	bool has_value;
} ops[] = {
	{{"=", 1}, RULE_EQUAL, true},		{{"!=", 2}, RULE_UNEQUAL, true},     {{"in", 2}, RULE_IN, true},
	{{"contains", 8}, RULE_CONTAINS, true}, {{"exists", 6}, RULE_EXISTS, false}, {{"<", 1}, RULE_LESS, true},
	{{"<=", 2}, RULE_AT_MOST, true},	{{">", 1}, RULE_MORE, true},	     {{">=", 2}, RULE_AT_LEAST, true},
};

/* The next word: up to a blank outside double quotes. */
static bool next_word(struct str *rest, struct str *word)
{
	*rest = str_trim(*rest);
	size_t end = 0;
	bool quoted = false;
	while (end < rest->n && (quoted || (rest->p[end] != ' ' && rest->p[end] != '\t')))
		quoted ^= rest->p[end++] == '"';
	*word = (struct str){rest->p, end};
	*rest = str_trim(str_skip(*rest, end));
	return word->n > 0;
}

static bool read_source(struct str word, struct rule *rule)
{
	if (str_eq(word, STR("user"))) {
		rule->source = RULE_USER;
	} else if (str_eq(word, STR("scope"))) {
		rule->source = RULE_SCOPE;
		rule->path = STR("scope");
	} else if (str_starts(word, STR("claim:")) && word.n > 6) {
		rule->source = RULE_CLAIM;
		rule->path = str_skip(word, 6);
	} else {
		return false;
	}
	return true;
}

static bool read_number(struct str text, double *out)
{
	char z[64], *end;
	if (text.n == 0 || text.n >= sizeof z)
		return false;
	memcpy(z, text.p, text.n);
	z[text.n] = '\0';
	/* Neither "inf" nor hexadecimal: what JSON takes for a number. */
	if (strspn(z, "+-.0123456789eE") != text.n)
		return false;
	errno = 0;
	*out = strtod(z, &end);
	return *end == '\0' && errno == 0;
}

static bool is_comparison(enum rule_op op)
{
	return op == RULE_LESS || op == RULE_AT_MOST || op == RULE_MORE || op == RULE_AT_LEAST;
}

static bool read_op(struct str word, struct str value, struct rule *rule, const struct conf_text *line,
		    struct conf_error *error)
{
	double number;
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
		if (!str_eq(word, ops[i].text))
			continue;
		rule->op = ops[i].op;
		rule->value = value;
		if (ops[i].has_value != (value.n > 0))
			return conf_fail_at(error, line, "require",
					    ops[i].has_value ? "%.*s needs a value" : "%.*s takes no value",
					    STR_ARGS(word));
		if (is_comparison(rule->op) && !read_number(value, &number))
			return conf_fail_at(error, line, "require", "%.*s compares numbers: \"%.*s\" is none",
					    STR_ARGS(word), STR_ARGS(value));
		return true;
	}
	return conf_fail_at(error, line, "require",
			    "\"%.*s\" is no operator: =, !=, in, contains, exists, <, <=, >, >=", STR_ARGS(word));
}

bool rule_parse(const struct conf_text *line, struct rule *out, struct conf_error *error)
{
	struct rule rule = {.text = line->value};
	struct str rest = line->value, word;
	next_word(&rest, &word);
	if (str_eq(word, STR("not"))) {
		rule.negated = true;
		next_word(&rest, &word);
	}
	if (!read_source(word, &rule))
		return conf_fail_at(error, line, "require", "\"%.*s\" is no source: claim:PATH, user or scope",
				    STR_ARGS(word));
	if (!next_word(&rest, &word))
		return conf_fail_at(error, line, "require",
				    "write: [not] SOURCE OPERATOR VALUE, as claim:roles = admin");
	if (!read_op(word, rest, &rule, line, error))
		return false;
	*out = rule;
	return true;
}

static bool in_list(struct str list, struct str text)
{
	struct str part;
	while (str_split(&list, ',', &part))
		if (str_eq(str_trim(part), text))
			return true;
	return false;
}

static bool has_word(struct str words, struct str wanted)
{
	struct str part;
	while (str_split(&words, ' ', &part))
		if (part.n && str_eq(part, wanted))
			return true;
	return false;
}

static bool compares(enum rule_op op, struct str have, struct str want)
{
	double a, b;
	if (!read_number(have, &a) || !read_number(want, &b))
		return false;
	return op == RULE_LESS ? a < b : op == RULE_AT_MOST ? a <= b : op == RULE_MORE ? a > b : a >= b;
}

static bool text_holds(const struct rule *rule, struct str text)
{
	switch (rule->op) {
	case RULE_EQUAL:
	case RULE_UNEQUAL:
		return str_eq(text, rule->value);
	case RULE_IN:
		return in_list(rule->value, text);
	case RULE_CONTAINS:
		return has_word(text, rule->value);
	case RULE_EXISTS:
		return true;
	case RULE_LESS:
	case RULE_AT_MOST:
	case RULE_MORE:
	case RULE_AT_LEAST:
		break;
	}
	return compares(rule->op, text, rule->value);
}

static bool value_holds(struct arena *arena, const struct rule *rule, const struct json *value)
{
	if (!value || value->type == JSON_NULL)
		return false;
	if (rule->op == RULE_EXISTS)
		return true;
	if (value->type == JSON_ARRAY) {
		for (const struct json *element = value->child; element; element = element->next)
			if (element->type != JSON_ARRAY && value_holds(arena, rule, element))
				return true;
		return false;
	}
	/* A number is no text: "compares" must not take the string "10" for ten. */
	if (is_comparison(rule->op) && value->type != JSON_NUMBER)
		return false;
	struct str text = json_text(arena, value);
	return text.p && text_holds(rule, text);
}

bool rule_holds(struct arena *arena, const struct rule *rule, const struct subject *subject)
{
	const struct claims *claims = subject->claims;
	bool holds;
	if (rule->source == RULE_USER)
		holds = text_holds(rule, claims->user_id);
	else
		holds = value_holds(arena, rule, json_path(claims->all, rule->path));
	if (rule->op == RULE_UNEQUAL)
		holds = !holds;
	return holds != rule->negated;
}
