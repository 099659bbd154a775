/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for passwords in sorted files of each form, and what is wrong with others. */
#include "policy/breached.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "unit.h"

enum { LINES = 500, LIST_MAX = LINES * 80 };

/* Hashes of passwords, by sha1sum(1). */
static const struct {
	const char *password, *hash;
} known[] = {
	{"password", "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8"},
	{"letmein", "B7A875FC1EA228B9061041B7CEC4BD3C52AB3CE3"},
	{"123456", "7C4A8D09CA3762AF61E59520943DC26494F8941B"},
};

/* The forms a list may have. */
struct form {
	const char *name, *end;
	bool counts, lower, unfinished;
};

static const struct form forms[] = {
	{"the public list", "\r\n", true, false, false},
	{"without counts", "\n", false, false, false},
	{"lower case", "\n", true, true, false},
	{"without the last line end", "\n", true, false, true},
};

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* In order, with the known ones or without. */
static void make_list(char (*list)[41], bool with_known)
{
	unsigned n = 0;
	for (size_t i = 0; with_known && i < sizeof known / sizeof *known; i++)
		snprintf(list[n++], sizeof *list, "%s", known[i].hash);
	for (uint64_t x = 1; n < LINES; n++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		snprintf(list[n], sizeof *list, "%016llX%016llX%08X", (unsigned long long)x,
			 (unsigned long long)(x * 0x9e3779b97f4a7c15u), n);
	}
	qsort(list, LINES, sizeof *list, compare);
}

static void write_list(struct folder *folder, char (*list)[41], size_t n, const struct form *form)
{
	static char memory[LIST_MAX];
	struct buf text = buf_over(memory, sizeof memory);
	for (size_t i = 0; i < n; i++) {
		char hash[41];
		for (size_t k = 0; k < sizeof hash; k++)
			hash[k] = form->lower && list[i][k] >= 'A' ? (char)(list[i][k] - 'A' + 'a') : list[i][k];
		buf_add(&text, str_of(hash));
		if (form->counts) /* of different lengths */
			buf_printf(&text, ":%u", 1u << i % 30);
		if (i + 1 < n || !form->unfinished)
			buf_add(&text, str_of(form->end));
	}
	CU_ASSERT(!text.full);
	folder_write(folder, "list", buf_str(&text));
}

static struct breached *open_list(struct folder *folder)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	struct breached *breached = NULL;
	bool good = breached_open(folder_file(folder, "list"), &breached, &why);
	UNIT_ROW(good, buf_z(&why));
	return breached;
}

static void finds(void)
{
	static char list[LINES][41];
	struct folder folder;
	folder_open(&folder);
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		for (unsigned with = 0; with < 2; with++) {
			make_list(list, with);
			write_list(&folder, list, LINES, &forms[i]);
			struct breached *breached = open_list(&folder);
			CU_ASSERT_FATAL(breached != NULL);
			for (size_t k = 0; k < sizeof known / sizeof *known; k++)
				UNIT_ROW(breached_find(breached, str_of(known[k].password)) == with, forms[i].name);
			UNIT_ROW(breached_find(breached, STR("")) == BREACHED_NO, forms[i].name);
			breached_close(&breached);
		}
	}
	folder_close(&folder);
}

/* The first, the last, the only one, whatever the length of the list. */
static void finds_at_the_ends(void)
{
	struct folder folder;
	static char list[20][41];
	folder_open(&folder);
	for (size_t n = 1; n <= 20; n++)
		for (size_t at = 0; at < n; at++) {
			/* Ten below, ten above, or any number: only `at` are below. */
			for (size_t i = 0; i < n; i++)
				snprintf(list[i], sizeof *list, "%s%038X", i < at ? "00" : "FF", (unsigned)i);
			snprintf(list[at], sizeof *list, "%s", known[0].hash);
			write_list(&folder, list, n, &forms[0]);
			struct breached *breached = open_list(&folder);
			CU_ASSERT_FATAL(breached != NULL);
			CU_ASSERT_EQUAL(breached_find(breached, str_of(known[0].password)), BREACHED_YES);
			CU_ASSERT_EQUAL(breached_find(breached, str_of(known[1].password)), BREACHED_NO);
			breached_close(&breached);
		}
	folder_close(&folder);
}

static void refuses(void)
{
#define LOW "0000000000000000000000000000000000000001"
#define MID "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8"
#define TOP "FF00000000000000000000000000000000000001"
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"", " is empty"},
		{"\n", "list:1: is no line of 40"},
		{"password\n", "list:1: is no line of 40"},
		{LOW ":1\n" MID ":x\n", "list:2: is no line of 40"},
		{LOW ":1\n" MID "0:1\n", "list:2: is no line of 40"},
		{LOW ":1\n" MID ":123456789012345678901234567890\n", "list:2: is no line of 40"},
		{LOW "\n\n" TOP "\n", "list:2: is no line of 40"},
		{MID ":1\n" LOW ":1\n", "list:2: is not behind the line before it: sort the file"},
		{LOW "\n" TOP "\n" MID "\n", "list:3: is not behind the line before it: sort the file"},
		{LOW "\n" LOW "\n", "list:2: is not behind"},
	};
	struct folder folder;
	char memory[512];
	folder_open(&folder);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf why = buf_over(memory, sizeof memory - 1);
		struct breached *breached = NULL;
		folder_write(&folder, "list", str_of(rows[i].text));
		UNIT_ROW(!breached_open(folder_file(&folder, "list"), &breached, &why), rows[i].text);
		UNIT_ROW(strstr(buf_z(&why), rows[i].why) != NULL, buf_z(&why));
	}
	struct buf why = buf_over(memory, sizeof memory - 1);
	struct breached *breached = NULL;
	CU_ASSERT(!breached_open(folder_file(&folder, "none"), &breached, &why));
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_z(&why), "cannot be read: No such file"));
	why.n = 0;
	CU_ASSERT(!breached_open(folder.path, &breached, &why));
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_z(&why), "not a plain file"));
	folder_close(&folder);
}

/* What is out of order between the places that a start looks at, `authctl check` finds. */
static void looks_closer(void)
{
	static char list[LINES][41];
	char memory[512], line[41];
	struct buf why = buf_over(memory, sizeof memory - 1);
	struct folder folder;
	folder_open(&folder);
	make_list(list, true);
	memcpy(line, list[301], sizeof line);
	memcpy(list[301], list[300], sizeof line);
	memcpy(list[300], line, sizeof line);
	write_list(&folder, list, LINES, &forms[0]);
	struct breached *breached = open_list(&folder);
	CU_ASSERT_FATAL(breached != NULL);
	CU_ASSERT(!breached_check(breached, 2000, &why));
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_z(&why), "list:302: is not behind"));
	breached_close(&breached);
	folder_close(&folder);
}

static void damaged_later(void)
{
	static char list[LINES][41];
	struct folder folder;
	folder_open(&folder);
	make_list(list, true);
	write_list(&folder, list, LINES, &forms[0]);
	struct breached *breached = open_list(&folder);
	CU_ASSERT_FATAL(breached != NULL && truncate(folder_file(&folder, "list"), 100) == 0);
	CU_ASSERT_EQUAL(breached_find(breached, STR("password")), BREACHED_FAILED);
	breached_close(&breached);
	folder_close(&folder);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"finds", finds},
		{"finds at the ends", finds_at_the_ends},
		{"refuses", refuses},
		{"looks closer", looks_closer},
		{"damaged later", damaged_later},
		{NULL, NULL},
	};
	return unit_main("breached", cases);
}
