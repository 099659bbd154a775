/* SPDX-License-Identifier: Apache-2.0 */
/* A question by sub-request to a location of this server, as nginx's
 * auth_request asks: what stands behind the location is another module's
 * business (mod_proxy_http, mod_proxy_fcgi, CGI). */
#include <string.h>

#include <apr_buckets.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#include "auth_request.h"

static const char NO_BODY[] = "AUTH_REQUEST_NO_BODY", CAPTURE[] = "AUTH_REQUEST_CAPTURE";
enum { BODY_MAX = 65536 };

struct capture {
	char *bytes;
	apr_size_t n;
};

/* The body belongs to the request that is decided about; the question has none. */
static apr_status_t no_body(ap_filter_t *filter, apr_bucket_brigade *brigade, ap_input_mode_t mode,
			    apr_read_type_e block, apr_off_t n)
{
	(void)mode;
	(void)block;
	(void)n;
	APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(filter->c->bucket_alloc));
	return APR_SUCCESS;
}

/* Keeps the body of the answer, which would go to the client. */
static apr_status_t capture(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
	struct capture *kept = filter->ctx;
	apr_bucket *at;
	for (at = APR_BRIGADE_FIRST(brigade); at != APR_BRIGADE_SENTINEL(brigade); at = APR_BUCKET_NEXT(at)) {
		const char *bytes;
		apr_size_t n;
		if (APR_BUCKET_IS_METADATA(at))
			continue;
		apr_status_t status = apr_bucket_read(at, &bytes, &n, APR_BLOCK_READ);
		if (status != APR_SUCCESS)
			return status;
		n = n < BODY_MAX - kept->n ? n : BODY_MAX - kept->n;
		memcpy(kept->bytes + kept->n, bytes, n);
		kept->n += n;
	}
	apr_brigade_cleanup(brigade);
	return APR_SUCCESS;
}

void subrequest_register(void)
{
	ap_register_input_filter(NO_BODY, no_body, NULL, AP_FTYPE_RESOURCE);
	ap_register_output_filter(CAPTURE, capture, NULL, AP_FTYPE_RESOURCE);
}

/* The URL that is decided about: the client's, or that of the sub-request or redirect. */
static const char *original_uri(request_rec *r)
{
	request_rec *origin = question_origin(r);
	if (!question_effective_path(r))
		return origin->unparsed_uri;
	return apr_pstrcat(r->pool, ap_os_escape_path(r->pool, r->uri, 1), r->args ? "?" : "", r->args, NULL);
}

/* What authorizers read, whoever they were made for; a client's own words about these go. */
static void describe(request_rec *r, request_rec *question)
{
	static const char *const gone[] = {
		"Content-Length", "Transfer-Encoding", "Expect", "Upgrade", "Range", "If-Range",
		"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since",
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Server",
	};
	request_rec *origin = question_origin(r);
	const char *uri = original_uri(r), *host = apr_table_get(origin->headers_in, "Host");
	const char *site = apr_pstrcat(r->pool, ap_http_scheme(origin), "://",
				       host ? host : ap_get_server_name(origin), NULL);
	apr_table_t *headers = apr_table_copy(question->pool, origin->headers_in);
	for (size_t i = 0; i < sizeof(gone) / sizeof(*gone); i++)
		apr_table_unset(headers, gone[i]);
	apr_table_setn(headers, "X-Original-URI", uri);
	apr_table_setn(headers, "X-Original-URL", apr_pstrcat(r->pool, site, uri, NULL));
	apr_table_setn(headers, "X-Original-Method", origin->method);
	apr_table_setn(headers, "X-Forwarded-Uri", uri);
	apr_table_setn(headers, "X-Forwarded-Method", origin->method);
	apr_table_setn(headers, "X-Forwarded-Proto", ap_http_scheme(origin));
	apr_table_setn(headers, "X-Real-IP", origin->useragent_ip);
	question->headers_in = headers;
}

static int is_outer(const char *name)
{
	return strncmp(name, "AUTH_", 5) == 0 || strncmp(name, "REDIRECT_", 9) == 0 || strcmp(name, "REMOTE_USER") == 0;
}

/* For endpoints that speak CGI or FastCGI: nothing of the outer request but what it is asked about. */
static void set_environment(request_rec *r, request_rec *question, const char *policy)
{
	const apr_array_header_t *all = apr_table_elts(question->subprocess_env);
	const apr_table_entry_t *rows = (const void *)all->elts;
	const char *path = question_effective_path(r), *authorization = apr_table_get(r->headers_in, "Authorization");
	apr_table_t *kept = apr_table_make(question->pool, all->nelts + 4);
	for (int i = 0; i < all->nelts; i++)
		if (!is_outer(rows[i].key))
			apr_table_addn(kept, rows[i].key, rows[i].val);
	apr_table_setn(kept, "AUTH_POLICY", policy ? policy : "");
	if (path)
		apr_table_setn(kept, "AUTH_EFFECTIVE_PATH", path);
	/* Without CGIPassAuth httpd leaves it out. */
	if (authorization)
		apr_table_setn(kept, "HTTP_AUTHORIZATION", authorization);
	question->subprocess_env = kept;
}

static int copy_header(void *context, const char *name, const char *value)
{
	apr_table_t *out = context;
	apr_table_add(out, name, value);
	return 1;
}

static bool is_http(const request_rec *question)
{
	return strncmp(question->filename ? question->filename : "", "proxy:http", 10) == 0;
}

/* Outlives the sub-request, whose pool goes. */
static enum outcome keep_answer(request_rec *r, request_rec *question, int returned, struct answer *answer)
{
	static const enum outcome failed[] = {[HTTP_BAD_GATEWAY - 500] = MALFORMED,
					      [HTTP_SERVICE_UNAVAILABLE - 500] = UNREACHABLE,
					      [HTTP_GATEWAY_TIME_OUT - 500] = TIMED_OUT};
	if (returned >= HTTP_BAD_GATEWAY && returned <= HTTP_GATEWAY_TIME_OUT)
		return failed[returned - 500];
	answer->status = returned == OK || returned == DONE ? question->status : returned;
	answer->by_http = is_http(question);
	answer->headers = apr_table_make(r->pool, 12);
	apr_table_do(copy_header, answer->headers, question->err_headers_out, NULL);
	apr_table_do(copy_header, answer->headers, question->headers_out, NULL);
	if (question->content_type)
		apr_table_set(answer->headers, "Content-Type", question->content_type);
	return ANSWERED;
}

static int run(request_rec *r, request_rec *question, const char *policy, struct capture *kept)
{
	/* A location that is not there, or that the configuration denies. */
	if (question->status != HTTP_OK)
		return question->status;
	describe(r, question);
	set_environment(r, question, policy);
	/* What speaks CGI or FastCGI judges the client's method; servers of HTTP expect a GET. */
	if (!is_http(question))
		question->method = question_origin(r)->method;
	question->input_filters = question->proto_input_filters;
	ap_add_input_filter(NO_BODY, NULL, question, question->connection);
	ap_add_output_filter(CAPTURE, kept, question, question->connection);
	return ap_run_sub_req(question);
}

enum outcome subrequest_ask(request_rec *r, const struct backend *backend, const struct member *member,
			    const char *policy, struct answer *answer)
{
	struct capture kept = {.bytes = apr_palloc(r->pool, BODY_MAX)};
	const char *uri = member->uri;
	if (policy)
		uri = apr_pstrcat(r->pool, uri, strchr(uri, '?') ? "&" : "?", "policy=",
				  ap_escape_urlencoded(r->pool, policy), NULL);
	state_of(r)->asking = true;
	request_rec *question = ap_sub_req_method_uri("GET", uri, r, r->output_filters);
	int returned = run(r, question, policy, &kept);
	state_of(r)->asking = false;
	enum outcome outcome = keep_answer(r, question, returned, answer);
	ap_destroy_sub_req(question);
	/* Without proof= it is the module of that name, with which a body never came through. */
	if (backend->proof_given || backend->name != member->uri) {
		answer->body = kept.bytes;
		answer->body_n = kept.n;
	}
	if (outcome != ANSWERED)
		ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "the sub-request to %s has ended with %d", member->uri,
			      returned);
	return outcome;
}
