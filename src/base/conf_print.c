/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of all options, and the effective configuration. */
#include <string.h>

#include "base/conf_internal.h"

static const char *const type_words[] = {
	[CONF_TEXT] = "text",	      [CONF_PATH] = "path",   [CONF_URL] = "URL",
	[CONF_BOOL] = "on|off",	      [CONF_INT] = "number",  [CONF_SIZE] = "size",
	[CONF_DURATION] = "duration", [CONF_WORD] = "",	      [CONF_LIST] = "list",
	[CONF_LINES] = "one per line",
};

static void print_option(struct buf *out, const struct conf_opt *opt)
{
	bool words = opt->type == CONF_WORD;
	buf_printf(out, "\n# %s (%s%s%s)\n", opt->help, words ? opt->range : type_words[opt->type],
		   !words && opt->range ? " " : "", !words && opt->range ? opt->range : "");
	buf_printf(out, "%s%s =%s%s\n", "#", opt->key, opt->initial ? " " : "", opt->initial ? opt->initial : "");
}

void conf_reference(struct buf *out, const struct conf_kind *const kinds[])
{
	buf_add(out, STR("# Every section and key with its default. A key that stands behind '#' with a\n"
			 "# value has that value by default; one without has none.\n"
			 "# include = conf.d/*.conf reads further files, from any place.\n"));
	for (size_t i = 0; kinds[i]; i++) {
		buf_printf(out, "\n# %s\n", kinds[i]->help);
		buf_printf(out, kinds[i]->named ? "[%s \"NAME\"]\n" : "[%s]\n", kinds[i]->name);
		for (const struct conf_opt *opt = kinds[i]->opts; opt->key; opt++)
			print_option(out, opt);
	}
}

static bool is_masked(const char *key, const char *const masked[])
{
	for (size_t i = 0; masked[i]; i++)
		if (strcmp(key, masked[i]) == 0)
			return true;
	return false;
}

/* A secret's source is shown, its text is not. */
static void print_value(struct buf *out, const char *key, struct str value, const char *const masked[])
{
	bool hidden = is_masked(key, masked) && !str_starts(value, STR("file:")) && !str_starts(value, STR("cred:")) &&
		      !str_starts(value, STR("env:"));
	buf_printf(out, "%s = ", key);
	buf_add(out, hidden ? STR("********") : value);
	buf_char(out, '\n');
}

static bool print_given(struct buf *out, const struct conf_section *section, const char *key,
			const char *const masked[])
{
	bool given = false;
	for (const struct conf_entry *e = section->entries; e; e = e->next) {
		if (!str_eq(e->key, str_of(key)))
			continue;
		print_value(out, key, e->text.value, masked);
		given = true;
	}
	return given;
}

void conf_print(struct buf *out, const struct conf *conf, const char *const masked[])
{
	for (const struct conf_section *s = conf->sections; s; s = s->next) {
		buf_printf(out, s->name.p ? "[%s \"%.*s\"]\n" : "[%s]\n", s->kind->name, STR_ARGS(s->name));
		for (const struct conf_opt *opt = s->kind->opts; opt->key; opt++)
			if (!print_given(out, s, opt->key, masked) && opt->initial)
				print_value(out, opt->key, str_of(opt->initial), masked);
		buf_char(out, '\n');
	}
}
