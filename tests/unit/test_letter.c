/* SPDX-License-Identifier: Apache-2.0 */
/* Mails as they go out, byte by byte. */
#include "policy/letter.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static struct arena *arena;
static const struct catalogue english = {.language = {"en", 2}};

static struct str print(struct letter_text text)
{
	static struct mail_sender sender;
	if (!text.sender) {
		sender = (struct mail_sender){.on = true, .address = "auth@example.org"};
		text.sender = &sender;
	}
	text.catalogue = &english;
	text.url = STR("https://example.org/auth");
	if (!text.to.p)
		text.to = STR("ada@example.org");
	if (!text.user.p)
		text.user = STR("ada");
	text.now = 1800000000;
	return letter_print(arena, LETTER_RESET, &text);
}

static bool has(struct str text, const char *part)
{
	return text.p && memmem(text.p, text.n, part, strlen(part));
}

static void headers(void)
{
	struct str mail = print((struct letter_text){.token = STR("1.2.3")});
	UNIT_ROW(has(mail, "From: <auth@example.org>\r\nTo: <ada@example.org>\r\nSubject: Choose a new password\r\n"),
		 "plain");
	UNIT_ROW(has(mail, "\r\nDate: Fri, 15 Jan 2027 08:00:00 +0000\r\nMessage-ID: <"), "date");
	UNIT_ROW(has(mail, "@example.org>\r\nMIME-Version: 1.0\r\n"), "message id");
	UNIT_ROW(has(mail, "\r\nAuto-Submitted: auto-generated\r\n"), "by a machine");
	struct mail_sender sender = {.name = STR("Example, Inc."), .address = "auth@example.org"};
	mail = print((struct letter_text){.sender = &sender, .site = STR("Wiki")});
	UNIT_ROW(has(mail, "From: \"Example, Inc.\" <auth@example.org>\r\n"), "a name in quotes");
	UNIT_ROW(has(mail, "Subject: Wiki: Choose a new password\r\n"), "the site's title");
	sender.name = STR("L\xc3\xb6we");
	mail = print((struct letter_text){.sender = &sender, .site = STR("\xe2\x82\xac")});
	UNIT_ROW(has(mail, "From: =?UTF-8?Q?=4C=C3=B6=77=65?=\r\n <auth@example.org>\r\n"), "an encoded name");
	UNIT_ROW(has(mail, "Subject: =?UTF-8?Q?=E2=82=AC=3A=20"), "an encoded subject");
	arena_reset(arena);
}

/* No line is longer than mail allows, no character is split between encoded words. */
static void lengths(void)
{
	char site[100], token[400];
	for (size_t i = 0; i < sizeof site; i += 2)
		memcpy(site + i, "\xc3\xa4", 2);
	memset(token, 'x', sizeof token);
	struct str mail = print((struct letter_text){.site = {site, sizeof site}, .token = {token, sizeof token}});
	struct str rest = mail, line;
	CU_ASSERT_FATAL(mail.p != NULL);
	while (str_split(&rest, '\n', &line) && rest.p) {
		UNIT_ROW(line.n > 0 && line.n <= 77 + strlen("Subject: ") && line.p[line.n - 1] == '\r', "a line");
		UNIT_ROW(!has(line, "=C3?="), "a character");
	}
	arena_reset(arena);
}

static void body(void)
{
	struct str mail = print((struct letter_text){.user = STR(".a=b \xc3\xbc"), .token = STR("1.2.3")});
	UNIT_ROW(has(mail, "\r\nhttps://example.org/auth/reset-password?token=3D1.2.3\r\n"), "the link");
	UNIT_ROW(has(mail, "User name: .a=3Db =C3=BC\r\n"), "the user");
	arena_reset(arena);
}

static void addresses(void)
{
	static const char *const rows[] = {"ada@example.org>\r\nBcc: eve@example.org", "\xc3\xa4@example.org",
					   "a b@c.example", "a@b.example>"};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_ROW(!print((struct letter_text){.to = str_of(rows[i])}).p, rows[i]);
	static const struct {
		const char *address;
		bool good;
	} checked[] = {
		{"ada@example.org", true},	  {"a.b+c_d-e@x-y.example.org", true}, {"o'neil@example.org", true},
		{"ada", false},			  {"@example.org", false},	       {"ada@", false},
		{"ada@example", false},		  {"a@b@c.example", false},	       {"\"a b\"@c.example", false},
		{"ada@example.org\n", false},	  {"a..b@c.example", false},	       {"a.@c.example", false},
		{"-a@c.example", false},	  {"a@c-.example", false},	       {"a@.example", false},
		{"a@[127.0.0.1]", false},	  {"a`b@c.example", false},	       {"a|b@c.example", false},
	};
	for (size_t i = 0; i < sizeof checked / sizeof *checked; i++)
		UNIT_ROW(mail_address_is_valid(str_of(checked[i].address)) == checked[i].good, checked[i].address);
	UNIT_ROW(!mail_address_is_valid(STR("a\0b@c.example")), "a NUL");
	arena_reset(arena);
}

int main(void)
{
	if (!arena_open(1 << 18, &arena))
		return 99;
	static const struct unit_case cases[] = {
		{"headers", headers},	  {"lengths", lengths}, {"body", body},
		{"addresses", addresses}, {NULL, NULL},
	};
	int status = unit_main("letter", cases);
	arena_close(&arena);
	return status;
}
