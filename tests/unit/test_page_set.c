/* SPDX-License-Identifier: Apache-2.0 */
/* What [login] says of the pages: what is taken, what is refused and where. */
#include "policy/runtime.h"

#include <string.h>
#include <sys/stat.h>

#include "folder.h"
#include "unit.h"

static struct folder folder;

/* Open a configuration with these lines in [login], where DIR is the folder; the
 * error's text, or "" when it is good. */
static const char *open_with(const char *lines, struct snapshot **out)
{
	static struct conf_error error;
	char text[4096];
	struct buf b = buf_over(text, sizeof text);
	error.text[0] = '\0';
	*out = NULL;
	buf_add(&b, STR("[issuer \"main\"]\nalgorithms = HS256\nsecret = text:0123456789abcdef0123456789abcdef-main\n"
			"[policy \"site\"]\npath = /**\n[login]\n"));
	for (const char *at; (at = strstr(lines, "DIR")); lines = at + 3)
		buf_printf(&b, "%.*s%s", (int)(at - lines), lines, folder.path);
	buf_printf(&b, "%s\n", lines);
	folder_write(&folder, "conf", buf_str(&b));
	if (!snapshot_open(folder_file(&folder, "conf"), 1, out, &error))
		*out = NULL;
	return error.text;
}

static void refuses(void)
{
	static const struct {
		const char *file, *text, *lines, *error; /* a part of it; NULL: good */
	} rows[] = {
		{NULL, NULL, "", NULL},
		{NULL, NULL, "color = #12ab9F", NULL},
		{NULL, NULL, "color = red", "color: write it as #2450c8"},
		{NULL, NULL, "language = de", NULL},
		{NULL, NULL, "language = fr", "language: there is no \"fr\""},
		{NULL, NULL, "template-dir = DIR", NULL},
		{NULL, NULL, "template-dir = DIR/none", "template-dir: "},
		{NULL, NULL, "logo = DIR/none.png", "logo: "},
		{"a.png", "\x89PNG\r\n\x1a\nrest", "logo = DIR/a.png", NULL},
		{"a.png", "GIF89a", "logo = DIR/a.png", "a.png is no PNG, SVG, JPEG or WebP"},
		{"login.html", "{{csrf}} {{user}}", "template-dir = DIR", NULL},
		{"login.html", "{{user}}", "template-dir = DIR", "login.html:1: has no {{csrf}}"},
		{"login.html", "{{csrf}}\n{{usr}}", "template-dir = DIR",
		 "/login.html:2: no page has a value \"usr\""},
		{"login.html", "{{csrf}}\n\n{{#user}}", "template-dir = DIR", "/login.html:3: {{#user}} has no end"},
		{"logni.html", "", "template-dir = DIR", "/logni.html: no page has that name"},
		{"style.css", "a{}", "template-dir = DIR", NULL},
		{"style.css", "a:after{content:'</'}", "template-dir = DIR", "style.css has \"</\""},
		{"fr.catalogue", "Sign in = Se connecter", "template-dir = DIR\nlanguage = fr", NULL},
		{"fr.catalogue", "\nSign in", "template-dir = DIR", "/fr.catalogue:2: write: English text ="},
		{"f.catalogue", "", "template-dir = DIR", "\"f\" is no language"},
		{".login.html", "{{", "template-dir = DIR", NULL},
		{"login.html~", "{{", "template-dir = DIR", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct snapshot *snapshot;
		folder_open(&folder);
		if (rows[i].file)
			folder_write(&folder, rows[i].file, str_of(rows[i].text));
		const char *error = open_with(rows[i].lines, &snapshot);
		bool as_wanted = rows[i].error ? strstr(error, rows[i].error) != NULL : error[0] == '\0';
		UNIT_ROW(as_wanted && (snapshot == NULL) == (rows[i].error != NULL), error[0] ? error : rows[i].lines);
		snapshot_close(&snapshot);
		folder_close(&folder);
	}
}

static struct str print(const struct snapshot *snapshot, struct arena *arena, const char *name, const char *language)
{
	static char memory[64 << 10];
	struct buf out = buf_over(memory, sizeof memory);
	const struct template *template = page_set_template(snapshot->pages, str_of(name));
	const struct catalogue *catalogue = page_set_catalogue(snapshot->pages, str_of(language));
	CU_ASSERT_FATAL(template && catalogue);
	const struct template_scope scope = {NULL, NULL, NULL};
	template_print(template, &scope, &(struct template_output){arena, catalogue, &out});
	return buf_str(&out);
}

static void own_files(void)
{
	struct snapshot *snapshot;
	struct arena *arena;
	CU_ASSERT_FATAL(arena_open(1 << 16, &arena));
	folder_open(&folder);
	folder_write(&folder, "login.html", STR("{{>mine}}{{\"Sign in\"}} {{\"Password\"}} {{\"Mine\"}}{{csrf}}\n"));
	folder_write(&folder, "mine.html", STR("{{>style.css}}"));
	folder_write(&folder, "style.css", STR("a { b: c }"));
	folder_write(&folder, "de.catalogue", STR("Sign in = Hinein\nMine = Meins"));
	folder_write(&folder, "en.catalogue", STR("Sign in = Log in"));
	UNIT_STR_EQ(str_of(open_with("template-dir = DIR\ncolor = #ff0000", &snapshot)), STR(""), "good");
	CU_ASSERT_FATAL(snapshot != NULL);
	UNIT_STR_EQ(print(snapshot, arena, "login", "de"), STR("<style>a{b:c}</style>Hinein Passwort Meins\n"), "de");
	UNIT_STR_EQ(print(snapshot, arena, "login", "EN"), STR("<style>a{b:c}</style>Log in Password Mine\n"), "en");
	struct str other = print(snapshot, arena, "logout", "de");
	CU_ASSERT(memmem(other.p, other.n, "<style>a{b:c}</style>", 21) != NULL);
	CU_ASSERT(memmem(other.p, other.n, ":root{--act:#", 13) != NULL);
	snapshot_close(&snapshot);
	folder_close(&folder);
	arena_close(&arena);
}

/* Whoever could write a template could ask for passwords. */
static void written_by_all(void)
{
	struct snapshot *snapshot;
	folder_open(&folder);
	folder_write(&folder, "login.html", STR("{{csrf}}"));
	CU_ASSERT(chmod(folder_file(&folder, "login.html"), 0666) == 0);
	CU_ASSERT(strstr(open_with("template-dir = DIR", &snapshot), "login.html") != NULL);
	CU_ASSERT(snapshot == NULL);
	folder_close(&folder);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"what is refused", refuses},
		{"own files", own_files},
		{"written by all", written_by_all},
		{NULL, NULL},
	};
	return unit_main("page_set", cases);
}
