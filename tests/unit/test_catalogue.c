/* SPDX-License-Identifier: Apache-2.0 */
/* Languages: reading a catalogue, finding a text with its numbers, choosing by Accept-Language. */
#include "policy/catalogue.h"

#include "http/negotiate.h"

#include "unit.h"

static struct arena *arena;

static void texts(void)
{
	static const struct {
		const char *english, *want;
	} rows[] = {
		{"Sign in", "Anmelden"},
		{"sign in", "sign in"},
		{"a = b", "a = b"},
		{"At least 12 characters.", "12 Zeichen, ja 12."},
		{"At least  characters.", "At least  characters."},
		{"From 3 to 14", "3 bis 14"},
		{"From 3", "From 3"},
		{"Only here", "nur hier"},
		{"", ""},
	};
	struct catalogue rest = {0}, german = {.language = STR("de"), .rest = &rest};
	char memory[200];
	struct buf why = buf_over(memory, sizeof memory);
	CU_ASSERT_FATAL(arena_open(1 << 20, &arena));
	CU_ASSERT(catalogue_parse(arena, "r", STR("Only here = nur hier\nSign in = alt"), &rest, &why));
	CU_ASSERT(catalogue_parse(arena, "f",
				  STR("# German\n\nSign in = Anmelden\n"
				      "  At least # characters. = # Zeichen, ja 12.  \r\n"
				      "From # to # = # bis #\na = b = c"),
				  &german, &why));
	UNIT_STR_EQ(buf_str(&why), STR(""), "nothing is wrong");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_STR_EQ(catalogue_text(&german, arena, str_of(rows[i].english)), str_of(rows[i].want),
			    rows[i].english);
	UNIT_STR_EQ(catalogue_text(NULL, arena, STR("Sign in")), STR("Sign in"), "no catalogue");
}

static void refused(void)
{
	static const struct {
		const char *lines, *want;
	} rows[] = {
		{"a = b\nc", "f:2: write: English text = text in this language"},
		{"a =\n", "f:1: write: English text = text in this language"},
		{" = b", "f:1: write: English text = text in this language"},
		{"a = b\nx = y\na = c", "f: \"a\" is there twice"},
		{"a = \xff", "f:1: is no UTF-8, or has control characters"},
		{"a = b\001", "f:1: is no UTF-8, or has control characters"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct catalogue catalogue = {0};
		char memory[200];
		struct buf why = buf_over(memory, sizeof memory);
		arena_reset(arena);
		CU_ASSERT(!catalogue_parse(arena, "f", str_of(rows[i].lines), &catalogue, &why));
		UNIT_STR_EQ(buf_str(&why), str_of(rows[i].want), rows[i].lines);
	}
	arena_close(&arena);
}

static void choosing(void)
{
	static const struct str offered[] = {{"en", 2}, {"de", 2}, {"pt-BR", 5}};
	static const struct {
		const char *accept;
		size_t want;
	} rows[] = {
		{NULL, 0},
		{"", 0},
		{"de", 1},
		{"DE", 1},
		{"de-AT", 1},
		{"de-Latn-AT", 1},
		{"fr", 0},
		{"fr, de", 1},
		{"en, de", 0},
		{"de, en", 1},
		{"de;q=0.5, en;q=0.6", 0},
		{"de;q=0.6, en;q=0.55", 1},
		{"de; q=0.6 , en ;q=0.601", 0},
		{"de;q=0", 0},
		{"de;q=x", 0},
		{"de;q=1.0, en;q=0.9", 1},
		{"*", 0},
		{"fr, *;q=0.5", 0},
		{"pt-BR", 2},
		{"pt", 0},
		{"pt-br;q=0.9, de;q=0.8", 2},
		{",,;;q=,-,de-", 1},
		{"d", 0},
		{"deu", 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_ROW(negotiate_language(str_of(rows[i].accept), offered, 3) == rows[i].want,
			 rows[i].accept ? rows[i].accept : "(none)");
}

static void directions(void)
{
	CU_ASSERT(catalogue_is_right_to_left(&(struct catalogue){.language = STR("ar")}));
	CU_ASSERT(catalogue_is_right_to_left(&(struct catalogue){.language = STR("he-IL")}));
	CU_ASSERT(!catalogue_is_right_to_left(&(struct catalogue){.language = STR("de")}));
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"texts", texts},
		{"refused", refused},
		{"choosing by Accept-Language", choosing},
		{"directions", directions},
		{NULL, NULL},
	};
	return unit_main("catalogue", cases);
}
