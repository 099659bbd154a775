/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of cors-origin, and the answer to a preflight. */
#include "policy/cors.h"

#include "policy/login_options.h"
#include "policy/runtime.h"

enum { HEADERS_MAX = 2048, METHOD_MAX = 32 };

/* A method or the name of a header (RFC 9110 section 5.6.2). */
static bool is_token(struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
		    str_find(STR("!#$%&'*+-.^_`|~"), c) == 15)
			return false;
	}
	return text.n > 0;
}

static bool is_any(const struct policy *policy)
{
	const struct conf_list *origins = &policy->conf->cors_origin;
	return origins->n == 1 && str_eq(origins->items[0].value, STR("*"));
}

static bool takes_cookies(const struct policy *policy)
{
	for (size_t i = 0; i < policy->sources.n_carriers; i++)
		if (policy->sources.carriers[i] == CARRIER_COOKIE)
			return true;
	return false;
}

/* Browsers leave it out of what they send. */
static bool has_usual_port(struct str origin)
{
	return str_starts(origin, STR("https:")) ? str_ends(origin, STR(":443")) : str_ends(origin, STR(":80"));
}

bool cors_check_origin(const struct conf_text *origin, struct conf_error *error)
{
	if (login_origin_is_valid(origin->value) && !has_usual_port(origin->value))
		return true;
	return conf_fail_at(error, origin, "cors-origin",
			    "\"%.*s\" is no origin as browsers send it: https://host or https://host:port in lower "
			    "case, without a path and the usual port",
			    STR_ARGS(origin->value));
}

static bool check_origins(const struct policy *policy, struct conf_error *error)
{
	const struct conf_list *origins = &policy->conf->cors_origin;
	for (size_t i = 0; i < origins->n; i++) {
		const struct conf_text *origin = &origins->items[i];
		if (str_eq(origin->value, STR("*"))) {
			if (origins->n > 1)
				return conf_fail_at(error, origin, "cors-origin",
						    "* is every origin: let it stand alone");
			if (takes_cookies(policy))
				return conf_fail_at(error, origin, "cors-origin",
						    "* would show what a user's cookie opens to every site: list the "
						    "origins, or take cookie out of token-from");
		} else if (!cors_check_origin(origin, error)) {
			return false;
		}
	}
	return true;
}

bool cors_check(const struct policy *policy, const struct conf_section *section, struct conf_error *error)
{
	const struct conf_list *headers = &policy->conf->cors_headers;
	size_t length = 0;
	for (size_t i = 0; i < headers->n; i++) {
		if (!is_token(headers->items[i].value))
			return conf_fail_at(error, &headers->items[i], "cors-headers",
					    "\"%.*s\" is no name of a header", STR_ARGS(headers->items[i].value));
		length += headers->items[i].value.n + 2;
	}
	if (length > HEADERS_MAX)
		return conf_fail(error, section, "cors-headers", "have more than %d bytes together", HEADERS_MAX);
	return check_origins(policy, error);
}

bool cors_lists(const struct policy *policy, const struct request *request)
{
	const struct conf_list *origins = &policy->conf->cors_origin;
	for (size_t i = 0; request->origin.n && i < origins->n; i++)
		if (str_eq_nocase(origins->items[i].value, request->origin))
			return true;
	return request->origin.n && is_any(policy);
}

/* The policy whose answer it is; NULL where one that the request falls under does not list the origin. */
static const struct policy *find(const struct snapshot *snapshot, const struct request *request)
{
	const struct policy *policy;
	if (!request->origin.n || !request->path.p || access_find(snapshot, request, &policy) != ERR_NONE ||
	    !cors_lists(policy, request))
		return NULL;
	if (!request->effective_path.p)
		return policy;
	const struct request effective = request_effective(request);
	return access_find(snapshot, &effective, &policy) == ERR_NONE && cors_lists(policy, request) ? policy : NULL;
}

static struct str say(const struct policy *policy, const struct request *request)
{
	return is_any(policy) ? STR("*") : request->origin;
}

struct str cors_origin(const struct snapshot *snapshot, const struct request *request)
{
	const struct policy *policy = find(snapshot, request);
	return policy ? say(policy, request) : STR_NONE;
}

void cors_headers(struct reply *reply, struct str origin)
{
	if (!origin.p)
		return;
	reply_header(reply, "Access-Control-Allow-Origin", origin);
	if (!str_eq(origin, STR("*")))
		reply_header(reply, "Access-Control-Allow-Credentials", STR("true"));
	reply_header(reply, "Vary", STR("Origin"));
}

bool cors_preflight(const struct snapshot *snapshot, const struct request *request, struct str *origin,
		    const struct policy **policy)
{
	if (!request->takes_preflight || !str_eq(request->method, STR("OPTIONS")) || !request->requested_method.n)
		return false;
	const struct policy *found = find(snapshot, request);
	if (!found)
		return false;
	*policy = found;
	*origin = say(found, request);
	return true;
}

static struct str methods(struct arena *arena, const struct request *request)
{
	static const char usual[] = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
	struct str method = request->requested_method, rest = str_of(usual), part;
	bool known = method.n > METHOD_MAX || !is_token(method);
	while (!known && str_split(&rest, ',', &part))
		known = str_eq(str_trim(part), method);
	return known ? str_of(usual) : arena_printf(arena, "%s, %.*s", usual, STR_ARGS(method));
}

void cors_answer(struct arena *arena, const struct request *request, const struct policy *policy, struct str origin,
		 struct reply *reply)
{
	const struct conf_list *headers = &policy->conf->cors_headers;
	struct buf names = arena_buf(arena, HEADERS_MAX);
	for (size_t i = 0; i < headers->n; i++) {
		buf_add(&names, i ? STR(", ") : STR(""));
		buf_add(&names, headers->items[i].value);
	}
	reply_begin(reply, 204);
	cors_headers(reply, origin);
	reply_header(reply, "Access-Control-Allow-Methods", methods(arena, request));
	if (names.n)
		reply_header(reply, "Access-Control-Allow-Headers", buf_str(&names));
	reply_header_int(reply, "Access-Control-Max-Age", CORS_MAX_AGE);
	reply_end(reply);
}
