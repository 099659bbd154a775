/* SPDX-License-Identifier: Apache-2.0 */
/* A request as the parameters that an authorizer gets, in FastCGI records.
 * They are taken from the request itself: neither its environment, which other
 * modules and the outer request fill, nor CGIPassAuth have a say. */
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <util_fcgi.h>

#include "auth_request.h"

enum { RECORD_MAX = 65528, REQUEST_ID = 1 };

request_rec *question_origin(request_rec *r)
{
	while (r->main || r->prev)
		r = r->main ? r->main : r->prev;
	return r;
}

/* Path of the URL as it came, decoded as httpd does it. */
static const char *origin_path(request_rec *origin)
{
	const char *target = origin->unparsed_uri;
	if (*target != '/') {
		const char *host = strstr(target, "://");
		target = host ? strchr(host + 3, '/') : NULL;
		if (!target)
			return "/";
	}
	char *path = apr_pstrmemdup(origin->pool, target, strcspn(target, "?#"));
	if (ap_unescape_url(path) != OK)
		return "";
	ap_no2slash(path);
	ap_getparents(path);
	return path;
}

const char *question_effective_path(request_rec *r)
{
	return strcmp(r->uri, origin_path(question_origin(r))) == 0 ? NULL : r->uri;
}

static void add(apr_table_t *pairs, const char *name, const char *value)
{
	apr_table_setn(pairs, name, value ? value : "");
}

/* HTTP_NAME, as CGI has it; a name with other characters would stand for two. */
static int add_header(void *context, const char *name, const char *value)
{
	apr_table_t *pairs = context;
	static const char *const of_the_body[] = {"Content-Length", "Transfer-Encoding", "Proxy"};
	for (size_t i = 0; i < sizeof(of_the_body) / sizeof(*of_the_body); i++)
		if (strcasecmp(name, of_the_body[i]) == 0)
			return 1;
	char *parameter = apr_pstrcat(apr_table_elts(pairs)->pool, "HTTP_", name, NULL);
	for (char *c = parameter + 5; *c; c++) {
		if (!apr_isalnum(*c) && *c != '-')
			return 1;
		*c = (char)(*c == '-' ? '_' : apr_toupper(*c));
	}
	apr_table_setn(pairs, parameter, value);
	return 1;
}

static apr_table_t *parameters(request_rec *r, const struct dir_conf *conf, bool cached)
{
	request_rec *origin = question_origin(r);
	const char *scheme = ap_http_scheme(origin), *path = question_effective_path(r);
	apr_table_t *pairs = apr_table_make(r->pool, 40);
	apr_table_do(add_header, pairs, origin->headers_in, NULL);
	add(pairs, "GATEWAY_INTERFACE", "CGI/1.1");
	add(pairs, "REQUEST_METHOD", origin->method);
	add(pairs, "REQUEST_URI", origin->unparsed_uri);
	add(pairs, "REQUEST_SCHEME", scheme);
	if (strcmp(scheme, "https") == 0)
		add(pairs, "HTTPS", "on");
	add(pairs, "SERVER_NAME", ap_get_server_name_for_url(origin));
	add(pairs, "SERVER_PORT", apr_psprintf(r->pool, "%u", ap_get_server_port(origin)));
	add(pairs, "SERVER_PROTOCOL", origin->protocol);
	add(pairs, "REMOTE_ADDR", origin->useragent_ip);
	add(pairs, "REMOTE_PORT", apr_psprintf(r->pool, "%u", origin->useragent_addr->port));
	add(pairs, "AUTH_POLICY", conf->policy);
	if (path)
		add(pairs, "AUTH_EFFECTIVE_PATH", path);
	if (cached)
		add(pairs, "AUTH_CACHE_WANTED", "1");
	return pairs;
}

/* --- FastCGI -------------------------------------------------------------- */

static char *put_length(char *at, apr_size_t n)
{
	if (n < 128) {
		*at++ = (char)n;
		return at;
	}
	for (int shift = 24; shift >= 0; shift -= 8)
		*at++ = (char)((n >> shift) & 0xff);
	at[-4] = (char)(at[-4] | (char)0x80);
	return at;
}

static char *put(char *at, const char *bytes, apr_size_t n)
{
	memcpy(at, bytes, n);
	return at + n;
}

static char *put_record(char *at, int type, const char *content, apr_size_t n)
{
	const char head[] = {1, (char)type, 0, REQUEST_ID, (char)(n >> 8), (char)(n & 0xff), 0, 0};
	at = put(at, head, sizeof(head));
	return n ? put(at, content, n) : at;
}

/* The pairs one behind the other; what of them goes into which record does not matter. */
static char *pairs_stream(apr_pool_t *p, const apr_table_t *pairs, apr_size_t *out)
{
	const apr_table_entry_t *rows = (const void *)apr_table_elts(pairs)->elts;
	int n = apr_table_elts(pairs)->nelts;
	apr_size_t size = 0;
	for (int i = 0; i < n; i++)
		size += 8 + strlen(rows[i].key) + strlen(rows[i].val);
	char *stream = apr_palloc(p, size), *at = stream;
	for (int i = 0; i < n; i++) {
		apr_size_t key = strlen(rows[i].key), value = strlen(rows[i].val);
		at = put_length(put_length(at, key), value);
		at = put(put(at, rows[i].key, key), rows[i].val, value);
	}
	*out = (apr_size_t)(at - stream);
	return stream;
}

struct question question_make(request_rec *r, const struct dir_conf *conf, bool cached)
{
	/* An authorizer, and the connection stays open. */
	const char begin[] = {0, AP_FCGI_AUTHORIZER, AP_FCGI_KEEP_CONN, 0, 0, 0, 0, 0};
	apr_size_t n;
	const char *stream = pairs_stream(r->pool, parameters(r, conf, cached), &n);
	char *bytes = apr_palloc(r->pool, n + (n / RECORD_MAX + 4) * AP_FCGI_HEADER_LEN + sizeof(begin)), *at = bytes;
	at = put_record(at, AP_FCGI_BEGIN_REQUEST, begin, sizeof(begin));
	for (apr_size_t done = 0; done < n; done += RECORD_MAX)
		at = put_record(at, AP_FCGI_PARAMS, stream + done, n - done < RECORD_MAX ? n - done : RECORD_MAX);
	at = put_record(at, AP_FCGI_PARAMS, NULL, 0);
	at = put_record(at, AP_FCGI_STDIN, NULL, 0);
	return (struct question){bytes, (apr_size_t)(at - bytes)};
}
