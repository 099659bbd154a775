/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of `require`. */
#include "policy/rule.h"

#include <string.h>

static const struct operator {
	struct str text;
	enum rule_op op;
} operators[] = {
	{{"=", 1}, RULE_EQUAL},
	{{"!=", 2}, RULE_UNEQUAL},
	{{"in", 2}, RULE_IN},
	{{"contains", 8}, RULE_CONTAINS},
	{{"domain", 6}, RULE_DOMAIN},
	{{"exists", 6}, RULE_EXISTS},
	{{"<", 1}, RULE_LESS},
	{{"<=", 2}, RULE_AT_MOST},
	{{">", 1}, RULE_MORE},
	{{">=", 2}, RULE_AT_LEAST},
};

static bool is_comparison(enum rule_op op)
{
	return op == RULE_LESS || op == RULE_AT_MOST || op == RULE_MORE || op == RULE_AT_LEAST;
}

/* Parsing ---------------------------------------------------------------- */

static const struct operator *find_operator(struct str word)
{
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (str_eq(word, operators[i].text))
			return &operators[i];
	return NULL;
}

static bool has_blank(struct str text)
{
	return str_find(text, ' ') < text.n || str_find(text, '\t') < text.n;
}

/* As in "corp.example": what stands behind the '@' of an address. */
static bool is_domain(struct str text)
{
	return text.n > 0 && text.p[0] != '.' && !str_ends(text, STR(".")) && !has_blank(text) &&
	       str_find(text, '@') == text.n && str_find(text, '*') == text.n;
}

static bool all_items(struct str list, bool (*is_good)(struct str item))
{
	struct str item;
	while (str_split(&list, ',', &item))
		if (!is_good(str_trim(item)))
			return false;
	return true;
}

static bool is_given(struct str item)
{
	return item.n > 0;
}

/* NULL, or why this operator cannot be used with this source and value. */
static const char *check_value(const struct rule *rule)
{
	struct json number;
	struct str value = rule->value;
	bool text_source = rule->source.kind == SOURCE_USER || rule->source.kind == SOURCE_SCOPE;
	if (rule->op == RULE_EXISTS)
		return value.n == 0 ? NULL : "takes no value";
	if (value.n == 0)
		return "needs a value";
	if (value.n > 1 && value.p[0] == '"' && str_ends(value, STR("\"")))
		return "takes its value without quotes: they would belong to it";
	if (is_comparison(rule->op) && text_source)
		return "compares numbers: user and scope are text";
	if (is_comparison(rule->op) && !json_number(value, &number))
		return "compares numbers, written as in JSON";
	if (rule->op == RULE_CONTAINS && has_blank(value))
		return "looks for one word: use = for the whole text, or for a name in a list";
	if (rule->op == RULE_IN && !all_items(value, is_given))
		return "has an empty item in its list";
	if (rule->op == RULE_DOMAIN && !all_items(value, is_domain))
		return "takes domains, as corp.example: what stands behind the @, without a dot at either end";
	return NULL;
}

/* Cut a word off *rest. */
static struct str next_word(struct str *rest)
{
	struct str text = str_trim(*rest);
	size_t end = 0;
	while (end < text.n && text.p[end] != ' ' && text.p[end] != '\t')
		end++;
	*rest = str_trim(str_skip(text, end));
	return (struct str){text.p, end};
}

static bool read_op(struct str rest, const struct conf_text *line, struct rule *rule, struct conf_error *error)
{
	struct str word = next_word(&rest);
	const struct operator *operator = find_operator(word);
	if (word.n == 0)
		return conf_fail_at(error, line, "require",
				    "write: [not] SOURCE OPERATOR VALUE, as claim:roles = admin");
	if (!operator)
		return conf_fail_at(error, line, "require",
				    "\"%.*s\" is no operator: =, !=, in, contains, domain, exists, <, <=, >, >=",
				    STR_ARGS(word));
	rule->op = operator->op;
	rule->value = rest;
	const char *wrong = check_value(rule);
	return !wrong || conf_fail_at(error, line, "require", "%.*s %s", STR_ARGS(word), wrong);
}

bool rule_parse(const struct conf_text *line, struct rule *out, struct conf_error *error)
{
	struct rule rule = {.text = line->value};
	struct str rest = line->value, ahead = rest;
	if (str_eq(next_word(&ahead), STR("not"))) {
		rule.negated = true;
		rest = ahead;
	}
	struct str word = value_source_cut(&rest, ' ');
	const char *wrong = value_source_read(word, &rule.source);
	if (wrong || rule.source.kind == SOURCE_TEXT)
		return conf_fail_at(error, line, "require",
				    "\"%.*s\" %s (sources are claim:PATH, profile:PATH, user, scope)", STR_ARGS(word),
				    wrong ? wrong : "cannot be asked for");
	if (!read_op(rest, line, &rule, error))
		return false;
	*out = rule;
	return true;
}

/* Judging ---------------------------------------------------------------- */

static bool equals(const struct json *value, struct str want)
{
	struct json number;
	if (value->type == JSON_NUMBER && json_number(want, &number))
		return json_compare(value, &number) == 0;
	struct str text = json_scalar(value);
	return text.p && str_eq(text, want);
}

static bool in_list(const struct json *value, struct str list)
{
	struct str item;
	while (str_split(&list, ',', &item))
		if (equals(value, str_trim(item)))
			return true;
	return false;
}

static bool has_word(const struct json *value, struct str wanted)
{
	struct str words = value->text, word;
	if (value->type != JSON_STRING)
		return equals(value, wanted);
	while (str_split(&words, ' ', &word))
		if (str_eq(word, wanted))
			return true;
	return false;
}

/* What may stand before the '@' without quotes (RFC 5322 section 3.2.3, RFC 6532): with
 * anything else, programs disagree on which address it is, and on how many. */
static bool is_local_part(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] <= 0x20 || text.p[i] == 0x7f || strchr("()<>[]:;\\,\"", text.p[i]))
			return false;
	return text.n > 0;
}

/* Is it an address, and its domain one of the list? */
static bool in_domain(const struct json *value, struct str list)
{
	struct str address, item;
	if (!json_string(value, &address))
		return false;
	size_t at = str_find(address, '@');
	if (at == address.n || !is_local_part((struct str){address.p, at}))
		return false;
	while (str_split(&list, ',', &item))
		if (str_eq_nocase(str_skip(address, at + 1), str_trim(item)))
			return true;
	return false;
}

static bool compares(const struct json *value, enum rule_op op, struct str want)
{
	struct json number;
	if (value->type != JSON_NUMBER || !json_number(want, &number))
		return false;
	int order = json_compare(value, &number);
	return op == RULE_LESS ? order < 0 : op == RULE_AT_MOST ? order <= 0 : op == RULE_MORE ? order > 0 : order >= 0;
}

/* One value; a list or an object is not one. */
static bool scalar_holds(const struct rule *rule, const struct json *value)
{
	switch (rule->op) {
	case RULE_EQUAL:
	case RULE_UNEQUAL:
		return equals(value, rule->value);
	case RULE_IN:
		return in_list(value, rule->value);
	case RULE_CONTAINS:
		return has_word(value, rule->value);
	case RULE_DOMAIN:
		return in_domain(value, rule->value);
	case RULE_EXISTS:
		return true;
	case RULE_LESS:
	case RULE_AT_MOST:
	case RULE_MORE:
	case RULE_AT_LEAST:
		break;
	}
	return compares(value, rule->op, rule->value);
}

/* A scope is a set of words (RFC 6749 section 3.3), written as one text or as a list. */
static bool scope_holds(const struct rule *rule, const struct json *value)
{
	struct str words, word;
	if (!json_string(value, &words))
		return false;
	while (str_split(&words, ' ', &word))
		if (word.n && scalar_holds(rule, &(struct json){.type = JSON_STRING, .text = word}))
			return true;
	return false;
}

static bool element_holds(const struct rule *rule, const struct json *value)
{
	return rule->source.kind == SOURCE_SCOPE ? scope_holds(rule, value) : scalar_holds(rule, value);
}

static bool value_holds(const struct rule *rule, const struct json *value)
{
	if (!value || value->type == JSON_NULL)
		return false;
	if (rule->op == RULE_EXISTS)
		return true;
	if (value->type != JSON_ARRAY)
		return element_holds(rule, value);
	for (const struct json *element = value->child; element; element = element->next)
		if (element_holds(rule, element))
			return true;
	return false;
}

bool rule_holds(const struct rule *rule, const struct subject *subject)
{
	struct json memory;
	if (rule->source.kind == SOURCE_PROFILE && !subject->profile)
		return false;
	bool holds = value_holds(rule, value_source_find(&rule->source, subject, &memory));
	if (rule->op == RULE_UNEQUAL)
		holds = !holds;
	return holds != rule->negated;
}
