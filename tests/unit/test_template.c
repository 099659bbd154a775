/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: what each mark prints, and what is refused with its line. */
#include "policy/template.h"

#include <string.h>

#include "unit.h"

static struct arena *arena;

struct bed {
	const char *main, *other, *sheet;
};

static bool find(void *context, struct str name, struct template_source *out)
{
	const struct bed *bed = context;
	const char *text = str_eq(name, STR("main"))	    ? bed->main
			   : str_eq(name, STR("other"))	    ? bed->other
			   : str_eq(name, STR("sheet.css")) ? bed->sheet
							    : NULL;
	if (!text)
		return false;
	*out = (struct template_source){str_eq(name, STR("main")) ? "main.html" : "other.html", str_of(text)};
	return true;
}

static struct template_scope second = {.values = &(struct template_value){.name = "id", .text = {"b", 1}}};
static struct template_scope first = {.values = &(struct template_value){.name = "id", .text = {"<a", 2}},
				     .next = &second};
static struct template_value flag = {.name = "flag", .on = true};
static struct template_value empty = {.name = "empty", .text = {"", 0}, .next = &flag};
static struct template_value words = {.name = "words", .text = {"Sign in", 7}, .next = &empty};
static struct template_value list = {.name = "list", .next = &words};
static struct template_value name = {.name = "name", .text = {"<&\"'>", 5}, .next = &list};
static const struct template_scope scope = {.values = &name};
static const struct catalogue_entry entries[] = {{{"Sign in", 7}, {"An<melden", 9}}};
static const struct catalogue german = {.language = {"de", 2}, .entries = entries, .n = 1};

/* The page, or what is wrong. */
static struct str print(const struct bed *bed, const struct template_name *known)
{
	static char memory[4096];
	struct buf out = buf_over(memory, sizeof memory);
	struct bed own = *bed;
	struct template_files files = {.find = find, .context = &own, .known = known};
	struct template template;
	if (arena)
		arena_reset(arena);
	else
		CU_ASSERT_FATAL(arena_open(1 << 20, &arena));
	first.parent = second.parent = &scope;
	list.items = &first;
	if (template_parse(arena, &files, STR("main"), &template, &out))
		template_print(&template, &scope, &(struct template_output){arena, &german, &out});
	return buf_str(&out);
}

static void marks(void)
{
	static const struct {
		struct bed bed;
		const char *want;
	} rows[] = {
		{{"", NULL, NULL}, ""},
		{{"plain", NULL, NULL}, "plain"},
		{{"{{name}}", NULL, NULL}, "&lt;&amp;&quot;&#39;&gt;"},
		{{"a{{nobody}}b", NULL, NULL}, "ab"},
		{{"{{words}} {{~words}} {{\"Sign in\"}} {{\"Else\"}}", NULL, NULL},
		 "Sign in An&lt;melden An&lt;melden Else"},
		{{"{{#flag}}on{{/flag}}{{^flag}}off{{/flag}}", NULL, NULL}, "on"},
		{{"{{#empty}}on{{/empty}}{{^empty}}off{{/empty}}", NULL, NULL}, "off"},
		{{"{{#nobody}}on{{/nobody}}{{^nobody}}off{{/nobody}}", NULL, NULL}, "off"},
		{{"{{#name}}[{{name}}]{{/name}}", NULL, NULL}, "[&lt;&amp;&quot;&#39;&gt;]"},
		{{"{{#list}}({{id}} {{words}}){{/list}}", NULL, NULL}, "(&lt;a Sign in)(b Sign in)"},
		{{"{{^list}}none{{/list}}{{id}}", NULL, NULL}, ""},
		{{"{{#list}}{{#flag}}{{id}}{{/flag}}{{/list}}", NULL, NULL}, "&lt;ab"},
		{{"a{{! no {{ here }}b", NULL, NULL}, "ab"},
		{{"a\n\t\t{{#flag}}\n  b\n{{/flag}}\n\n\nc", NULL, NULL}, "a\nb\nc"},
		{{"[{{>other}}]", "({{words}})", NULL}, "[(Sign in)]"},
		{{"{{>sheet.css}}", NULL, "/* x */\na {\n\tb : c;\n}\n"}, "<style>a{b :c;}</style>"},
		{{"{{>sheet.css}}", NULL, "/* nothing */"}, ""},
		{{"a } } b { c", NULL, NULL}, "a } } b { c"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_STR_EQ(print(&rows[i].bed, NULL), str_of(rows[i].want), rows[i].bed.main);
}

static void refused(void)
{
	static const struct template_name known = {{"words", 5}, NULL};
	static const struct {
		struct bed bed;
		const char *want;
	} rows[] = {
		{{"a\n{{name", NULL, NULL}, "main.html:2: {{ without }}"},
		{{"{{}}", NULL, NULL}, "main.html:1: \"\" can't be the name of a value"},
		{{"{{Name}}", NULL, NULL}, "main.html:1: \"Name\" can't be the name of a value"},
		{{"\n\n{{#a}}x", NULL, NULL}, "main.html:3: {{#a}} has no end"},
		{{"{{#words}}x{{/word}}", NULL, NULL}, "main.html:1: {{/word}} ends no block that is open"},
		{{"{{/words}}", NULL, NULL}, "main.html:1: {{/words}} ends no block that is open"},
		{{"{{#words}}{{>other}}{{/words}}", "x\n{{/words}}", NULL},
		 "other.html:2: {{/words}} ends no block that is open"},
		{{"{{#words}}{{#words}}{{/words}}{{/words}}", NULL, NULL},
		 "main.html:1: {{#words}} stands inside itself"},
		{{"{{#a}}{{#b}}{{#c}}{{#d}}{{#e}}{{#f}}{{#g}}{{#h}}{{#i}}", NULL, NULL},
		 "main.html:1: blocks are more than 8 deep"},
		{{"{{>main}}", NULL, NULL}, "main.html:1: files name each other more than 8 deep"},
		{{"{{>../x}}", NULL, NULL}, "main.html:1: there is no file \"../x.html\""},
		{{"{{>x}}", NULL, NULL}, "main.html:1: there is no file \"x.html\""},
		{{"{{>x.css}}", NULL, NULL}, "main.html:1: there is no file \"x.css\""},
		{{"{{\"a}}", NULL, NULL}, "main.html:1: a text ends with \"}}"},
		{{"\n<script>1</script>", NULL, NULL},
		 "main.html:2: \"<script\" is forbidden by the page's Content-Security-Policy: write style.css"},
		{{"{{>sheet.css}}", NULL, "a:after{content:'</style>'}"},
		 "main.html:1: other.html has \"</\", which would end the style sheet"},
		{{"\xff", NULL, NULL}, "main.html:1: is no UTF-8"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_STR_EQ(print(&rows[i].bed, NULL), str_of(rows[i].want), rows[i].bed.main);
	UNIT_STR_EQ(print(&(struct bed){"{{words}}\n{{wrods}}", NULL, NULL}, &known),
		    STR("main.html:2: no page has a value \"wrods\""), "unknown name");
	UNIT_STR_EQ(print(&(struct bed){"{{words}}", NULL, NULL}, &known), STR("Sign in"), "known name");
}

/* A page that is too long for its buffer ends there. */
static void bounded(void)
{
	char memory[8];
	struct buf out = buf_over(memory, sizeof memory), why = buf_over(memory, 0);
	struct bed bed = {"{{#list}}{{#flag}}{{name}}{{/flag}}{{/list}}", NULL, NULL};
	struct template_files files = {.find = find, .context = &bed};
	struct template template;
	CU_ASSERT_FATAL(template_parse(arena, &files, STR("main"), &template, &why));
	template_print(&template, &scope, &(struct template_output){arena, NULL, &out});
	CU_ASSERT(out.full && out.n <= sizeof memory);
	arena_close(&arena);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"marks", marks},
		{"refused", refused},
		{"bounded", bounded},
		{NULL, NULL},
	};
	return unit_main("template", cases);
}
