/* SPDX-License-Identifier: Apache-2.0 */
/* Print a page with made-up values as the programs would send it:
 *	show_page CONFIGURATION NAME [ACCEPT-LANGUAGE]
 * NAME is a template's, or that with "-error" or "-done". `show_page` alone lists them. */
#include <stdio.h>
#include <string.h>

#include "policy/pages.h"

enum { ARENA_SIZE = 2 << 20 };

static const char *const names[] = {
	"login",	"login-error",	  "register",	 "register-error", "register-done", "forgot",
	"forgot-error", "forgot-done",	  "reset",	 "reset-error",	   "reset-done",    "verify",
	"verify-error", "verify-done",	  "password",	 "password-error", "password-done", "profile",
	"profile-done", "resume",	  "resume-files", "logout",	   "logout-everywhere", "signed-out",
	"message",	"message-link",
};

static const struct {
	const char *template, *error, *done;
} says[] = {
	{"login", "Invalid user name or password", NULL},
	{"register", "Too many attempts", "Confirm your e-mail address"},
	{"forgot", "Too many attempts", "Send the link"},
	{"reset", "Too many attempts", "Change password"},
	{"verify", "This form has expired or came from another site", "Confirm"},
	{"password", "Invalid user name or password", "Change password"},
	{"profile", NULL, "You are signed out everywhere else"},
};

static void add_session(struct page *page, const char *id, const char *agent, const char *address, bool current)
{
	struct page *item = page_item(page, "sessions");
	page_text(item, "id", str_of(id));
	page_text(item, "agent", str_of(agent));
	page_text(item, "address", str_of(address));
	page_text(item, "created", STR("2026-11-20 08:15"));
	page_text(item, "seen", STR("2026-11-28 07:30"));
	page_flag(item, "current", current);
}

static void fill_profile(struct page *page)
{
	page_text(page, "roles", STR("editor, staff"));
	page_flag(page, "can_change_password", true);
	add_session(page, "s-1", "Firefox, Linux", "203.0.113.9", true);
	add_session(page, "s-2", "Safari, iPhone", "2001:db8:85a3::8a2e:370:7334", false);
	add_session(page, "s-3", NULL, NULL, false);
}

static void fill_resume(struct page *page, bool files)
{
	static const char *const fields[][2] = {
		{"title", "Minutes of the meeting"}, {"text", "First line\nSecond line\n\nThe last, which is longer"}};
	page_text(page, "action", STR("/wiki/edit?page=Minutes"));
	for (size_t i = 0; i < 2; i++) {
		struct page *item = page_item(page, "fields");
		page_text(item, "name", str_of(fields[i][0]));
		page_text(item, "value", str_of(fields[i][1]));
		page_flag(item, "lines", strchr(fields[i][1], '\n') != NULL);
	}
	if (files) {
		page_text(page, "enctype", STR("multipart/form-data"));
		page_text(page_item(page, "files"), "name", STR("attachment"));
	}
}

static void fill_message(struct page *page, bool link)
{
	page_text(page, "heading", link ? STR("Not allowed") : STR("Temporarily unavailable"));
	page_text(page, "text",
		  link ? STR("Your account may not open this page.") : STR("Please try again in a few seconds."));
	if (!link) {
		page_text(page, "detail",
			  STR("If it does not get better, tell the administrator of this site the number below."));
		return;
	}
	page_text(page, "link", STR("/auth/login?rd=/wiki/"));
	page_text(page, "link_text", STR("Use another account"));
}

static void fill(struct page *page, struct str name, const char *kind)
{
	bool done = strcmp(kind, "-done") == 0;
	for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
		if (!str_eq(name, str_of(says[i].template)))
			continue;
		if (done)
			page_say_good(page, says[i].done);
		else if (strcmp(kind, "-error") == 0)
			page_say(page, says[i].error);
	}
	page_text(page, "csrf", STR("made-up"));
	page_text(page, "rd", STR("/wiki/Start"));
	if (!str_eq(name, STR("message")) || strcmp(kind, "-link") == 0)
		page_text(page, "user", kind[0] || str_eq(name, STR("profile")) ? STR("ruth@example.org") : STR_NONE);
	page_text(page, "username", kind[0] ? STR("ruth") : STR_NONE);
	page_text(page, "email", kind[0] || str_eq(name, STR("profile")) ? STR("ruth@example.org") : STR_NONE);
	page_text(page, "name", kind[0] || str_eq(name, STR("profile")) ? STR("Ruth Example") : STR_NONE);
	page_text(page, "token", STR("made-up"));
	page_text(page, "return_to", STR("/"));
	page_text(page, "forgot_url", STR("./forgot-password"));
	page_text(page, "register_url", STR("./register"));
	page_flag(page, "everywhere", strcmp(kind, "-everywhere") == 0);
	if (str_eq(name, STR("profile")))
		fill_profile(page);
	if (str_eq(name, STR("resume")))
		fill_resume(page, kind[0] != '\0');
	if (str_eq(name, STR("message")))
		fill_message(page, kind[0] != '\0');
}

static bool show(struct snapshot *snapshot, const char *name, const char *languages)
{
	static char memory[REPLY_MAX];
	const struct param accept = {STR("HTTP_ACCEPT_LANGUAGE"), str_of(languages)};
	struct request request = {.path = STR("/auth/login"), .id = "0123456789abcdef", .params = &accept,
				  .n_params = languages ? 1 : 0};
	struct worker worker = {.snapshot = snapshot};
	struct reply reply = {.out = buf_over(memory, sizeof memory)};
	const char *kind = strrchr(name, '-');
	if (!kind || strcmp(name, "signed-out") == 0)
		kind = name + strlen(name);
	char template[40] = "";
	memcpy(template, name, (size_t)(kind - name));
	if (!arena_open(ARENA_SIZE, &worker.arena))
		return false;
	struct page *page = page_open(&worker, &request, template);
	fill(page, str_of(template), kind);
	page_send(page, &reply, strcmp(kind, "-error") == 0 ? 400 : 200);
	bool good = page && reply.in_body && fwrite(memory, reply.out.n, 1, stdout) == 1;
	arena_close(&worker.arena);
	return good;
}

int main(int argc, char **argv)
{
	struct snapshot *snapshot = NULL;
	struct conf_error error;
	for (size_t i = 0; argc == 1 && i < sizeof names / sizeof *names; i++)
		puts(names[i]);
	if (argc == 1)
		return 0;
	if (argc < 3 || strlen(argv[2]) > 30 || !token_start() || !snapshot_open(argv[1], 1, &snapshot, &error)) {
		fprintf(stderr, "%s\n", argc < 3 ? "show_page CONFIGURATION NAME [ACCEPT-LANGUAGE]" : error.text);
		return 1;
	}
	bool good = show(snapshot, argv[2], argc > 3 ? argv[3] : NULL);
	snapshot_close(&snapshot);
	return good ? 0 : 1;
}
