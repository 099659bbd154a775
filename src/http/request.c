/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters into a request: one pass, one table of the names that count. */
#include "http/request.h"

#include <string.h>

#include "http/url.h"

/* What to do when a name comes twice with different values. */
enum twice { TWICE_REFUSE, TWICE_JOIN };

enum raw_index {
	RAW_METHOD, RAW_TARGET, RAW_HOST, RAW_HTTPS, RAW_SCHEME, RAW_PORT, RAW_ADDR, RAW_POLICY, RAW_EFFECTIVE,
	RAW_AUTHORIZATION, RAW_REDIRECTED, RAW_COOKIE, RAW_ACCEPT, RAW_ORIGIN, RAW_TYPE, RAW_HTTP_TYPE,
	RAW_REQUESTED_WITH, RAW_FETCH_MODE, RAW_FETCH_SITE, RAW_FETCH_DEST, RAW_UPGRADE, RAW_WEBSOCKET_KEY,
	RAW_WEBSOCKET, RAW_REQUESTED_METHOD, RAW_PREFLIGHT, RAW_CACHE_WANTED, RAW_SCRIPT, RAW_PATH_INFO,
	RAW_LENGTH, RAW_COUNT
};

static const struct known {
	struct str name;
	enum twice twice;
} known[RAW_COUNT] = {
	[RAW_METHOD] = {{"REQUEST_METHOD", 14}, TWICE_REFUSE},
	[RAW_TARGET] = {{"REQUEST_URI", 11}, TWICE_REFUSE},
	[RAW_HOST] = {{"HTTP_HOST", 9}, TWICE_REFUSE},
	[RAW_HTTPS] = {{"HTTPS", 5}, TWICE_REFUSE},
	[RAW_SCHEME] = {{"REQUEST_SCHEME", 14}, TWICE_REFUSE},
	[RAW_PORT] = {{"SERVER_PORT", 11}, TWICE_REFUSE},
	[RAW_ADDR] = {{"REMOTE_ADDR", 11}, TWICE_REFUSE},
	[RAW_POLICY] = {{"AUTH_POLICY", 11}, TWICE_REFUSE},
	[RAW_EFFECTIVE] = {{"AUTH_EFFECTIVE_PATH", 19}, TWICE_REFUSE},
	[RAW_AUTHORIZATION] = {{"HTTP_AUTHORIZATION", 18}, TWICE_REFUSE},
	[RAW_REDIRECTED] = {{"REDIRECT_HTTP_AUTHORIZATION", 27}, TWICE_REFUSE},
	[RAW_COOKIE] = {{"HTTP_COOKIE", 11}, TWICE_JOIN},
	[RAW_ACCEPT] = {{"HTTP_ACCEPT", 11}, TWICE_REFUSE},
	[RAW_ORIGIN] = {{"HTTP_ORIGIN", 11}, TWICE_REFUSE},
	[RAW_TYPE] = {{"CONTENT_TYPE", 12}, TWICE_REFUSE},
	[RAW_HTTP_TYPE] = {{"HTTP_CONTENT_TYPE", 17}, TWICE_REFUSE},
	[RAW_REQUESTED_WITH] = {{"HTTP_X_REQUESTED_WITH", 21}, TWICE_REFUSE},
	[RAW_FETCH_MODE] = {{"HTTP_SEC_FETCH_MODE", 19}, TWICE_REFUSE},
	[RAW_FETCH_SITE] = {{"HTTP_SEC_FETCH_SITE", 19}, TWICE_REFUSE},
	[RAW_FETCH_DEST] = {{"HTTP_SEC_FETCH_DEST", 19}, TWICE_REFUSE},
	[RAW_UPGRADE] = {{"HTTP_UPGRADE", 12}, TWICE_REFUSE},
	[RAW_WEBSOCKET_KEY] = {{"HTTP_SEC_WEBSOCKET_KEY", 22}, TWICE_REFUSE},
	[RAW_WEBSOCKET] = {{"HTTP_SEC_WEBSOCKET_PROTOCOL", 27}, TWICE_REFUSE},
	[RAW_REQUESTED_METHOD] = {{"HTTP_ACCESS_CONTROL_REQUEST_METHOD", 34}, TWICE_REFUSE},
	[RAW_PREFLIGHT] = {{"AUTH_PREFLIGHT", 14}, TWICE_REFUSE},
	[RAW_CACHE_WANTED] = {{"AUTH_CACHE_WANTED", 17}, TWICE_REFUSE},
	[RAW_SCRIPT] = {{"SCRIPT_NAME", 11}, TWICE_REFUSE},
	[RAW_PATH_INFO] = {{"PATH_INFO", 9}, TWICE_REFUSE},
	[RAW_LENGTH] = {{"CONTENT_LENGTH", 14}, TWICE_REFUSE},
};

static int find_known(struct str name)
{
	for (int i = 0; i < RAW_COUNT; i++)
		if (name.n == known[i].name.n && memcmp(name.p, known[i].name.p, name.n) == 0)
			return i;
	return -1;
}

static struct str join_cookies(struct arena *arena, struct str a, struct str b)
{
	struct buf joined = arena_buf(arena, a.n + 2 + b.n);
	buf_add(&joined, a);
	buf_add(&joined, STR("; "));
	buf_add(&joined, b);
	return joined.full ? STR_NONE : buf_str(&joined);
}

/* Sort the parameters into raw[]; false, and *why, at a twin that decides something. */
static bool sort_params(struct arena *arena, const struct incoming *in, struct str raw[RAW_COUNT], const char **why)
{
	for (size_t i = 0; i < in->n_params; i++) {
		int k = find_known(in->params[i].name);
		if (k < 0)
			continue;
		struct str value = in->params[i].value;
		if (!raw[k].p) {
			raw[k] = value.p ? value : STR("");
		} else if (str_eq(raw[k], value)) {
			continue;
		} else if (known[k].twice == TWICE_JOIN) {
			raw[k] = join_cookies(arena, raw[k], value);
		} else {
			*why = known[k].name.p;
			return false;
		}
	}
	return true;
}

/* Lower case, without port and without a final dot (RFC 9110 section 7.2). */
static struct str read_host(struct arena *arena, struct str authority)
{
	struct str host = arena_copy(arena, authority);
	if (!host.p)
		return STR_NONE;
	char *p = memcpy(arena_alloc(arena, host.n + 1), host.p, host.n);
	for (size_t i = 0; i < host.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + ('a' - 'A'));
	size_t end = host.n && p[0] == '[' ? str_find((struct str){p, host.n}, ']') : 0;
	size_t colon = str_find(str_skip((struct str){p, host.n}, end), ':') + end;
	host = (struct str){p, colon};
	if (host.n && host.p[host.n - 1] == '.')
		host.n--;
	return host;
}

static bool is_https(const struct str raw[RAW_COUNT])
{
	if (raw[RAW_HTTPS].n)
		return !str_eq_nocase(raw[RAW_HTTPS], STR("off"));
	if (raw[RAW_SCHEME].n)
		return str_eq_nocase(raw[RAW_SCHEME], STR("https"));
	return str_eq(raw[RAW_PORT], STR("443"));
}

/* A server that takes Upgrade for itself leaves the key, which no script can send. */
static bool is_websocket(const struct str raw[RAW_COUNT])
{
	struct str rest = raw[RAW_UPGRADE], protocol;
	bool asks = raw[RAW_WEBSOCKET_KEY].n > 0;
	while (!asks && str_split(&rest, ',', &protocol))
		asks = str_eq_nocase(str_trim(protocol), STR("websocket"));
	return asks && str_eq(raw[RAW_METHOD], STR("GET"));
}

/* The request target without scheme and authority (absolute-form, RFC 9112 3.2.2). */
static struct str origin_form(struct str target)
{
	struct str rest = STR_NONE;
	if (str_starts(target, STR("http://")))
		rest = str_skip(target, 7);
	else if (str_starts(target, STR("https://")))
		rest = str_skip(target, 8);
	if (!rest.p)
		return target;
	struct str path = str_skip(rest, str_find(rest, '/'));
	return path.n ? path : STR("/");
}

static void read_target(struct request *out, struct str target)
{
	out->target = origin_form(target);
	/* A fragment never belongs to a request; kept in the path it is refused there. */
	size_t question = str_find(out->target, '?');
	out->raw_path = (struct str){out->target.p, question};
	out->query = question < out->target.n ? str_skip(out->target, question + 1) : STR_NONE;
}

static void print_id(uint64_t number, char id[17])
{
	struct buf b = buf_over(id, 17);
	for (int shift = 56; shift >= 0; shift -= 8) {
		unsigned char byte = (unsigned char)(number >> shift);
		buf_hex(&b, &byte, 1);
	}
	buf_char(&b, '\0');
}

static void fill(struct request *out, const struct str raw[RAW_COUNT])
{
	out->method = raw[RAW_METHOD];
	out->authority = raw[RAW_HOST];
	out->https = is_https(raw);
	out->remote_addr = raw[RAW_ADDR];
	out->policy = raw[RAW_POLICY];
	out->authorization = raw[RAW_AUTHORIZATION];
	out->cookie = raw[RAW_COOKIE];
	out->accept = raw[RAW_ACCEPT];
	out->origin = raw[RAW_ORIGIN];
	/* Authorizers get no body, and from some servers no CONTENT_TYPE. */
	out->content_type = raw[RAW_TYPE].p ? raw[RAW_TYPE] : raw[RAW_HTTP_TYPE];
	out->requested_method = raw[RAW_REQUESTED_METHOD];
	out->requested_with = raw[RAW_REQUESTED_WITH];
	out->sec_fetch_mode = raw[RAW_FETCH_MODE];
	out->sec_fetch_site = raw[RAW_FETCH_SITE];
	out->sec_fetch_dest = raw[RAW_FETCH_DEST];
	out->cache_wanted = str_eq(raw[RAW_CACHE_WANTED], STR("1"));
	out->websocket = is_websocket(raw);
	out->websocket_protocol = raw[RAW_WEBSOCKET];
	out->script_name = raw[RAW_SCRIPT];
	out->path_info = raw[RAW_PATH_INFO];
}

static enum err bad(const char **why, const char *what)
{
	if (!*why)
		*why = what;
	return ERR_BAD_REQUEST;
}

/* The paths that the request is judged by; NULL, or the parameter that cannot be one. */
static const char *read_paths(struct arena *arena, struct str effective, struct request *out)
{
	if (out->target.n == 0 || !url_normalise(arena, out->raw_path, &out->path))
		return "REQUEST_URI";
	out->bare_path = url_without_parameters(arena, out->path);
	if (!out->bare_path.p)
		return "REQUEST_URI";
	struct str path;
	if (!effective.p)
		return NULL;
	if (!url_normalise_decoded(arena, effective, &path))
		return "AUTH_EFFECTIVE_PATH";
	if (str_eq(path, out->path))
		return NULL;
	out->effective_path = path;
	out->bare_effective_path = url_without_parameters(arena, path);
	return out->bare_effective_path.p ? NULL : "AUTH_EFFECTIVE_PATH";
}

enum err request_read(struct arena *arena, const struct incoming *in, uint64_t number, struct request *out,
		      const char **why)
{
	struct str raw[RAW_COUNT] = {{0}};
	*out = (struct request){.body = in->body, .content_length = -1, .arrived_us = in->arrived_us,
				.params = in->params, .n_params = in->n_params};
	*why = NULL;
	print_id(number, out->id);
	bool sorted = sort_params(arena, in, raw, why);
	fill(out, raw);
	/* Apache gives CGI programs no such header; a site owner's .htaccess does, and an
	 * internal redirect puts its prefix before the name. Headers begin with HTTP_. */
	if (in->asked == ASKED_CGI && out->authorization.n == 0)
		out->authorization = raw[RAW_REDIRECTED];
	out->takes_preflight = in->asked == ASKED_AUTHORIZER || in->asked == ASKED_CGI ||
			       str_eq(raw[RAW_PREFLIGHT], STR("answer"));
	if (raw[RAW_TARGET].p)
		read_target(out, raw[RAW_TARGET]);
	out->host = raw[RAW_HOST].p ? read_host(arena, raw[RAW_HOST]) : STR_NONE;
	if (in->refused) {
		*why = in->why;
		return in->refused;
	}
	if (!sorted)
		return ERR_BAD_REQUEST;
	uint64_t length;
	if (raw[RAW_LENGTH].n && !str_to_uint(raw[RAW_LENGTH], INT64_MAX, &length))
		return bad(why, "CONTENT_LENGTH");
	out->content_length = raw[RAW_LENGTH].n ? (int64_t)length : -1;
	if (out->method.n == 0 || str_has_control(out->method))
		return bad(why, "REQUEST_METHOD");
	if (str_has_control(out->authority))
		return bad(why, "HTTP_HOST");
	*why = read_paths(arena, raw[RAW_EFFECTIVE], out);
	return *why ? ERR_BAD_REQUEST : ERR_NONE;
}

struct request request_effective(const struct request *request)
{
	struct request effective = *request;
	effective.path = request->effective_path;
	effective.bare_path = request->bare_effective_path;
	return effective;
}

unsigned request_parameter(const struct request *request, struct str name, struct str *out)
{
	unsigned found = 0;
	for (size_t i = 0; i < request->n_params && found < 2; i++) {
		if (!str_eq(request->params[i].name, name))
			continue;
		if (found == 0)
			*out = request->params[i].value;
		else if (str_eq(request->params[i].value, *out))
			continue;
		found++;
	}
	return found;
}
