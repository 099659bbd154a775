/* SPDX-License-Identifier: Apache-2.0 */
/* Upgraded connections (WebSocket), which are asked about once and live for
 * long. One thread of each child ends them when the verdict does: at its end,
 * or when the authorizer, asked again after a change, says no. It closes idle
 * connections to authorizers as well. */
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <apr_portable.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>
#include <http_core.h>

#include "auth_request.h"

/* How often is looked; how often is asked where no page tells of changes; how long
 * an authorizer may be away before a connection that should be asked about ends. */
enum { TICK_S = 1, ASK_S = 10, PATIENCE_S = 60 };

struct tunnel {
	struct tunnel *next;
	struct watch *watch;
	const struct backend *backend;
	server_rec *server;
	struct question question;
	int fd;
	bool asks, busy, ended; /* busy: the thread uses it without the lock */
	uint64_t generation;    /* of the page at the last question */
	apr_time_t until, ask_at, unsure_since; /* monotonic; 0: none */
};

struct watch {
	apr_thread_mutex_t *lock;
	apr_thread_cond_t *changed;
	apr_thread_t *thread;
	apr_pool_t *pool; /* the thread's alone */
	server_rec *server;
	struct tunnel *tunnels;
	bool stopped;
};

/* Shut, not closed: the descriptor stays httpd's, which sees the end of its client. */
static void end(struct tunnel *tunnel, const char *why)
{
	if (!tunnel->ended) {
		ap_log_error(APLOG_MARK, APLOG_INFO, 0, tunnel->server, "an upgraded connection is ended: %s", why);
		shutdown(tunnel->fd, SHUT_RDWR);
	}
	tunnel->ended = true;
}

/* Is there a reason to ask? Takes note of the generation from before. */
static bool is_due(struct tunnel *tunnel, apr_time_t now)
{
	const struct page *page = tunnel->backend->page;
	if (!tunnel->asks || (now < tunnel->ask_at && (!page || page_is(page, tunnel->generation))))
		return false;
	tunnel->ask_at = now + apr_time_from_sec(ASK_S);
	if (page && page_generation(page, &tunnel->generation))
		tunnel->ask_at = INT64_MAX;
	return true;
}

static void take_answer(struct tunnel *tunnel, const struct decision *made, apr_time_t now)
{
	tunnel->busy = false;
	apr_thread_cond_broadcast(tunnel->watch->changed);
	if (made->answer && made->status != OK) {
		end(tunnel, "the authorizer says no");
	} else if (made->answer) {
		tunnel->unsure_since = 0;
	} else {
		tunnel->ask_at = now;
		if (tunnel->unsure_since == 0)
			tunnel->unsure_since = now;
		else if (now - tunnel->unsure_since > apr_time_from_sec(PATIENCE_S))
			end(tunnel, "the authorizer cannot be asked");
	}
}

/* The lock is given back while the authorizer is waited for; the tunnel stays, since it is busy. */
static void ask_again(struct watch *watch, struct tunnel *tunnel)
{
	struct asker asker = {NULL, tunnel->server, NULL};
	struct decision made = {.backend = tunnel->backend};
	struct answer answer;
	tunnel->busy = true;
	apr_thread_mutex_unlock(watch->lock);
	apr_pool_create(&asker.pool, watch->pool);
	answer_judge(&asker, backend_ask(&asker, tunnel->backend, &tunnel->question, &answer), &answer, &made);
	apr_thread_mutex_lock(watch->lock);
	take_answer(tunnel, &made, clock_now());
	apr_pool_destroy(asker.pool);
}

static void look_at_all(struct watch *watch)
{
	struct tunnel *tunnel = watch->tunnels;
	while (tunnel && !watch->stopped) {
		apr_time_t now = clock_now();
		if (tunnel->until && now >= tunnel->until)
			end(tunnel, "its verdict has expired");
		else if (!tunnel->ended && is_due(tunnel, now))
			ask_again(watch, tunnel);
		tunnel = tunnel->next;
	}
}

static void sweep(struct backend *backend, void *context)
{
	struct member *const *members = (void *)backend->members->elts;
	(void)context;
	for (int i = 0; i < backend->members->nelts; i++)
		if (members[i]->pool)
			pool_sweep(members[i]->pool);
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *context)
{
	struct watch *watch = context;
	(void)thread;
	apr_thread_mutex_lock(watch->lock);
	while (!watch->stopped) {
		look_at_all(watch);
		config_each_backend(watch->server, sweep, NULL);
		if (!watch->stopped)
			apr_thread_cond_timedwait(watch->changed, watch->lock, apr_time_from_sec(TICK_S));
	}
	apr_thread_mutex_unlock(watch->lock);
	return NULL;
}

static apr_status_t stop(void *context)
{
	struct watch *watch = context;
	apr_status_t status;
	apr_thread_mutex_lock(watch->lock);
	watch->stopped = true;
	apr_thread_cond_broadcast(watch->changed);
	apr_thread_mutex_unlock(watch->lock);
	return apr_thread_join(&status, watch->thread);
}

/* A pool with an allocator of its own: nobody else takes memory from it. */
static bool private_pool(apr_pool_t *child, apr_pool_t **out)
{
	apr_allocator_t *allocator;
	if (apr_allocator_create(&allocator) != APR_SUCCESS
	    || apr_pool_create_ex(out, child, NULL, allocator) != APR_SUCCESS)
		return false;
	apr_allocator_owner_set(allocator, *out);
	return true;
}

struct watch *tunnel_watch(apr_pool_t *child, server_rec *server)
{
	struct watch *watch = apr_pcalloc(child, sizeof(*watch));
	sigset_t all, before;
	watch->server = server;
	if (!private_pool(child, &watch->pool)
	    || apr_thread_mutex_create(&watch->lock, APR_THREAD_MUTEX_DEFAULT, child) != APR_SUCCESS
	    || apr_thread_cond_create(&watch->changed, child) != APR_SUCCESS)
		return NULL;
	/* Signals are for httpd's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	apr_status_t status = apr_thread_create(&watch->thread, NULL, run, watch, child);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status != APR_SUCCESS)
		return NULL;
	apr_pool_pre_cleanup_register(child, watch, stop);
	return watch;
}

static apr_status_t forget(void *context)
{
	struct tunnel *tunnel = context;
	struct watch *watch = tunnel->watch;
	apr_thread_mutex_lock(watch->lock);
	while (tunnel->busy)
		apr_thread_cond_wait(watch->changed, watch->lock);
	for (struct tunnel **at = &watch->tunnels; *at; at = &(*at)->next)
		if (*at == tunnel) {
			*at = tunnel->next;
			break;
		}
	apr_thread_mutex_unlock(watch->lock);
	return APR_SUCCESS;
}

static bool is_by_fcgi(const struct backend *backend)
{
	struct member *const *members = (void *)backend->members->elts;
	for (int i = 0; i < backend->members->nelts; i++)
		if (members[i]->uri)
			return false;
	return true;
}

void tunnel_follow(request_rec *r, const struct dir_conf *conf, const struct decision *made, struct watch *watch)
{
	apr_socket_t *socket = ap_get_conn_socket(r->connection);
	const char *expires = answer_header(made->answer, "Variable-AUTH_EXPIRES");
	/* A stream of HTTP/2 has no connection of its own that could be ended. */
	if (!watch || r->main || r->connection->master || !socket || !apr_table_get(r->headers_in, "Upgrade"))
		return;
	struct tunnel *tunnel = apr_pcalloc(r->pool, sizeof(*tunnel));
	if (apr_os_sock_get(&tunnel->fd, socket) != APR_SUCCESS)
		return;
	tunnel->watch = watch;
	tunnel->backend = made->backend;
	tunnel->server = r->server;
	tunnel->asks = is_by_fcgi(made->backend);
	tunnel->question = question_make(r, conf, false);
	if (expires)
		tunnel->until = clock_now() + apr_time_from_sec(apr_atoi64(expires)) - r->request_time;
	apr_thread_mutex_lock(watch->lock);
	tunnel->next = watch->tunnels;
	watch->tunnels = tunnel;
	apr_thread_mutex_unlock(watch->lock);
	apr_pool_pre_cleanup_register(r->pool, tunnel, forget);
}
