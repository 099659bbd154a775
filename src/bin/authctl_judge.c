/* SPDX-License-Identifier: Apache-2.0 */
/* From the options of `token verify` and `explain` to a request as a web server
 * would tell it, and to the verdict. */
#include "bin/authctl_judge.h"

#include <string.h>

#include "base/clock.h"
#include "base/codec.h"
#include "bin/authctl_output.h"

enum { PARAMS_MAX = 8 };

struct parameters {
	struct param rows[PARAMS_MAX];
	size_t n;
};

static void add(struct parameters *p, struct str name, struct str value)
{
	p->rows[p->n++] = (struct param){name, value};
}

/* "https://host:port/path?query" or "/path"; what a browser never sends is left out. */
static bool add_url(struct parameters *p, struct str url, struct str *target)
{
	bool https = str_starts(url, STR("https://"));
	url.n = str_find(url, '#');
	if (https || str_starts(url, STR("http://"))) {
		url = str_skip(url, https ? 8 : 7);
		size_t slash = 0;
		while (slash < url.n && url.p[slash] != '/' && url.p[slash] != '?')
			slash++;
		struct str host = {url.p, slash};
		if (host.n == 0 || str_find(host, '@') < host.n)
			return false;
		add(p, STR("HTTP_HOST"), host);
		add(p, STR("HTTPS"), https ? STR("on") : STR("off"));
		url = slash == url.n ? STR("/") : str_skip(url, slash);
	}
	*target = url;
	return url.n > 0 && url.p[0] == '/';
}

/* Behind what the address has already. */
static struct str with_query(struct arena *arena, struct str target, struct str name, struct str token)
{
	struct buf out = arena_buf(arena, target.n + name.n + 3 * token.n + 2);
	buf_add(&out, target);
	buf_char(&out, str_find(target, '?') < target.n ? '&' : '?');
	buf_add(&out, name);
	buf_char(&out, '=');
	percent_encode(&out, token, "");
	return out.full ? STR_NONE : buf_str(&out);
}

/* Where the options say that the token is: bearer without one. */
static bool add_token(struct judgement *j, struct parameters *p)
{
	struct arena *arena = j->tool.worker.arena;
	const char *cookie = arguments_value(j->tool.arguments, OPTION_COOKIE);
	const char *query = arguments_value(j->tool.arguments, OPTION_QUERY);
	struct str name = STR("HTTP_AUTHORIZATION"), value, target = j->address;
	if (query) {
		target = with_query(arena, target, str_of(query), j->token);
		add(p, STR("REQUEST_URI"), target);
		return target.p != NULL;
	}
	add(p, STR("REQUEST_URI"), target);
	if (arguments_value(j->tool.arguments, OPTION_WEBSOCKET)) {
		add(p, STR("HTTP_UPGRADE"), STR("websocket"));
		name = STR("HTTP_SEC_WEBSOCKET_PROTOCOL");
		/* With one that the application could choose. */
		value = arena_printf(arena, "authctl, bearer.%.*s", STR_ARGS(j->token));
	} else if (cookie) {
		name = STR("HTTP_COOKIE");
		value = arena_printf(arena, "%s=%.*s", cookie, STR_ARGS(j->token));
	} else {
		value = arena_printf(arena, "Bearer %.*s", STR_ARGS(j->token));
	}
	add(p, name, value);
	return value.p != NULL;
}

static int choose_policy(struct judgement *j, struct parameters *p)
{
	const struct arguments *arguments = j->tool.arguments;
	const struct snapshot *snapshot = j->tool.snapshot;
	const char *name = arguments_value(arguments, OPTION_POLICY), *url = arguments_value(arguments, OPTION_URL);
	if (url && !add_url(p, str_of(url), &j->address))
		return arguments_wrong(arguments, "--url is http://HOST/PATH, https://HOST/PATH or /PATH");
	if (!url)
		j->address = STR("/");
	if (name) {
		add(p, STR("AUTH_POLICY"), str_of(name));
		j->policy_from = "--policy";
	} else if (url) {
		j->policy_from = "--url";
	} else if (snapshot->n_policies == 1) {
		add(p, STR("AUTH_POLICY"), snapshot->policies[0].name);
		j->policy_from = "the only one";
	} else {
		return arguments_wrong(arguments,
				       "the configuration has %zu policies: choose by --policy NAME or --url URL",
				       snapshot->n_policies);
	}
	return EX_OK;
}

static int set_clock(const struct arguments *arguments)
{
	const char *text = arguments_value(arguments, OPTION_NOW);
	uint64_t now;
	if (!text)
		return EX_OK;
	if (!str_to_uint(str_of(text), INT64_MAX / 1000, &now))
		return arguments_wrong(arguments, "--now is a number of seconds since 1970");
	clock_set((int64_t)now);
	return EX_OK;
}

static int check_place(const struct arguments *arguments)
{
	const char *name = arguments_value(arguments, OPTION_COOKIE);
	if (name && (!name[0] || strpbrk(name, "=;, \t\"") || str_has_control(str_of(name))))
		return arguments_wrong(arguments, "--cookie is the name of a cookie");
	const char *query = arguments_value(arguments, OPTION_QUERY);
	if (query && (!query[0] || strpbrk(query, "=&#?+% ") || str_has_control(str_of(query))))
		return arguments_wrong(arguments, "--query is the name of a query parameter");
	if ((name != NULL) + (query != NULL) + (arguments_value(arguments, OPTION_WEBSOCKET) != NULL) > 1)
		return arguments_wrong(arguments, "the token comes in one place: --cookie, --query or --websocket");
	return EX_OK;
}

static int judge(struct judgement *j)
{
	struct worker *worker = &j->tool.worker;
	struct parameters p = {0};
	const char *why;
	int status = choose_policy(j, &p);
	if (status)
		return status;
	if (!input_token(worker->arena, &j->token))
		return EXIT_FAILED;
	add(&p, STR("REQUEST_METHOD"), STR("GET"));
	if (!add_token(j, &p)) {
		output_error("no memory");
		return EXIT_FAILED;
	}
	/* Without a store the pipeline itself says what the programs would say. */
	tool_open_store(&j->tool);
	struct incoming incoming = {.params = p.rows, .n_params = p.n, .arrived_us = clock_monotonic_us()};
	/* The only request of this process: any number is a new one. */
	enum err err = request_read(worker->arena, &incoming, 0, &j->request, &why);
	verify_request(worker, &j->request, err, why, &j->verdict);
	return EX_OK;
}

int judge_open(const struct arguments *arguments, struct judgement *out)
{
	*out = (struct judgement){0};
	int status = set_clock(arguments);
	if (!status)
		status = check_place(arguments);
	if (!status)
		status = tool_open(arguments, &out->tool);
	if (status)
		return status;
	status = judge(out);
	if (status)
		judge_close(out);
	return status;
}

void judge_close(struct judgement *judgement)
{
	clock_set(-1);
	tool_close(&judgement->tool);
}

const struct json *judge_claims(const struct judgement *judgement)
{
	const struct verdict *v = &judgement->verdict;
	bool verified = v->step > VERIFY_TOKEN || v->err == ERR_TOKEN_EXPIRED;
	return verified ? v->claims.all : NULL;
}

const char *judge_decision(const struct judgement *judgement)
{
	return judgement->verdict.err == ERR_NONE ? "allow" : "deny";
}

const char *judge_reason(const struct judgement *judgement)
{
	return judgement->verdict.anonymous ? "anonymous" : err_row(judgement->verdict.err)->reason;
}
