/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check --live`: the login page can be reached, and browsers will keep what it gives them. */
#include <stdio.h>
#include <string.h>

#include "bin/authctl_live.h"
#include "policy/cookies.h"

#define ELSEWHERE "fcgi-auth-check.invalid"

/* Cookies ------------------------------------------------------------------------- */

static bool has_attribute(struct str line, struct str name, struct str *value)
{
	struct str rest = line, part;
	str_split(&rest, ';', &part); /* the cookie itself */
	while (str_split(&rest, ';', &part)) {
		part = str_trim(part);
		size_t equal = str_find(part, '=');
		if (!str_eq_nocase((struct str){part.p, equal}, name))
			continue;
		*value = equal < part.n ? str_skip(part, equal + 1) : STR("");
		return true;
	}
	return false;
}

static void judge_cookie(struct live *live, const struct live_page *page, struct str line)
{
	struct str name = {line.p, str_find(line, '=')}, value;
	bool secure = has_attribute(line, STR("Secure"), &value);
	bool prefix = cookies_prefix_is_host(name) || cookies_prefix_is_secure(name), good = true;
	if (!has_attribute(line, STR("HttpOnly"), &value)) {
		live_line(live, found(CHECK_FAILED, CAUSE_NONE, "login cookie", page),
			  "%.*s is set without HttpOnly: scripts of any page can read it", STR_ARGS(name));
		good = false;
	}
	if (!has_attribute(line, STR("SameSite"), &value)) {
		live_line(live, found(CHECK_WARNING, CAUSE_NONE, "login cookie", page),
			  "%.*s is set without SameSite: other sites' forms may use it", STR_ARGS(name));
		good = false;
	}
	if (page->https && !secure) {
		live_line(live, found(CHECK_FAILED, CAUSE_HTTPS, "login cookie", page),
			  "%.*s is set without Secure, although the page came over https: the program is not told so",
			  STR_ARGS(name));
		good = false;
	}
	if (prefix && (!secure || !page->https)) {
		live_line(live, found(CHECK_FAILED, CAUSE_HTTPS, "login cookie", page),
			  "browsers refuse %.*s without Secure and https", STR_ARGS(name));
		good = false;
	}
	if (good)
		live_line(live, found(CHECK_OK, CAUSE_NONE, "login cookie", page), "%.*s: HttpOnly, SameSite%s",
			  STR_ARGS(name), secure ? ", Secure" : "");
}

static void judge_cookies(struct live *live, const struct live_page *page, const struct live_answer *answer)
{
	struct str rest = answer->head, name, value;
	size_t n = 0;
	while (fetch_next_header(&rest, &name, &value))
		if (str_eq_nocase(name, STR("Set-Cookie"))) {
			judge_cookie(live, page, value);
			n++;
		}
	if (n == 0)
		live_line(live, found(CHECK_SKIPPED, CAUSE_NONE, "login cookie", page),
			  "the page sets none, so its flags cannot be seen");
}

static struct str host_of(struct str authority)
{
	size_t end = str_find(authority, ':');
	return (struct str){authority.p, end};
}

/* Is the host the domain, or below it? */
static bool in_domain(struct str host, struct str domain)
{
	if (domain.n && domain.p[0] == '.')
		domain = str_skip(domain, 1);
	if (host.n <= domain.n)
		return str_eq_nocase(host, domain);
	return str_eq_nocase(str_skip(host, host.n - domain.n), domain) && host.p[host.n - domain.n - 1] == '.';
}

static bool below_path(struct str path, struct str folder)
{
	if (!str_starts(path, folder))
		return false;
	return path.n == folder.n || (folder.n && folder.p[folder.n - 1] == '/') || path.p[folder.n] == '/';
}

/* The session's cookie comes after a login: what the configuration makes of it. */
static void check_scope(struct live *live, const struct live_page *page)
{
	const struct login_conf *login = live->checkup->tool.snapshot->login;
	struct cookie_attributes cookie = login_cookie_attributes(login, page->https, 0);
	struct str name = login->cookie.value;
	if (cookie.secure && !page->https)
		live_line(
			live, found(CHECK_FAILED, CAUSE_NONE, "cookie", page),
			"the login sets %.*s with Secure, which browsers neither take nor send over http: serve the "
			"site by https (for a trial: another [login] cookie, cookie-secure = auto)",
			STR_ARGS(name));
	else if (cookie.domain.p && !in_domain(host_of(page->authority), cookie.domain))
		live_line(live, found(CHECK_FAILED, CAUSE_NONE, "cookie", page),
			  "the login sets %.*s for %.*s, so browsers do not send it here: [login] cookie-domain",
			  STR_ARGS(name), STR_ARGS(cookie.domain));
	else if (!below_path(page->path, cookie.path))
		live_line(live, found(CHECK_FAILED, CAUSE_NONE, "cookie", page),
			  "the login sets %.*s for %.*s, so browsers do not send it here: [login] cookie-path",
			  STR_ARGS(name), STR_ARGS(cookie.path));
	else
		live_line(live, found(CHECK_OK, CAUSE_NONE, "cookie", page),
			  "%.*s%s, SameSite=%s, path %.*s, domain %.*s", STR_ARGS(name),
			  cookie.secure ? ", Secure" : "", cookie.same_site, STR_ARGS(cookie.path),
			  STR_ARGS(cookie.domain.p ? cookie.domain : STR("this host alone")));
}

/* The page ------------------------------------------------------------------------- */

static void ask_login(struct live *live, const char *rd, bool token, struct live_answer *out)
{
	const struct live_page *page = &live->login;
	struct live_question question = live_begin(live);
	char mark = page->path.n < page->target.n ? '&' : '?';
	live_as_navigation(live, &question);
	if (token)
		live_with_token(live, &question, live->token, false);
	question.target = arena_printf(live->arena, "%.*s%crd=%s", STR_ARGS(page->target), mark, rd);
	live_ask(live, page, &question, out);
}

static bool judge_page(struct live *live, const struct live_page *page, const struct live_answer *answer)
{
	bool form = live_contains(answer->body, STR("<form"));
	if (answer->outcome == OUTCOME_SHOWN && form) {
		live_line(live, found(CHECK_OK, CAUSE_NONE, "login", page), "the login page is open to everybody");
		return true;
	}
	if (answer->outcome == OUTCOME_SHOWN)
		live_line(live, found(CHECK_WARNING, CAUSE_NONE, "login", page),
			  "there is no form on the login page: is it the right address?");
	else if (answer->outcome == OUTCOME_LOGIN || answer->outcome == OUTCOME_DENIED)
		live_line(live, found(CHECK_FAILED, CAUSE_LOGIN, "login", page),
			  "the login page %s: it is protected itself, and nobody gets to it", answer->said);
	else if (answer->outcome == OUTCOME_MOVED)
		live_line(live, found(CHECK_WARNING, CAUSE_NONE, "login", page), "the login page %s", answer->said);
	else
		live_line(live, found(CHECK_FAILED, CAUSE_LOGIN_MISSING, "login", page), "the login page %s",
			  answer->said);
	return false;
}

/* A login must lead to no other site, whatever the link to it says. */
static void check_open_redirect(struct live *live, const struct live_page *page)
{
	static const char *const elsewhere[] = {"https://" ELSEWHERE "/", "//" ELSEWHERE "/",
						"/%5c" ELSEWHERE "/",	  "%09//" ELSEWHERE "/",
						"https:" ELSEWHERE,	  "https://x@" ELSEWHERE "/"};
	bool token = live->token.p && str_eq(page->origin, live->pages[0].origin) && live_may_send(live, page);
	for (size_t i = 0; i < 2 * sizeof elsewhere / sizeof *elsewhere; i++) {
		struct live_answer answer;
		const char *rd = elsewhere[i / 2];
		if (i % 2 == 1 && !token)
			continue;
		ask_login(live, rd, i % 2 == 1, &answer);
		if (!live_contains(answer.location, STR(ELSEWHERE)) && !live_contains(answer.body, STR(ELSEWHERE)))
			continue;
		live_line(live, found(CHECK_FAILED, CAUSE_NONE, "login redirect", page),
			  "a link to the login page with rd=%s leads to another site after the login: whoever sends "
			  "such a link can show a false login page; let the login check rd",
			  rd);
		return;
	}
	live_line(live, found(CHECK_OK, CAUSE_NONE, "login redirect", page), "leads to no other site");
}

void live_check_login(struct live *live)
{
	struct live_answer answer;
	const struct live_page *page = &live->login;
	ask_login(live, "/", false, &answer);
	bool good = judge_page(live, page, &answer);
	if (good) {
		judge_cookies(live, page, &answer);
		check_open_redirect(live, page);
	}
	for (size_t i = 0; i < live->n_pages; i++)
		check_scope(live, &live->pages[i]);
}
