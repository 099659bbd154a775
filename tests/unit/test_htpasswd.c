/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "folder.h"
#include "policy/htpasswd.h"

/* Made by htpasswd of apache2-utils 2.4: -m, -s, -B -C 4, -d. */
#define MD5 "$apr1$PVaaaL0b$mETL3cY6iRBLgm2kCNfp90"
#define SHA1 "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A="
#define BCRYPT "$2y$04$YYXiWqNLNuVK87ytKKvcaeGYQEcYxTS3xhOa7PguKKtwremTDLlYC"
#define DES "HSd9IQIwpB8tw"
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X256 X64 X64 X64 X64

#define TEXT(literal) {literal, sizeof(literal) - 1}

struct seen {
	struct buf text;
	unsigned stop_at;
	char memory[2048];
};

static bool note(void *context, const struct htpasswd_entry *entry)
{
	struct seen *seen = context;
	buf_printf(&seen->text, "%u %.*s %.*s\n", entry->line, STR_ARGS(entry->user), STR_ARGS(entry->hash));
	return entry->line < seen->stop_at;
}

/* What each was told, and why; false or true. */
static bool read_text(struct str text, struct seen *seen, char *why_text, size_t size)
{
	struct folder folder;
	folder_open(&folder);
	folder_write(&folder, "htpasswd", text);
	struct buf why = buf_over(why_text, size);
	seen->text = buf_over(seen->memory, sizeof seen->memory);
	seen->stop_at = 100;
	bool good = htpasswd_read(folder_file(&folder, "htpasswd"), note, seen, &why);
	buf_z(&why);
	bool checked = htpasswd_read(folder_file(&folder, "htpasswd"), NULL, NULL, &why);
	UNIT_ROW(good == checked, "without each the file is judged alike");
	folder_close(&folder);
	return good;
}

static void good_files(void)
{
	static const struct {
		const char *name;
		struct str text;
		const char *seen;
	} rows[] = {
		{"empty", TEXT(""), ""},
		{"one", TEXT("ada:" MD5 "\n"), "1 ada " MD5 "\n"},
		{"no line end", TEXT("ada:" MD5), "1 ada " MD5 "\n"},
		{"CRLF", TEXT("ada:" DES "\r\nbob:" DES "\r\n"), "1 ada " DES "\n2 bob " DES "\n"},
		{"comments and empty lines", TEXT("# x\n\n  \nada:" DES "\n#b:c\n"), "4 ada " DES "\n"},
		{"third field", TEXT("ada:" DES ":Ada L.\n"), "1 ada " DES "\n"},
		{"blank, UTF-8", TEXT("ada l\xc3\xa9:" DES "\n"), "1 ada l\xc3\xa9 " DES "\n"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct seen seen;
		char why[256] = "";
		UNIT_ROW(read_text(rows[i].text, &seen, why, sizeof why), rows[i].name);
		UNIT_STR_EQ(buf_str(&seen.text), str_of(rows[i].seen), rows[i].name);
		UNIT_STR_EQ(str_of(why), STR(""), rows[i].name);
	}
	struct seen seen;
	char why[256];
	struct str all = STR("a:" MD5 "\nb:" SHA1 "\nc:" BCRYPT "\nd:" DES "\n");
	UNIT_ROW(read_text(all, &seen, why, sizeof why), "all forms");
	UNIT_STR_EQ(buf_str(&seen.text), STR("1 a " MD5 "\n2 b " SHA1 "\n3 c " BCRYPT "\n4 d " DES "\n"), "all forms");
}

static void bad_files(void)
{
	static const struct {
		struct str text;
		const char *line, *word;
	} rows[] = {
		{TEXT("ada:" DES "\nbob:secret\n"), "htpasswd:2: ", "plain text"},
		{TEXT("ada\n"), "htpasswd:1: ", "no ':'"},
		{TEXT("ada:\n"), "htpasswd:1: ", "plain text"},
		{TEXT(":" DES "\n"), "htpasswd:1: ", "user name"},
		{TEXT("\n\na\tb:" DES "\n"), "htpasswd:3: ", "control"},
		{TEXT("a\0b:" DES "\n"), "htpasswd:1: ", "control"},
		{TEXT("\xe9:" DES "\n"), "htpasswd:1: ", "UTF-8"},
		{TEXT(X256 ":" DES "\n"), "htpasswd:1: ", "255"},
		{TEXT("a:" X256 X256 X256 X256 "\n"), "htpasswd:1: ", "too long"},
		{TEXT("ada:!" DES "\n"), "htpasswd:1: ", "plain text"},
		{TEXT("ada: " DES "\n"), "htpasswd:1: ", "plain text"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct seen seen;
		char why[256] = "";
		UNIT_ROW(!read_text(rows[i].text, &seen, why, sizeof why), rows[i].word);
		UNIT_ROW(strstr(why, rows[i].line) && strstr(why, rows[i].word), rows[i].word);
		UNIT_ROW(!strstr(why, "secret") && !strstr(why, DES), "no password in the message");
	}
}

static void stops(void)
{
	struct folder folder;
	folder_open(&folder);
	folder_write(&folder, "htpasswd", STR("a:" DES "\nb:" DES "\nc:" DES "\n"));
	struct seen seen = {.stop_at = 2};
	seen.text = buf_over(seen.memory, sizeof seen.memory);
	char memory[64];
	struct buf why = buf_over(memory, sizeof memory);
	CU_ASSERT(!htpasswd_read(folder_file(&folder, "htpasswd"), note, &seen, &why));
	UNIT_STR_EQ(buf_str(&seen.text), STR("1 a " DES "\n2 b " DES "\n"), "each stops the reading");
	UNIT_STR_EQ(buf_str(&why), STR(""), "and says itself why");
	CU_ASSERT(!htpasswd_read(folder_file(&folder, "nothing"), note, &seen, &why));
	UNIT_ROW(why.n > 0, "no file");
	char second[256];
	why = buf_over(second, sizeof second);
	UNIT_ROW(!htpasswd_read(folder.path, NULL, NULL, &why) && why.n > 0, "a folder");
	folder_close(&folder);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"good files", good_files},
		{"bad files", bad_files},
		{"stops", stops},
		{NULL, NULL},
	};
	return unit_main("htpasswd", cases);
}
