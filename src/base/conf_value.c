/* SPDX-License-Identifier: Apache-2.0 */
/* From entries to typed values, by the table of the section. */
#include <string.h>

#include "base/conf_internal.h"

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit durations[] = {{"ms", 1},	{"s", 1000},	 {"m", 60000},
					{"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit sizes[] = {{"", 1}, {"k", 1024}, {"m", 1048576}, {"g", 1073741824}, {NULL, 0}};

static bool with_unit(struct str text, const struct unit *units, int64_t *out)
{
	size_t digits = 0;
	while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
		digits++;
	uint64_t value;
	if (!str_to_uint((struct str){text.p, digits}, INT64_MAX, &value))
		return false;
	struct str unit = str_skip(text, digits);
	for (const struct unit *u = units; u->name; u++)
		if (str_eq_nocase(unit, str_of(u->name)))
			return !__builtin_mul_overflow((int64_t)value, u->factor, out);
	return false;
}

bool conf_duration(struct str text, int64_t *milliseconds)
{
	if (!str_eq(text, STR("0")))
		return with_unit(text, durations, milliseconds);
	*milliseconds = 0;
	return true;
}

bool conf_size(struct str text, int64_t *bytes)
{
	return with_unit(text, sizes, bytes);
}

/* Levenshtein's distance between two short words. */
static size_t distance(struct str a, struct str b)
{
	size_t row[64];
	if (a.n > 63 || b.n > 63)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t change = diagonal + (a.p[i - 1] != b.p[j - 1]);
			size_t add = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
			diagonal = row[j];
			row[j] = change < add ? change : add;
		}
	}
	return row[b.n];
}

const char *conf_nearest(struct str key, const char *(*word)(const void *list, size_t i), const void *list)
{
	const char *best = NULL;
	size_t least = key.n / 2 + 1;
	for (size_t i = 0; word(list, i); i++) {
		size_t d = distance(key, str_of(word(list, i)));
		if (d < least) {
			least = d;
			best = word(list, i);
		}
	}
	return best;
}

static bool in_range(const char *range, int64_t value, int64_t (*number)(struct str))
{
	struct str rest = str_of(range), least;
	if (!rest.p)
		return true;
	str_split(&rest, '-', &least);
	return value >= number(least) && (rest.n == 0 || value <= number(rest));
}

static int64_t as_duration(struct str text)
{
	int64_t value = 0;
	conf_duration(text, &value);
	return value;
}

static int64_t as_size(struct str text)
{
	int64_t value = 0;
	conf_size(text, &value);
	return value;
}

static int word_index(const char *words, struct str value)
{
	struct str rest = str_of(words), word;
	for (int i = 0; str_split(&rest, '|', &word); i++)
		if (str_eq(word, value))
			return i;
	return -1;
}

static const char *set_text(const struct conf_opt *opt, struct str v, const struct conf_text *text, void *to)
{
	if (v.n == 0)
		return "is empty: give a value or leave the line out";
	if (opt->type == CONF_PATH && v.p[0] != '/')
		return "is a path from the root: begin it with '/'";
	bool url = str_starts(v, STR("http://")) || str_starts(v, STR("https://")) ||
		   (v.p[0] == '/' && !str_starts(v, STR("//")));
	if (opt->type == CONF_URL && !url)
		return "is a URL: http://…, https://…, or a path that begins with '/'";
	*(struct conf_text *)to = *text;
	return NULL;
}

static const char *set_number(const struct conf_opt *opt, struct str v, int64_t *to)
{
	bool duration = opt->type == CONF_DURATION;
	uint64_t plain = 0;
	bool good;
	if (duration)
		good = conf_duration(v, to);
	else if (opt->type == CONF_SIZE)
		good = conf_size(v, to);
	else
		good = str_to_uint(v, INT64_MAX, &plain);
	if (opt->type == CONF_INT)
		*to = (int64_t)plain;
	if (!good)
		return duration			? "is a duration: a number and ms, s, m, h or d, as 50ms or 8h"
		       : opt->type == CONF_SIZE ? "is a size: a number of bytes, or with k, m or g, as 64k"
						: "is a whole number";
	return in_range(opt->range, *to, duration ? as_duration : as_size) ? NULL : "is out of range";
}

/* Set the value; NULL, or what is wrong with it. */
static const char *set_single(const struct conf_opt *opt, const struct conf_text *text, void *to)
{
	struct str v = text->value;
	switch (opt->type) {
	case CONF_BOOL:
		if (!str_eq(v, STR("on")) && !str_eq(v, STR("off")))
			return "is on or off";
		*(bool *)to = str_eq(v, STR("on"));
		return NULL;
	case CONF_WORD:
		if (word_index(opt->range, v) < 0)
			return "is one of";
		*(int *)to = word_index(opt->range, v);
		return NULL;
	case CONF_INT:
	case CONF_SIZE:
	case CONF_DURATION:
		return set_number(opt, v, to);
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_URL:
	case CONF_LIST:
	case CONF_LINES:
		break;
	}
	return set_text(opt, v, text, to);
}

static bool is_list(const struct conf_opt *opt)
{
	return opt->type == CONF_LIST || opt->type == CONF_LINES;
}

static size_t count_parts(const struct conf_opt *opt, struct str value)
{
	size_t n = 1;
	for (size_t i = 0; opt->type == CONF_LIST && i < value.n; i++)
		n += value.p[i] == ',';
	return n;
}

/* Put one line's values behind those at items; false: one of them is empty. */
static bool add_parts(struct arena *arena, const struct conf_opt *opt, const struct conf_text *text,
		      struct conf_text *items, size_t *n)
{
	struct str rest = text->value, part = rest;
	bool more = true;
	while (more) {
		if (opt->type == CONF_LIST)
			str_split(&rest, ',', &part);
		more = opt->type == CONF_LIST && rest.p;
		part = str_trim(part);
		struct str copy = arena_copy(arena, part);
		if (part.n == 0 || !copy.p)
			return false;
		items[(*n)++] = (struct conf_text){copy, text->file, text->line};
	}
	return true;
}

static bool set_list(struct arena *arena, const struct conf_section *section, const struct conf_opt *opt,
		     const struct conf_entry *entries, struct conf_error *error)
{
	size_t n = 0;
	struct str key = str_of(opt->key);
	for (const struct conf_entry *e = entries; e; e = e->next)
		if (str_eq(e->key, key))
			n += count_parts(opt, e->text.value);
	if (n == 0)
		return true;
	struct conf_text *items = arena_array(arena, n, sizeof *items);
	n = 0;
	for (const struct conf_entry *e = entries; e; e = e->next)
		if (str_eq(e->key, key) && (!items || !add_parts(arena, opt, &e->text, items, &n)))
			return conf_fail_at(error, &e->text, opt->key, "a value of the list is empty");
	struct conf_list *list = (struct conf_list *)((char *)section->values + opt->offset);
	*list = (struct conf_list){items, n};
	return true;
}

static bool set_initial(struct arena *arena, const struct conf_section *section, const struct conf_opt *opt,
			struct conf_error *error)
{
	/* 0 can be given: nothing given has to look different. */
	if (!opt->initial && opt->type == CONF_DURATION)
		*(int64_t *)(void *)((char *)section->values + opt->offset) = -1;
	if (!opt->initial)
		return true;
	struct conf_text text = {str_of(opt->initial), section->file, section->line};
	struct conf_entry entry = {.key = str_of(opt->key), .text = text};
	if (is_list(opt))
		return set_list(arena, section, opt, &entry, error);
	const char *wrong = set_single(opt, &text, (char *)section->values + opt->offset);
	return !wrong || conf_fail(error, section, opt->key, "the built-in default %s", wrong);
}

static bool set_option(const struct conf_section *section, const struct conf_opt *opt, struct conf_error *error)
{
	const struct conf_text *given = NULL;
	for (const struct conf_entry *e = section->entries; e; e = e->next) {
		if (!str_eq(e->key, str_of(opt->key)))
			continue;
		if (given)
			return conf_fail_at(error, &e->text, opt->key, "is given a second time; the first is at %s:%u",
					    given->file, given->line);
		given = &e->text;
	}
	const char *wrong = given ? set_single(opt, given, (char *)section->values + opt->offset) : NULL;
	if (!wrong)
		return true;
	bool ranged = opt->range && (opt->type == CONF_WORD || strcmp(wrong, "is out of range") == 0);
	return conf_fail_at(error, given, opt->key, "\"%.*s\": this %s%s%s", STR_ARGS(given->value), wrong,
			    ranged ? " " : "", ranged ? opt->range : "");
}

static const char *option_word(const void *list, size_t i)
{
	return ((const struct conf_opt *)list)[i].key;
}

static bool is_known(const struct conf_section *section, struct str key)
{
	for (const struct conf_opt *opt = section->kind->opts; opt->key; opt++)
		if (str_eq(key, str_of(opt->key)))
			return true;
	return false;
}

static bool check_keys(const struct conf_section *section, struct conf_error *error)
{
	for (const struct conf_entry *e = section->entries; e; e = e->next) {
		if (is_known(section, e->key))
			continue;
		const char *near = conf_nearest(e->key, option_word, section->kind->opts);
		return conf_error_set(error, e->text.file, e->text.line,
				      "%.*s: [%s] has no such key%s%s%s (all keys: authctl reference)",
				      STR_ARGS(e->key), section->kind->name, near ? "; did you mean " : "",
				      near ? near : "", near ? "?" : "");
	}
	return true;
}

bool conf_apply(struct arena *arena, struct conf_section *section, struct conf_error *error)
{
	if (!check_keys(section, error))
		return false;
	for (const struct conf_opt *opt = section->kind->opts; opt->key; opt++) {
		if (!set_initial(arena, section, opt, error))
			return false;
		bool good = is_list(opt) ? set_list(arena, section, opt, section->entries, error)
					 : set_option(section, opt, error);
		if (!good)
			return false;
	}
	return true;
}
