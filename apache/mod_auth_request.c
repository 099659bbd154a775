/* SPDX-License-Identifier: Apache-2.0 */
/* mod_auth_request asks an external authorizer whether a request may pass. Here
 * are the hooks, and the order in which one request is decided.
 *
 * It hooks access_checker: that runs without any Require, so that a location
 * with AuthRequest cannot be left open, and what Require says comes behind it. */
#include <string.h>

#include <ap_mpm.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_main.h>
#include <http_protocol.h>
#include <http_request.h>

#include "auth_request.h"

/* This child's, from its start to its end. */
static struct watch *watch;

const struct request_state *state_peek(const request_rec *r)
{
	return ap_get_module_config(r->request_config, &auth_request_module);
}

struct request_state *state_of(request_rec *r)
{
	struct request_state *state = ap_get_module_config(r->request_config, &auth_request_module);
	if (!state) {
		state = apr_pcalloc(r->pool, sizeof(*state));
		ap_set_module_config(r->request_config, &auth_request_module, state);
	}
	return state;
}

static const struct dir_conf *dir_conf(const request_rec *r)
{
	return ap_get_module_config(r->per_dir_config, &auth_request_module);
}

/* Is this a question of ours, or made for one? Any other sub-request is decided as well. */
static bool is_question(const request_rec *r)
{
	for (; r; r = r->main ? r->main : r->prev)
		if (state_peek(r) && state_peek(r)->asking)
			return true;
	return false;
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* A decision of this request, or of one that it comes from, about the same. */
static const struct decision *find(const request_rec *r, const struct backend *backend, const char *policy)
{
	for (const request_rec *at = r; at; at = at->main ? at->main : at->prev) {
		const struct decision *made = state_peek(at) ? state_peek(at)->decision : NULL;
		if (made && made->backend == backend && is_same(made->policy, policy)
		    && (made->any_path || strcmp(made->uri, r->uri) == 0))
			return made;
	}
	return NULL;
}

static enum outcome ask_member(const struct asker *asker, const struct backend *backend, const struct member *member,
			       const struct question *question, struct answer *answer)
{
	if (member->uri)
		return subrequest_ask(asker->r, backend, member, dir_conf(asker->r)->policy, answer);
	enum outcome outcome = fcgi_ask(asker, member, question, answer);
	pool_set_down(member, outcome == UNREACHABLE || outcome == TIMED_OUT);
	return outcome;
}

/* The first that answers; who could not be had a moment ago is asked last. */
enum outcome backend_ask(const struct asker *asker, const struct backend *backend, const struct question *question,
			 struct answer *answer)
{
	struct member *const *members = (void *)backend->members->elts;
	int n = backend->members->nelts;
	bool *down = apr_pcalloc(asker->pool, (apr_size_t)n * sizeof(*down));
	for (int i = 0; i < n; i++)
		down[i] = !members[i]->uri && pool_is_down(members[i]);
	enum outcome outcome = UNREACHABLE;
	for (int i = 0; i < 2 * n; i++) {
		if (down[i % n] != (i >= n))
			continue;
		outcome = ask_member(asker, backend, members[i % n], question, answer);
		if (outcome == ANSWERED || outcome == MALFORMED)
			break;
	}
	return outcome;
}

static const struct decision *decide(request_rec *r, const struct dir_conf *conf, const struct backend *backend)
{
	struct asker asker = {r, r->server, r->pool};
	struct answer *answer = apr_pcalloc(r->pool, sizeof(*answer));
	struct decision *made = apr_pcalloc(r->pool, sizeof(*made));
	struct cache_use use;
	apr_time_t asked = clock_now();
	bool cached = cache_begin(r, conf, backend, &use);
	enum outcome outcome = ANSWERED;
	bool found = cached && cache_find(r, &use, answer);
	if (!found) {
		struct question question = question_make(r, conf, cached);
		outcome = backend_ask(&asker, backend, &question, answer);
	}
	*made = (struct decision){.backend = backend, .policy = conf->policy, .uri = apr_pstrdup(r->pool, r->uri)};
	answer_judge(&asker, outcome, answer, made);
	made->any_path = made->status == OK && cache_any_path(answer);
	if (made->status == OK && !found)
		cache_keep(r, &use, answer, asked);
	if (!made->answer && conf->on_error > 0)
		made->status = conf->on_error;
	return made;
}

static int check(request_rec *r)
{
	const struct dir_conf *conf = dir_conf(r);
	if (conf->on != ON || is_question(r))
		return DECLINED;
	const struct backend *backend = config_backend(r->server, conf);
	if (!backend) {
		ap_log_rerror(APLOG_MARK, APLOG_CRIT, 0, r, "no AuthRequestBackend of this server is named %s",
			      conf->backend_name);
		return HTTP_INTERNAL_SERVER_ERROR;
	}
	const struct decision *made = find(r, backend, conf->policy);
	if (!made)
		made = decide(r, conf, backend);
	state_of(r)->decision = made;
	state_of(r)->waits = made->status != OK && ap_satisfies(r) == SATISFY_ANY;
	if (state_of(r)->waits)
		return made->status;
	if (made->status != OK)
		return apply_deny(r, conf, made);
	apply_allow(r, conf, made);
	tunnel_follow(r, conf, made, watch);
	return OK;
}

/* With Satisfy Any the others come behind a denial. Only when they deny as well
 * it is one, and nothing of it has gone out before. */
static int check_others(request_rec *r)
{
	if (!state_peek(r) || !state_peek(r)->waits)
		return DECLINED;
	state_of(r)->waits = false;
	int status = ap_run_access_checker_ex(r);
	return status == OK || status == DECLINED ? status : apply_deny(r, dir_conf(r), state_peek(r)->decision);
}

/* httpd leaves out the access hooks where it has already been here; the
 * variables have got other names on the way (REDIRECT_…). */
static int fixups(request_rec *r)
{
	const struct dir_conf *conf = dir_conf(r);
	const struct backend *backend = conf->on == ON ? config_backend(r->server, conf) : NULL;
	if (backend && !is_question(r) && !(state_peek(r) && state_peek(r)->decision)) {
		const struct decision *made = find(r, backend, conf->policy);
		if (made && made->status == OK)
			apply_allow(r, conf, made);
	}
	apply_headers(r, conf);
	return DECLINED;
}

/* A DirectoryIndex or FallbackResource has put another location's request in this one's place. */
static void insert_filter(request_rec *r)
{
	apply_headers(r, dir_conf(r));
}

/* %{auth_request:Header}: of the answer to this request, in every expression. */
static const char *expr_header(ap_expr_eval_ctx_t *context, const void *data, const char *name)
{
	(void)data;
	const struct request_state *state = context->r ? state_peek(context->r) : NULL;
	const char *value = state && state->decision ? answer_header(state->decision->answer, name) : NULL;
	return value ? value : "";
}

static int expr_lookup(ap_expr_lookup_parms *parms)
{
	if (parms->type != AP_EXPR_FUNC_STRING || strcasecmp(parms->name, "auth_request") != 0)
		return DECLINED;
	*parms->func = __extension__(const void *) expr_header;
	*parms->data = NULL;
	return OK;
}

static int check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *server)
{
	(void)pconf;
	(void)plog;
	(void)ptemp;
	return config_check(server) ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

static void open_pools(struct backend *backend, void *context)
{
	struct member *const *members = (void *)backend->members->elts;
	int threads = 1;
	ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
	if (backend->page && !backend->cache)
		backend->cache = cache_open(context);
	for (int i = 0; i < backend->members->nelts; i++) {
		struct member *member = members[i];
		if (!member->uri && !member->pool)
			member->pool = pool_open(context, member->pool_size > 0 ? member->pool_size
							  : threads > 0 ? threads : 1);
	}
}

static void open_page(struct backend *backend, void *context)
{
	if (!backend->page_path || backend->page)
		return;
	backend->page = page_open(context, backend->page_path);
	if (!backend->page)
		ap_log_error(APLOG_MARK, APLOG_WARNING, 0, ap_server_conf, "%s cannot be used (start auth-verify "
			     "first): no verdict of %s is kept until the next restart", backend->page_path,
			     backend->name);
}

/* Still as root, since the page's folder belongs to the authorizer alone. */
static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *server)
{
	(void)plog;
	(void)ptemp;
	if (ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG)
		config_each_backend(server, open_page, pconf);
	return OK;
}

static void child_init(apr_pool_t *child, server_rec *server)
{
	config_each_backend(server, open_pools, child);
	watch = tunnel_watch(child, server);
}

static void register_hooks(apr_pool_t *p)
{
	(void)p;
	subrequest_register();
	ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_check_access(check, NULL, NULL, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_URI);
	ap_hook_check_access_ex(check_others, NULL, NULL, APR_HOOK_REALLY_FIRST, AP_AUTH_INTERNAL_PER_URI);
	ap_hook_fixups(fixups, NULL, NULL, APR_HOOK_REALLY_FIRST);
	ap_hook_insert_filter(insert_filter, NULL, NULL, APR_HOOK_REALLY_FIRST);
	ap_hook_expr_lookup(expr_lookup, NULL, NULL, APR_HOOK_MIDDLE);
}

#pragma GCC visibility push(default)
module AP_MODULE_DECLARE_DATA auth_request_module = {
	STANDARD20_MODULE_STUFF,
	config_new_dir,
	config_merge_dir,
	config_new_server,
	config_merge_server,
	config_commands,
	register_hooks,
	0,
};
#pragma GCC visibility pop
