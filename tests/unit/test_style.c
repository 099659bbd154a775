/* SPDX-License-Identifier: Apache-2.0 */
/* Style sheets: made short without changing them, hashed as browsers do, colours that can be read. */
#include "policy/style.h"

#include <string.h>

#include "unit.h"

static void shortened(void)
{
	static const struct {
		const char *sheet, *want;
	} rows[] = {
		{"", ""},
		{"  \n/* a */\n", ""},
		{"a {\n\tb: c d;\n}\n\nx , y > z:is(u, v) {\n}\n", "a{b:c d;}x ,y > z:is(u,v){}"},
		{"a/* x */b{}", "a b{}"},
		{"a:after { content: \" /* } \\\" */ \"; }", "a:after{content:\" /* } \\\" */ \";}"},
		{"@media (min-width: calc(1px + 2px)) {\n\ta { b: c }\n}",
		 "@media (min-width:calc(1px + 2px)){a{b:c}}"},
		{".a :focus{}", ".a :focus{}"},
		{"a /* never ends", "a"},
		{"a 'never ends", "a 'never ends"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char memory[200];
		struct buf out = buf_over(memory, sizeof memory);
		style_shorten(str_of(rows[i].sheet), &out);
		UNIT_STR_EQ(buf_str(&out), str_of(rows[i].want), rows[i].sheet);
	}
}

/* Of `printf abc | openssl dgst -sha256 -binary | base64`. */
static void hashes(void)
{
	struct arena *arena = NULL;
	struct str hash = STR_NONE;
	CU_ASSERT_FATAL(arena_open(1 << 12, &arena));
	CU_ASSERT(style_hash(arena, STR("abc"), &hash));
	UNIT_STR_EQ(hash, STR("sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="), "abc");
	arena_close(&arena);
}

static void parsing(void)
{
	struct style_color color = {0};
	CU_ASSERT(style_color_parse(STR("#0aF9c0"), &color));
	CU_ASSERT(color.red == 10 && color.green == 0xf9 && color.blue == 0xc0);
	CU_ASSERT(!style_color_parse(STR("#0af"), &color) && !style_color_parse(STR("0aF9c00"), &color));
	CU_ASSERT(!style_color_parse(STR("#0aF9cg"), &color) && !style_color_parse(STR("#0aF9c000"), &color));
	CU_ASSERT(!style_color_parse(STR_NONE, &color));
}

static struct style_color color_of(const char *text)
{
	struct style_color color = {0};
	CU_ASSERT_FATAL(style_color_parse(str_of(text), &color));
	return color;
}

/* As the formula of WCAG 2.2 has them. */
static void contrasts(void)
{
	static const struct {
		const char *a, *b;
		double want;
	} rows[] = {
		{"#000000", "#ffffff", 21.0}, {"#ffffff", "#000000", 21.0}, {"#777777", "#ffffff", 4.478},
		{"#767676", "#ffffff", 4.542}, {"#ff0000", "#ffffff", 3.998}, {"#0000ff", "#ffffff", 8.592},
		{"#123456", "#123456", 1.0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		CU_ASSERT_DOUBLE_EQUAL(style_contrast(color_of(rows[i].a), color_of(rows[i].b)), rows[i].want, 0.002);
}

/* The colour behind the n-th "--act:" or "--on-act:". */
static struct style_color nth(struct str sheet, const char *name, size_t n)
{
	char text[8] = "";
	const char *at = sheet.p;
	for (size_t i = 0; i <= n; i++)
		at = strstr(at, name) + strlen(name);
	memcpy(text, at, 7);
	return color_of(text);
}

static void accents(void)
{
	static const char *const colors[] = {"#000000", "#ffffff", "#ffff00", "#ff0000", "#00ff00", "#0000ff",
					     "#7f7f7f", "#c0ffee", "#2450c8", "#123456"};
	for (size_t i = 0; i < sizeof colors / sizeof *colors; i++) {
		char memory[300];
		struct buf out = buf_over(memory, sizeof memory);
		style_accent(color_of(colors[i]), &out);
		struct str sheet = {buf_z(&out), out.n};
		struct style_color light = nth(sheet, "--act:", 0), dark = nth(sheet, "--act:", 1);
		UNIT_ROW(style_contrast(light, color_of("#ffffff")) >= 4.5, colors[i]);
		UNIT_ROW(style_contrast(light, color_of("#f2f4f8")) >= 4.5, colors[i]);
		UNIT_ROW(style_contrast(dark, color_of("#1d2129")) >= 4.5, colors[i]);
		for (size_t n = 0; n < 2; n++) {
			struct style_color fill = nth(sheet, "--fill:", n), on = nth(sheet, "--on-fill:", n);
			UNIT_ROW(style_contrast(fill, on) >= 4.5, colors[i]);
		}
	}
}

static void kept_where_it_can_be_read(void)
{
	char memory[300];
	struct buf out = buf_over(memory, sizeof memory);
	style_accent(color_of("#2450c8"), &out);
	CU_ASSERT(str_starts(buf_str(&out), STR(":root{--act:#2450c8;--fill:#2450c8;--on-fill:#ffffff;}")));
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"shortened", shortened},
		{"hashes", hashes},
		{"parsing colours", parsing},
		{"contrasts", contrasts},
		{"accents", accents},
		{"kept where it can be read", kept_where_it_can_be_read},
		{NULL, NULL},
	};
	return unit_main("style", cases);
}
