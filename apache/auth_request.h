/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of mod_auth_request share. Only httpd and APR are used: a
 * fault in here takes the web server down, so that it stays small.
 *
 * One request: mod_auth_request.c finds or makes its decision; the question
 * goes out by auth_request_fcgi.c over a connection of auth_request_pool.c, or
 * by auth_request_subrequest.c; auth_request_answer.c says what the answer
 * means; auth_request_apply.c gives it to the client and to the application. */
#ifndef AUTH_REQUEST_H
#define AUTH_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <httpd.h>

#include <ap_expr.h>
#include <apr_network_io.h>
#include <apr_tables.h>
#include <http_config.h>
#include <http_log.h>

extern module AP_MODULE_DECLARE_DATA auth_request_module;
APLOG_USE_MODULE(auth_request);

/* What only a real decision of our programs carries. */
#define PROOF_OF_OURS "Variable-AUTH_REQUEST_ID"
/* An answer, and one line of it, are never longer. */
enum { ANSWER_MAX = 131072, LINE_MAX_BYTES = 8190 };

/* --- Configuration (auth_request_config.c) ------------------------------- */

/* One line of AuthRequestBackend. */
struct member {
	const char *text;        /* the address as it is written, for messages */
	const char *uri;         /* asked by sub-request; NULL: by FastCGI */
	apr_sockaddr_t *address; /* of FastCGI: a list, tried in its order */
	apr_interval_time_t connect, timeout;
	int pool_size;     /* connections of a child; -1: as many as it has threads */
	struct pool *pool; /* this child's; NULL in the parent and for sub-requests */
};

/* Whom a location asks: one member, or several in the order of fail-over. */
struct backend {
	const char *name;
	apr_array_header_t *members; /* of struct member * */
	const char *proof;           /* header of an allow; NULL: none is needed */
	bool proof_given;            /* in the configuration, not by default */
	const char *page_path;       /* of the generation page; NULL: no verdict cache */
	struct page *page;           /* NULL: it was not there at start */
	struct cache *cache;         /* this child's */
};

struct header_row {
	const char *header, *variable;
};

/* AuthRequestSet: a header of the answer, or an expression. */
struct set_row {
	const char *variable, *header;
	ap_expr_info_t *expression;
};

enum on_off { UNSET = -1, OFF = 0, ON = 1 };

struct dir_conf {
	enum on_off on;
	const char *backend_name;     /* of AuthRequestBackend, or NULL and */
	const struct backend *direct; /* AuthRequest /local/uri */
	enum on_off redirect_on, cache;
	ap_expr_info_t *redirect;
	const char *policy;          /* NULL: not set */
	apr_array_header_t *headers; /* of struct header_row */
	apr_array_header_t *sets;    /* of struct set_row */
	int on_error;                /* status; UNSET, or OFF: the status of the error itself */
};

void *config_new_server(apr_pool_t *, server_rec *);
void *config_merge_server(apr_pool_t *, void *base, void *add);
void *config_new_dir(apr_pool_t *, char *dir);
void *config_merge_dir(apr_pool_t *, void *base, void *add);
extern const command_rec config_commands[];

/* Whom does this location ask? NULL: nobody is known by that name. */
const struct backend *config_backend(const server_rec *, const struct dir_conf *);
/* Does every AuthRequest name a backend that is there? Logs what is not. */
bool config_check(server_rec *main_server);
/* Call for each backend of all servers. */
void config_each_backend(server_rec *main_server, void (*call)(struct backend *, void *), void *context);

/* --- Question and answer -------------------------------------------------- */

enum outcome { ANSWERED, UNREACHABLE, TIMED_OUT, MALFORMED };

/* The records of one FastCGI request, ready to be sent; may outlive the request. */
struct question {
	const char *bytes;
	apr_size_t n;
};

struct answer {
	int status;
	apr_table_t *headers;
	const char *body;
	apr_size_t body_n;
	const char *head; /* the bytes of the head, with its empty line; NULL: of a sub-request */
	apr_size_t head_n;
	bool by_http;     /* a sub-request to an HTTP server, which always has a status */
};

/* For whom is asked: the request, or NULL where a tunnel of this server is looked after. */
struct asker {
	request_rec *r;
	server_rec *server;
	apr_pool_t *pool;
};
#define LOG_ASKER(asker, level, ...) \
	do { \
		if ((asker)->r) \
			ap_log_rerror(APLOG_MARK, (level), 0, (asker)->r, __VA_ARGS__); \
		else \
			ap_log_error(APLOG_MARK, (level), 0, (asker)->server, __VA_ARGS__); \
	} while (0)

/* The request that the client sent, from which this one comes by sub-requests and redirects. */
request_rec *question_origin(request_rec *);
/* The path that is served here, where it is another than that of the client's URL; else NULL. */
const char *question_effective_path(request_rec *);
/* The parameters as FastCGI records; cached: ask how long the verdict may be kept. */
struct question question_make(request_rec *, const struct dir_conf *, bool cached);

enum outcome fcgi_ask(const struct asker *, const struct member *, const struct question *, struct answer *);
/* Ask the members in turn, until one answers. */
enum outcome backend_ask(const struct asker *, const struct backend *, const struct question *, struct answer *);
enum outcome subrequest_ask(request_rec *, const struct backend *, const struct member *, const char *policy,
			    struct answer *);
void subrequest_register(void);

/* The head of a CGI answer. False: it is malformed, and why. */
bool answer_parse(apr_pool_t *, const char *text, apr_size_t n, struct answer *, const char **why);
/* Value of a header, without blanks around it; NULL: not there. */
const char *answer_header(const struct answer *, const char *name);

/* --- Connections of a child (auth_request_pool.c) ------------------------- */

struct connection {
	int fd;
	bool kept; /* it has served before: whoever is there may be gone */
};

apr_time_t clock_now(void); /* monotonic, microseconds */
/* Wait until the descriptor is ready for it (POLLIN, POLLOUT). False: the time is over. */
bool clock_wait(int fd, short events, apr_time_t deadline);

struct pool *pool_open(apr_pool_t *child, int size);
enum outcome pool_take(const struct member *, bool fresh, struct connection *);
void pool_give(const struct member *, struct connection *, bool keep);
/* Close what has been idle for long. */
void pool_sweep(struct pool *);
/* Is the member left alone for now, since it could not be had a moment ago? */
bool pool_is_down(const struct member *);
void pool_set_down(const struct member *, bool down);

/* --- The verdict cache (auth_request_cache.c) ------------------------------ */

/* NULL: there is none that can be trusted. */
struct page *page_open(apr_pool_t *, const char *path);
bool page_is(const struct page *, uint64_t generation);
bool page_generation(const struct page *, uint64_t *);
struct cache *cache_open(apr_pool_t *child);

/* How one request uses it: the generation from before the authorizer is asked. */
struct cache_use {
	const struct backend *backend;
	const char *policy;
	uint64_t generation;
	bool on;
};
struct cache_key {
	char bytes[16384];
	apr_size_t n;
	bool full; /* too much for a key: not kept */
};
bool cache_begin(request_rec *, const struct dir_conf *, const struct backend *, struct cache_use *);
bool cache_find(request_rec *, const struct cache_use *, struct answer *);
/* Does an allow say that it holds for all paths of its policy? */
bool cache_any_path(const struct answer *);
/* Keep an allow, when it says that it may be; asked: clock_now() from before. */
void cache_keep(request_rec *, const struct cache_use *, const struct answer *, apr_time_t asked);

/* --- The decision -------------------------------------------------------- */

struct decision {
	const struct backend *backend;
	const char *policy, *uri;
	bool any_path; /* it holds for all paths */
	int status;    /* OK, or the status of the denial */
	const struct answer *answer; /* NULL: nobody has decided */
};

/* What the answer to the decision's backend means: its status, and the answer where that is one. */
void answer_judge(const struct asker *, enum outcome, const struct answer *, struct decision *);

/* What the module knows of a request. */
struct request_state {
	const struct decision *decision;
	bool waits;                      /* with Satisfy Any others may still let it pass */
	const void *headers_conf;        /* the configuration whose AuthRequestHeader is done */
	bool asking;                     /* its sub-requests are questions of ours */
	bool cookies_out;                /* an allow's Set-Cookie has been given to the client */
};

struct request_state *state_of(request_rec *);       /* made when there is none */
const struct request_state *state_peek(const request_rec *); /* NULL: none */

/* --- Upgraded connections (auth_request_tunnel.c) -------------------------- */

/* Starts a child's thread; NULL: there is none, and nothing is followed. */
struct watch *tunnel_watch(apr_pool_t *child, server_rec *);
/* Where the request asks for an upgrade: end its connection when the verdict ends. */
void tunnel_follow(request_rec *, const struct dir_conf *, const struct decision *, struct watch *);

void apply_allow(request_rec *, const struct dir_conf *, const struct decision *);
/* Gives what the hook has to return. */
int apply_deny(request_rec *, const struct dir_conf *, const struct decision *);
/* AuthRequestHeader: the client's own away, the verdict's in. */
void apply_headers(request_rec *, const struct dir_conf *);

#endif
