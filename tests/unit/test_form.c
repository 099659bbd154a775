/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies as forms and as JSON: kinds, fields, and forgetting them. */
#include "policy/form.h"

#include <string.h>

#include "unit.h"

static struct arena *arena;

static void kinds(void)
{
	static const struct {
		const char *type, *body;
		enum form_kind kind;
		enum err err;
	} rows[] = {
		{NULL, NULL, FORM_EMPTY, ERR_NONE},
		{"", "", FORM_EMPTY, ERR_NONE},
		{NULL, "x", FORM_OTHER, ERR_NONE},
		{"text/plain", "", FORM_OTHER, ERR_NONE},
		{"application/x-www-form-urlencoded", "", FORM_FIELDS, ERR_NONE},
		{"Application/X-WWW-Form-Urlencoded; charset=utf-8", "a=b", FORM_FIELDS, ERR_NONE},
		{"application/x-www-form-urlencodedx", "a=b", FORM_OTHER, ERR_NONE},
		{"multipart/form-data; boundary=x", "a=b", FORM_OTHER, ERR_NONE},
		{"application/json", "{}", FORM_JSON, ERR_NONE},
		{" application/json ;x", "{}", FORM_JSON, ERR_NONE},
		{"application/json", "", FORM_JSON, ERR_BAD_REQUEST},
		{"application/json", "[]", FORM_JSON, ERR_BAD_REQUEST},
		{"application/json", "{\"a\":1,\"a\":2}", FORM_JSON, ERR_BAD_REQUEST},
		{"application/json", "{} x", FORM_JSON, ERR_BAD_REQUEST},
		{"application/json, text/plain", "{}", FORM_OTHER, ERR_NONE},
		{"application/jsonp", "{}", FORM_OTHER, ERR_NONE},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request request = {.content_type = str_of(rows[i].type), .body = str_of(rows[i].body)};
		struct form form;
		arena_reset(arena);
		const char *row = rows[i].type ? rows[i].type : "no type";
		UNIT_ROW(form_read(arena, &request, &form) == rows[i].err && form.kind == rows[i].kind, row);
	}
}

static struct form read(const char *type, const char *body)
{
	struct request request = {.content_type = str_of(type), .body = str_of(body)};
	struct form form;
	arena_reset(arena);
	CU_ASSERT_EQUAL(form_read(arena, &request, &form), ERR_NONE);
	return form;
}

static void texts(void)
{
	static const struct {
		const char *type, *body, *want; /* NULL for none */
	} rows[] = {
		{"application/x-www-form-urlencoded", "a=x", "x"},
		{"application/x-www-form-urlencoded", "b=y&a=x+y%2B&c", "x y+"},
		{"application/x-www-form-urlencoded", "a=", ""},
		{"application/x-www-form-urlencoded", "a", ""},
		{"application/x-www-form-urlencoded", "a=x&a=x", NULL},
		{"application/x-www-form-urlencoded", "a=%zz", NULL},
		{"application/x-www-form-urlencoded", "a=%ff", NULL},
		{"application/x-www-form-urlencoded", "b=x", NULL},
		{"application/x-www-form-urlencoded", "{\"a\":\"x\"}", NULL},
		{"application/json", "{\"a\":\"x\\u00e4\"}", "x\xc3\xa4"},
		{"application/json", "{\"a\":\"\"}", ""},
		{"application/json", "{\"a\":1}", NULL},
		{"application/json", "{\"a\":null}", NULL},
		{"application/json", "{\"a\":[\"x\"]}", NULL},
		{"application/json", "{\"b\":{\"a\":\"x\"}}", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct form form = read(rows[i].type, rows[i].body);
		struct str text = form_text(arena, &form, "a");
		UNIT_ROW((text.p != NULL) == (rows[i].want != NULL), rows[i].body);
		UNIT_STR_EQ(text, str_of(rows[i].want), rows[i].body);
	}
}

static void flags(void)
{
	static const struct {
		const char *body;
		enum err err;
		bool value;
	} rows[] = {
		{"{}", ERR_NONE, false},	       {"{\"a\":true}", ERR_NONE, true},
		{"{\"a\":false}", ERR_NONE, false},    {"{\"a\":1}", ERR_BAD_REQUEST, false},
		{"{\"a\":\"true\"}", ERR_BAD_REQUEST, false}, {"{\"a\":null}", ERR_BAD_REQUEST, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct form form = read("application/json", rows[i].body);
		bool value = false;
		UNIT_ROW(form_json_flag(&form, "a", &value) == rows[i].err && value == rows[i].value, rows[i].body);
	}
}

static void forgets(void)
{
	static const char *const types[] = {"application/x-www-form-urlencoded", "application/json"};
	char bodies[2][40] = {"password=hunter2%21", "{\"password\":\"hunter\\u0032!\"}"};
	for (size_t i = 0; i < 2; i++) {
		struct form form = read(types[i], bodies[i]);
		struct str password = form_text(arena, &form, "password");
		UNIT_STR_EQ(password, STR("hunter2!"), types[i]);
		form_forget(&form, password);
		UNIT_ROW(!memmem(bodies[i], sizeof bodies[i], "hunter", 6), types[i]);
		UNIT_ROW(!memmem(password.p, password.n, "hunter", 6), types[i]);
	}
	struct form none = {0};
	form_forget(&none, STR_NONE);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"kinds", kinds}, {"texts", texts}, {"flags", flags}, {"forgets", forgets}, {NULL, NULL},
	};
	if (!arena_open(1 << 18, &arena))
		return 1;
	int status = unit_main("form", cases);
	arena_close(&arena);
	return status;
}
