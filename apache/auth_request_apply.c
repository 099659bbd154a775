/* SPDX-License-Identifier: Apache-2.0 */
/* What client and application get of a decision. On allow: variables, the user
 * and Set-Cookie; on deny: the status, some headers, and the body. */
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

#include "auth_request.h"

static const char VARIABLE[] = "Variable-";
enum { VARIABLE_N = sizeof(VARIABLE) - 1 };

/* Applications trust AUTH_* and REMOTE_USER; an authorizer has no say in PATH. */
static bool is_identity(const char *name)
{
	if (strcmp(name, "REMOTE_USER") == 0)
		return true;
	if (strncmp(name, "AUTH_", 5) != 0 || strcmp(name, "AUTH_CACHE") == 0)
		return false;
	for (const char *c = name; *c; c++)
		if (!apr_isupper(*c) && !apr_isdigit(*c) && *c != '_')
			return false;
	return true;
}

static const char *variable_of(const char *header)
{
	if (strncasecmp(header, VARIABLE, VARIABLE_N) != 0 || !is_identity(header + VARIABLE_N))
		return NULL;
	return header + VARIABLE_N;
}

static int unset_variable(void *context, const char *header, const char *value)
{
	request_rec *r = context;
	const char *name = variable_of(header);
	(void)value;
	if (name)
		apr_table_unset(r->subprocess_env, name);
	return 1;
}

static int set_variable(void *context, const char *header, const char *value)
{
	request_rec *r = context;
	const char *name = variable_of(header);
	if (name)
		apr_table_setn(r->subprocess_env, name, value);
	return 1;
}

/* A sub-request begins with the variables of the outer request: those of its verdict go. */
static void unset_inherited(request_rec *r, const struct decision *decision)
{
	for (const request_rec *outer = r; outer; outer = outer->main ? outer->main : outer->prev) {
		const struct request_state *state = state_peek(outer);
		if (state && state->decision && state->decision != decision && state->decision->answer)
			apr_table_do(unset_variable, r, state->decision->answer->headers, NULL);
	}
}

static void apply_sets(request_rec *r, const struct dir_conf *conf, const struct answer *answer)
{
	const struct set_row *rows = (const void *)conf->sets->elts;
	for (int i = 0; i < conf->sets->nelts; i++) {
		const char *error = NULL;
		const char *value = rows[i].header ? answer_header(answer, rows[i].header)
						   : ap_expr_str_exec(r, rows[i].expression, &error);
		if (error)
			ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "AuthRequestSet %s: %s", rows[i].variable, error);
		if (value && *value && !error)
			apr_table_set(r->subprocess_env, rows[i].variable, value);
		else
			apr_table_unset(r->subprocess_env, rows[i].variable);
	}
}

static int add_cookie(void *context, const char *name, const char *value)
{
	request_rec *r = context;
	apr_table_addn(r->err_headers_out, name, value);
	return 1;
}

/* Once for what the client asked for, however many decisions that took. */
static void give_cookies(request_rec *r, const struct answer *answer)
{
	for (request_rec *outer = r; outer; outer = outer->prev)
		if (r->main || (state_peek(outer) && state_peek(outer)->cookies_out))
			return;
	if (answer_header(answer, "Set-Cookie")) {
		apr_table_do(add_cookie, r, answer->headers, "Set-Cookie", NULL);
		/* With whatever the page itself says: no shared cache may keep a cookie for others. */
		apr_table_addn(r->err_headers_out, "Cache-Control", "private");
		state_of(r)->cookies_out = true;
	}
}

void apply_allow(request_rec *r, const struct dir_conf *conf, const struct decision *decision)
{
	unset_inherited(r, decision);
	apr_table_do(set_variable, r, decision->answer->headers, NULL);
	apply_sets(r, conf, decision->answer);
	const char *user = apr_table_get(r->subprocess_env, "REMOTE_USER");
	if (user)
		r->user = apr_pstrdup(r->pool, user);
	give_cookies(r, decision->answer);
}

/* --- Deny ----------------------------------------------------------------- */

static int add_deny_header(void *context, const char *name, const char *value)
{
	static const char *const passed[] = {"WWW-Authenticate", "Set-Cookie", "Retry-After", "Cache-Control", "Vary"};
	apr_table_t *out = context;
	bool pass = strncasecmp(name, "Access-Control-", 15) == 0;
	for (size_t i = 0; i < sizeof(passed) / sizeof(*passed); i++)
		pass = pass || strcasecmp(name, passed[i]) == 0;
	if (pass)
		apr_table_addn(out, name, value);
	return 1;
}

static void add_deny_headers(request_rec *r, const struct answer *answer, int status)
{
	apr_table_do(add_deny_header, r->err_headers_out, answer->headers, NULL);
	apr_table_unset(r->headers_out, "Location");
	if (ap_is_HTTP_REDIRECT(status))
		apr_table_setn(r->err_headers_out, "Location", answer_header(answer, "Location"));
}

/* Is this the page of an error that httpd looks for? Its denial is not the client's. */
static bool is_error_document(const request_rec *r)
{
	for (const request_rec *prev = r->prev; prev; prev = prev->prev)
		if (ap_is_HTTP_ERROR(prev->status))
			return true;
	return false;
}

/* As ap_send_error_response() does it; with the status set, no client is told to send its body. */
static int write_body(request_rec *r, const struct answer *answer, int status)
{
	const char *type = answer_header(answer, "Content-Type");
	r->status = status;
	r->status_line = NULL;
	int discarded = ap_discard_request_body(r);
	if (discarded != OK)
		return discarded;
	ap_set_content_type(r, type ? type : "text/plain");
	ap_set_content_length(r, (apr_off_t)answer->body_n);
	ap_run_insert_error_filter(r);
	ap_rwrite(answer->body, (int)answer->body_n, r);
	return DONE;
}

/* AuthRequestRedirect; 0: it does not apply. */
static int redirect(request_rec *r, const struct dir_conf *conf, const struct decision *decision)
{
	const char *error = NULL;
	if (decision->status != HTTP_UNAUTHORIZED || conf->redirect_on != ON)
		return 0;
	const char *url = ap_expr_str_exec(r, conf->redirect, &error);
	if (error || !url || !*url) {
		ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "AuthRequestRedirect: %s",
			      error ? error : "gives no address");
		return HTTP_INTERNAL_SERVER_ERROR;
	}
	if (decision->answer)
		apr_table_do(add_deny_header, r->err_headers_out, decision->answer->headers, "Set-Cookie", NULL);
	apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
	apr_table_setn(r->headers_out, "Location", url);
	return HTTP_MOVED_TEMPORARILY;
}

int apply_deny(request_rec *r, const struct dir_conf *conf, const struct decision *decision)
{
	const struct answer *answer = decision->answer;
	int status = decision->status;
	if (is_error_document(r))
		return status;
	int redirected = redirect(r, conf, decision);
	if (redirected)
		return redirected;
	if (!answer)
		return status;
	add_deny_headers(r, answer, status);
	/* The answer to a sub-request is its outer request's business. */
	if (answer->body_n == 0 || r->main)
		return status;
	return write_body(r, answer, status);
}

/* --- Request headers ------------------------------------------------------ */

/* X-User, x_user and X.User are one header to an application or a proxy that folds them. */
static bool is_spelling_of(const char *name, const char *header)
{
	for (; *name && *header; name++, header++)
		if (apr_isalnum(*header) ? apr_tolower(*name) != apr_tolower(*header) : apr_isalnum(*name))
			return false;
	return *name == *header;
}

static void remove_spellings(request_rec *r, const char *header)
{
	const apr_array_header_t *all = apr_table_elts(r->headers_in);
	const apr_table_entry_t *rows = (const void *)all->elts;
	for (int i = all->nelts - 1; i >= 0; i--)
		if (is_spelling_of(rows[i].key, header)) {
			apr_table_unset(r->headers_in, rows[i].key);
			i = all->nelts; /* the rows have moved */
		}
}

void apply_headers(request_rec *r, const struct dir_conf *conf)
{
	const struct header_row *rows = (const void *)conf->headers->elts;
	struct request_state *state = state_of(r);
	if (conf->headers->nelts == 0 || state->headers_conf == r->per_dir_config)
		return;
	state->headers_conf = r->per_dir_config;
	/* A sub-request may share the table of the request that it belongs to. */
	r->headers_in = apr_table_copy(r->pool, r->headers_in);
	for (int i = 0; i < conf->headers->nelts; i++) {
		const char *value = apr_table_get(r->subprocess_env, rows[i].variable);
		remove_spellings(r, rows[i].header);
		if (value)
			apr_table_set(r->headers_in, rows[i].header, value);
	}
}
