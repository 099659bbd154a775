/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check --live`: one question to the web server, and what its answer amounts to. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "bin/authctl_live.h"

enum { HEADER_LINE_MAX = 24 << 10 };

bool live_page_read(struct str url, struct live_page *out, struct buf *why)
{
	struct live_page page = {.url = url, .https = str_starts(url, STR("https://"))};
	if (!fetch_check_url(url, true, why))
		return false;
	size_t scheme = page.https ? 8 : 7, end = scheme;
	while (end < url.n && url.p[end] != '/' && url.p[end] != '?')
		end++;
	page.origin = (struct str){url.p, end};
	page.authority = str_skip(page.origin, scheme);
	page.target = end == url.n || url.p[end] == '?' ? STR("/") : str_skip(url, end);
	page.path = (struct str){page.target.p, str_find(page.target, '?')};
	page.local = fetch_is_local(url);
	*out = page;
	return true;
}

/* The question -------------------------------------------------------------- */

struct live_question live_begin(struct live *live)
{
	arena_reset(live->arena);
	return (struct live_question){0};
}

void live_header(struct live *live, struct live_question *question, const char *format, ...)
{
	struct buf line = arena_buf(live->arena, HEADER_LINE_MAX);
	va_list args;
	if (line.full || question->n_headers == LIVE_HEADERS_MAX)
		return;
	va_start(args, format);
	int n = vsnprintf(line.p, line.cap, format, args);
	va_end(args);
	if (n > 0 && (size_t)n < line.cap)
		question->headers[question->n_headers++] = (struct str){line.p, (size_t)n};
}

void live_as_navigation(struct live *live, struct live_question *question)
{
	live_header(live, question, "Accept: text/html,application/xhtml+xml,*/*;q=0.8");
	live_header(live, question, "Sec-Fetch-Mode: navigate");
	live_header(live, question, "Sec-Fetch-Site: none");
	live_header(live, question, "Sec-Fetch-Dest: document");
}

void live_as_program(struct live *live, struct live_question *question)
{
	live_header(live, question, "Accept: application/json");
	live_header(live, question, "X-Requested-With: XMLHttpRequest");
	live_header(live, question, "Sec-Fetch-Mode: cors");
	live_header(live, question, "Sec-Fetch-Site: same-origin");
}

void live_with_token(struct live *live, struct live_question *question, struct str token, bool bearer)
{
	if (bearer)
		live_header(live, question, "Authorization: Bearer %.*s", STR_ARGS(token));
	else
		live_header(live, question, "Cookie: %.*s=%.*s", STR_ARGS(live->cookie), STR_ARGS(token));
}

bool live_may_send(const struct live *live, const struct live_page *page)
{
	return page->https || page->local || live->insecure;
}

/* The answer ---------------------------------------------------------------- */

static enum live_server server_of(struct str name)
{
	static const char *const names[] = {
		[LIVE_LIGHTTPD] = "lighttpd", [LIVE_APACHE] = "Apache", [LIVE_NGINX] = "nginx"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_starts(name, str_of(names[i])))
			return (enum live_server)i;
	return LIVE_OTHER;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7). */
static bool read_date(struct str text, int64_t *out)
{
	char memory[40];
	struct tm tm = {0};
	if (text.n == 0 || text.n >= sizeof memory)
		return false;
	memcpy(memory, text.p, text.n);
	memory[text.n] = '\0';
	if (!strptime(memory, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		return false;
	*out = timegm(&tm);
	return true;
}

/* What every answer tells beside what was asked. */
static void notice(struct live *live, struct str head)
{
	struct str rest = head, name, value;
	int64_t date;
	if (!live->met)
		live->server = server_of(fetch_header(head, STR("Server")));
	live->met = true;
	if (!live->has_clock && read_date(fetch_header(head, STR("Date")), &date)) {
		live->has_clock = true;
		live->clock_ahead = date - clock_now();
	}
	while (!live->leaked.p && fetch_next_header(&rest, &name, &value))
		if (name.n > 9 && str_eq_nocase((struct str){name.p, 9}, STR("Variable-")))
			live->leaked = arena_copy(live->keep, name);
}

static struct str without_query(struct str url)
{
	url.n = str_find(url, '?');
	return url;
}

/* Is the address the login page, written as a path or with this site in front? */
static bool is_login(const struct live *live, const struct live_page *page, struct str location)
{
	struct str bare = without_query(location), login = without_query(live->login.url);
	if (str_eq(bare, login))
		return true;
	return str_eq(page->origin, live->login.origin) && str_eq(bare, live->login.path);
}

static enum live_outcome outcome_of(const struct live *live, const struct live_page *page, int status,
				    struct str location)
{
	if ((status >= 200 && status < 300) || status == 304)
		return OUTCOME_SHOWN;
	if (status >= 300 && status < 400)
		return is_login(live, page, location) ? OUTCOME_LOGIN : OUTCOME_MOVED;
	if (status == 401 || status == 403)
		return OUTCOME_DENIED;
	if (status == 404 || status == 410)
		return OUTCOME_ABSENT;
	return status >= 500 ? OUTCOME_BROKEN : OUTCOME_REFUSED;
}

void live_ask(struct live *live, const struct live_page *page, const struct live_question *question,
	      struct live_answer *out)
{
	struct fetch_look look = {.method = question->method,
				  .target = question->target,
				  .body = question->body,
				  .ca_file = live->ca_file,
				  .insecure = live->insecure};
	struct fetch_request request = {.url = page->url,
					.headers = question->headers,
					.n_headers = question->n_headers,
					.timeout_ms = live->timeout_ms,
					.connect_timeout_ms = live->timeout_ms,
					.max_body = LIVE_BODY_MAX,
					.once = true,
					.allow_plain_http = true,
					.look = &look};
	struct fetch_answer answer = {0};
	char memory[384];
	struct buf why = buf_over(memory, sizeof memory - 1);
	*out = (struct live_answer){.outcome = OUTCOME_NONE};
	if (!fetch_get(live->fetch, live->arena, &request, &answer, &why)) {
		snprintf(out->said, sizeof out->said, "gets no answer (%s)", buf_z(&why));
		return;
	}
	notice(live, answer.head);
	out->status = answer.status;
	out->head = answer.head;
	out->body = answer.body;
	out->content_type = answer.content_type;
	out->location = fetch_header(answer.head, STR("Location"));
	out->outcome = outcome_of(live, page, answer.status, out->location);
	struct str shown = without_query(out->location);
	snprintf(out->said, sizeof out->said, "is answered with %d%s%.*s", out->status, shown.n ? " to " : "",
		 STR_ARGS(shown));
}

bool live_contains(struct str text, struct str part)
{
	return part.n > 0 && text.n >= part.n && memmem(text.p, text.n, part.p, part.n);
}

bool live_shows(const struct live *live, const struct live_page *page, const struct live_answer *answer)
{
	if (live->text.p)
		return live_contains(answer->body, live->text);
	if (page->probe)
		return live_contains(answer->body, STR("\"fcgi-auth-probe\""));
	return page->steady && page->shown.n > 0 && str_eq(answer->body, page->shown);
}

const struct json *live_read_probe(struct live *live, struct str body)
{
	const struct json *document;
	if (!json_parse(live->arena, body, &document) || !json_member(document, STR("fcgi-auth-probe")))
		return NULL;
	return document;
}
