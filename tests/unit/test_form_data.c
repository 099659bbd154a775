/* SPDX-License-Identifier: Apache-2.0 */
/* What forms send, in the three encodings; the bodies are those of browsers. */
#include "http/form_data.h"

#include <string.h>

#include "unit.h"

#define URLENCODED "application/x-www-form-urlencoded"
#define MULTIPART "multipart/form-data; boundary=----WebKitFormBoundaryA1"
#define B "------WebKitFormBoundaryA1\r\n"
#define DISPOSITION "Content-Disposition: form-data; name="

static struct arena *arena;

/* The fields as "name=value|…", a file as "name@its name|"; NULL: refused. */
static const char *read(const char *type, struct str body)
{
	static char text[4096];
	struct form_data data;
	arena_reset(arena);
	struct buf b = buf_over(text, sizeof text);
	arena_reset(arena);
	if (!form_data_read(arena, str_of(type), body, &data))
		return NULL;
	if (data.windows_1252)
		buf_add(&b, STR("1252:"));
	for (size_t i = 0; i < data.n; i++) {
		buf_add(&b, data.fields[i].name);
		buf_char(&b, data.fields[i].is_file ? '@' : '=');
		buf_add(&b, data.fields[i].value);
		buf_char(&b, '|');
	}
	return buf_z(&b);
}

static void bodies(void)
{
	static const struct {
		const char *row, *type, *body, *want;
	} rows[] = {
		{"two fields", URLENCODED, "a=1&b=two+words", "a=1|b=two words|"},
		{"order and twins", URLENCODED, "a=1&b=2&a=3&a=", "a=1|b=2|a=3|a=|"},
		{"line ends", URLENCODED "; charset=UTF-8", "t=x%0D%0Ay%0Az", "t=x\r\ny\nz|"},
		{"UTF-8", URLENCODED, "n=%E2%82%AC", "n=\xe2\x82\xac|"},
		{"markup", URLENCODED, "n=%22%3C%26%27", "n=\"<&'|"},
		{"nothing", URLENCODED, "", ""},
		{"no name", URLENCODED, "=x&&a=b&c", "a=b|c=|"},
		{"broken escape", URLENCODED, "a=%zz", NULL},
		{"NUL", URLENCODED, "a=%00", NULL},
		{"another encoding", URLENCODED, "n=J%FCrgen+%80%81", "1252:n=J\xc3\xbcrgen \xe2\x82\xac\xc2\x81|"},
		{"plain", "text/plain", "a=1\r\nb=x=y\r\n", "a=1|b=x=y|"},
		{"plain, a value of lines", "text/plain; charset=utf-8", "a=1\r\nmore\r\n=\r\nb=2\r\n",
		 "a=1\r\nmore\r\n=|b=2|"},
		{"plain without a field", "text/plain", "no field\r\n", NULL},
		{"another type", "application/json", "{}", NULL},
		{"no type", NULL, "a=b", NULL},
		{"parts", MULTIPART,
		 B DISPOSITION "\"a\"\r\n\r\n1\r\n" B DISPOSITION "\"t\"\r\n\r\nx\r\ny\r\n--\r\n"
		 "------WebKitFormBoundaryA1--\r\n", "a=1|t=x\r\ny\r\n--|"},
		{"an empty value", MULTIPART, B DISPOSITION "\"a\"\r\n\r\n\r\n------WebKitFormBoundaryA1--\r\n", "a=|"},
		{"a file", MULTIPART,
		 B DISPOSITION "\"f\"; filename=\"my; photo.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\r\n"
		 B "content-disposition: form-data; name=\"z\"\r\n\r\nend\r\n------WebKitFormBoundaryA1--\r\n",
		 "f@my; photo.jpg|z=end|"},
		{"no file chosen", MULTIPART,
		 B DISPOSITION "\"f\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n"
		 "------WebKitFormBoundaryA1--\r\n", "f@|"},
		{"escaped names", MULTIPART,
		 B DISPOSITION "\"a%22b%0D%0Ac%41\"\r\n\r\n1\r\n------WebKitFormBoundaryA1--\r\n", "a\"b\r\nc%41=1|"},
		{"quoted boundary", "multipart/form-data; charset=x; boundary=\"b b\"",
		 "--b b\r\n" DISPOSITION "a\r\n\r\n1\r\n--b b--", "a=1|"},
		{"no part", MULTIPART, "------WebKitFormBoundaryA1--\r\n", ""},
		{"another boundary", MULTIPART, "--other\r\n" DISPOSITION "\"a\"\r\n\r\n1\r\n--other--\r\n", NULL},
		{"no end", MULTIPART, B DISPOSITION "\"a\"\r\n\r\n1\r\n", NULL},
		{"no name", MULTIPART, B "Content-Type: text/plain\r\n\r\n1\r\n------WebKitFormBoundaryA1--\r\n", NULL},
		{"no head", MULTIPART, B "\r\n------WebKitFormBoundaryA1--\r\n", NULL},
		{"no boundary", "multipart/form-data", B, NULL},
		{"open quote", "multipart/form-data; boundary=\"x", "--x--", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *got = read(rows[i].type, str_of(rows[i].body));
		if (rows[i].want && got)
			UNIT_STR_EQ(str_of(got), str_of(rows[i].want), rows[i].row);
		else
			UNIT_ROW(!rows[i].want && !got, rows[i].row);
	}
}

/* Whatever is cut off, nothing is read beyond the end. */
static void cut_short(void)
{
	static const char whole[] =
		B DISPOSITION "\"a%2\"; filename=\"x\"\r\n\r\n1\r\n------WebKitFormBoundaryA1--\r\n";
	for (size_t n = 0; n < sizeof whole - 5; n++) {
		char copy[sizeof whole];
		memcpy(copy, whole, n);
		CU_ASSERT_PTR_NULL(read(MULTIPART, (struct str){copy, n}));
	}
	for (size_t n = 0; n < sizeof MULTIPART - 3; n++) {
		struct form_data data;
		CU_ASSERT_FALSE(form_data_read(arena, (struct str){MULTIPART, n}, str_of(whole), &data));
	}
}

static void counts(void)
{
	struct form_data data;
	arena_reset(arena);
	struct buf b = arena_buf(arena, 5 * FORM_DATA_FIELDS_MAX + 4);
	for (int i = 0; i < FORM_DATA_FIELDS_MAX; i++)
		buf_add(&b, STR("a=1&"));
	CU_ASSERT(form_data_read(arena, STR(URLENCODED), buf_str(&b), &data) && data.n == FORM_DATA_FIELDS_MAX);
	buf_add(&b, STR("a=1"));
	CU_ASSERT_FALSE(form_data_read(arena, STR(URLENCODED), buf_str(&b), &data));
	CU_ASSERT_EQUAL(data.encoding, FORM_URLENCODED);
	UNIT_STR_EQ(form_data_enctype(FORM_MULTIPART), STR("multipart/form-data"), "enctype");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"bodies", bodies}, {"cut short", cut_short}, {"no more than", counts}, {NULL, NULL}};
	if (!arena_open(1 << 20, &arena))
		return 1;
	int status = unit_main("form_data", cases);
	arena_close(&arena);
	return status;
}
