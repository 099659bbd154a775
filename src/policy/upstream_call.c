/* SPDX-License-Identifier: Apache-2.0 */
/* One call to the auth server: its headers, its bounds, and what went wrong with it. */
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "policy/upstream_internal.h"

enum { LINES_MAX = UPSTREAM_HEADERS_MAX + 4, WHY_SIZE = 512 };

enum err upstream_begin(const struct call *call, int64_t timeout_ms, int64_t wait_ms, struct upstream_visit *out)
{
	struct worker *worker = call->worker;
	const struct upstream *upstream = worker->snapshot->upstream;
	struct upstream_visit visit = {
		.call = call,
		.upstream = upstream,
		.cookies = arena_array(worker->arena, UPSTREAM_COOKIES_MAX, sizeof(struct upstream_cookie)),
	};
	if (!visit.cookies)
		return ERR_INTERNAL;
	if (!upstream_gate_enter(worker->upstream_gate, (unsigned)upstream->conf->max_concurrent, wait_ms))
		return ERR_OVERLOADED;
	visit.deadline_ms = clock_monotonic_ms() + timeout_ms;
	*out = visit;
	return ERR_NONE;
}

void upstream_end(struct upstream_visit *visit)
{
	upstream_gate_leave(visit->call->worker->upstream_gate);
}

void upstream_complain(const struct call *call, enum upstream_action action, enum err err, const char *format, ...)
{
	char text[2 * WHY_SIZE];
	const struct request *request = call->request;
	struct log_line line;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	log_begin(&line, LOG_ERR, "upstream_failed");
	log_field(&line, "client", request->remote_addr.n ? request->remote_addr : STR("-"));
	log_number(&line, "status", err_row(err)->status);
	log_field(&line, "reason", str_of(err_row(err)->reason));
	log_field(&line, "rid", str_of(request->id));
	log_field(&line, "action", str_of(upstream_action_name(action)));
	log_field(&line, "url", call->worker->snapshot->upstream->urls[action]);
	log_foreign(&line, "text", str_of(text));
	log_end(&line);
}

static bool add_line(struct arena *arena, struct str *lines, size_t *n, const char *name, struct str value)
{
	struct buf b = arena_buf(arena, value.n + 32);
	buf_printf(&b, "%s: ", name);
	buf_add(&b, value);
	lines[(*n)++] = buf_str(&b);
	return !b.full;
}

/* Of the client nothing is passed on but what is named here. */
static bool list_headers(const struct upstream_visit *visit, const struct upstream_question *question,
			 struct str *lines, size_t *n)
{
	struct arena *arena = visit->call->worker->arena;
	const struct upstream *upstream = visit->upstream;
	struct str address = visit->call->request->remote_addr;
	struct str cookie = upstream_cookie_header(visit, false, question->clients_cookies);
	bool form = question->encoding == UPSTREAM_REQUEST_FORM, good = true;
	*n = 0;
	for (size_t i = 0; i < upstream->n_headers; i++)
		lines[(*n)++] = upstream->headers[i];
	if (question->body.p)
		good = add_line(arena, lines, n, "Content-Type",
				form ? STR("application/x-www-form-urlencoded") : STR("application/json"));
	if (good && cookie.p)
		good = add_line(arena, lines, n, "Cookie", cookie);
	if (good && question->bearer.p)
		good = add_line(arena, lines, n, "Authorization",
				arena_printf(arena, "Bearer %.*s", STR_ARGS(question->bearer)));
	if (good && upstream->conf->forward_address && address.n && !str_has_control(address))
		good = add_line(arena, lines, n, "X-Forwarded-For", address);
	return good;
}

static void keep_cookies(struct upstream_visit *visit, struct str head)
{
	struct str name, value;
	while (visit->n_cookies < UPSTREAM_COOKIES_MAX && fetch_next_header(&head, &name, &value))
		if (str_eq_nocase(name, STR("set-cookie")) &&
		    upstream_cookie_parse(value, &visit->cookies[visit->n_cookies]))
			visit->n_cookies++;
}

static enum err failure(const struct fetch *fetch)
{
	if (fetch_timed_out(fetch))
		return ERR_UPSTREAM_TIMEOUT;
	return fetch_unanswered(fetch) ? ERR_UPSTREAM : ERR_UPSTREAM_ANSWER;
}

static enum err send(struct upstream_visit *visit, const struct upstream_question *question,
		     struct fetch_request *request, struct fetch_answer *out)
{
	char memory[WHY_SIZE];
	struct buf why = buf_over(memory, sizeof memory - 1);
	struct fetch *fetch = worker_fetch(visit->call->worker);
	if (!fetch)
		return ERR_INTERNAL;
	if (request->timeout_ms <= 0) {
		upstream_complain(visit->call, question->action, ERR_UPSTREAM_TIMEOUT,
				  "no time was left after the calls before this one");
		return ERR_UPSTREAM_TIMEOUT;
	}
	if (fetch_get(fetch, visit->call->worker->arena, request, out, &why))
		return ERR_NONE;
	enum err err = failure(fetch);
	upstream_complain(visit->call, question->action, err, "%s", buf_z(&why));
	return err;
}

enum err upstream_ask(struct upstream_visit *visit, const struct upstream_question *question, struct fetch_answer *out)
{
	const struct upstream_conf *conf = visit->upstream->conf;
	const struct fetch_send sent = {.body = question->body, .ca_file = conf->ca_file.value.p};
	struct str lines[LINES_MAX];
	visit->asked = question->action;
	struct fetch_request request = {
		.url = question->url.p ? question->url : visit->upstream->urls[question->action],
		.headers = lines,
		.timeout_ms = visit->deadline_ms - clock_monotonic_ms(),
		.connect_timeout_ms = conf->connect_timeout,
		.max_body = (size_t)conf->max_body,
		/* A registration that is asked for twice finds itself. And a kept connection may
		 * hold a thread of the server that waits for more on it, Puma's for 0.2 s. */
		.once = question->body.p != NULL,
		.allow_plain_http = conf->allow_plain_http,
		.send = &sent,
	};
	if (!list_headers(visit, question, lines, &request.n_headers))
		return ERR_INTERNAL;
	enum err err = send(visit, question, &request, out);
	if (err == ERR_NONE)
		keep_cookies(visit, out->head);
	return err;
}
