/* SPDX-License-Identifier: Apache-2.0 */
/* What a process holds: the configuration as one immutable snapshot, the store,
 * and a worker's own things. */
#ifndef POLICY_RUNTIME_H
#define POLICY_RUNTIME_H

#include "base/conf.h"
#include "http/network.h"
#include "net/fetch.h"
#include "policy/access.h"
#include "policy/api_key.h"
#include "policy/breached.h"
#include "policy/keys.h"
#include "policy/login_options.h"
#include "policy/logout_options.h"
#include "policy/mail_options.h"
#include "policy/page_set.h"
#include "policy/profile.h"
#include "policy/stores.h"
#include "policy/upstream_options.h"
#include "store/account.h"
#include "store/store.h"
#include "store/user_record.h"
#include "token/issuer.h"

/* [server] */
struct server_conf {
	struct conf_text state_dir, user_records, transport;
	int log, log_level, log_format;
	bool log_allow;
	int64_t threads, max_connections, max_request_headers, drain_timeout;
	struct conf_list trusted_proxies;
};

extern const struct conf_kind server_kind;
/* Every kind of section there is, for conf_open and the reference; ends with NULL. */
extern const struct conf_kind *const runtime_kinds[];
/* Options whose values are secrets, for conf_print; ends with NULL. */
extern const char *const runtime_masked[];

/* One loaded configuration with its keys. Never changed after it is current;
 * freed when no request uses it any more. */
struct snapshot {
	struct conf *conf;
	struct arena *arena;
	const struct server_conf *server;
	const struct store_conf *store;
	const struct api_keys_conf *api_keys_conf;
	struct api_key_settings api_keys;
	struct issuer_set issuers;
	const struct profile_source *profiles;
	size_t n_profiles;
	const struct policy *policies; /* most specific first */
	size_t n_policies;
	const struct route_table *routes; /* to them */
	const struct login_conf *login;
	const struct logout_conf *logout;
	struct mail_sender mail;
	struct login_limits login_limits;
	struct breached *breached; /* NULL without a list */
	const struct page_set *pages;
	const struct upstream *upstream; /* NULL: the backend is local */
	struct issuer *login_issuer; /* signs the tokens of local accounts; NULL when none can */
	struct networks trusted; /* proxies */
	bool asks; /* some issuer has a URL that is asked */
};

struct runtime;

/* What one worker thread owns. Handlers get it, and nothing else of the process. */
struct worker {
	struct runtime *runtime;
	unsigned number;
	struct arena *arena;		 /* the request's; reset when it is over */
	const struct snapshot *snapshot; /* the request's; NULL between requests */
	struct token_thread *token;
	const struct store_driver *store_driver;
	struct store_thread *store;
	int64_t next_store_ms; /* when to try again, while store_driver is absent_store */
	struct accounts *accounts; /* NULL until worker_accounts() */
	struct user_records *user_records;   /* the process's */
	struct user_records_thread *records; /* NULL until worker_user_records() */
	struct keys *keys;	   /* the process's */
	struct fetch *fetch;	   /* NULL until worker_fetch() */
	struct opaque_sessions *sessions; /* the process's; NULL in tools */
	struct profiles *profiles;	  /* the process's; NULL in tools */
	struct api_keys *api_keys;	  /* the process's; NULL in tools */
	struct upstream_gate *upstream_gate; /* the process's; NULL in tools */
	struct mailer *mailer;		  /* the process's; NULL in tools */
	uint64_t requests;	   /* counts on from a random number */
};

struct runtime_settings {
	const char *path; /* of the configuration */
	unsigned threads; /* instead of the configuration's; 0: the configuration's */
	/* A process of one request (plain CGI) has nobody to be started again by: where
	 * the store cannot be opened it runs without, see absent_store.h. */
	bool one_request;
};

/* Load and check the configuration, keys and store. error says file, line, key
 * and what to do; *exit_status is 78 for the configuration, 1 for what is wrong
 * around it. */
bool runtime_open(const struct runtime_settings *settings, struct runtime **out, struct conf_error *error,
		  int *exit_status);
void runtime_close(struct runtime **runtime);
/* Read everything again and swap; what is bad is logged and the old one stays. */
bool runtime_reload(struct runtime *runtime);
/* To be called every few seconds by the main thread: notices changed files,
 * frees retired snapshots, sweeps the store. */
void runtime_tick(struct runtime *runtime);
/* The current snapshot, for the main thread. */
const struct snapshot *runtime_snapshot(const struct runtime *runtime);
unsigned runtime_threads(const struct runtime *runtime);
/* Does the process notice changed files, and tell web servers (store/generation.h)? One
 * of a single request does not. */
bool runtime_watches(const struct runtime *runtime);

/* A number that changes when the configuration's files do, or those that it names. */
uint64_t runtime_files(const struct conf *conf);

/* For the program that keeps records of users, at its start: hold their file, where a
 * policy asks for them. */
void runtime_hold_user_records(struct runtime *runtime);

/* A snapshot alone, for tools: what runtime_open does without the store. */
bool snapshot_open(const char *path, unsigned slots, struct snapshot **out, struct conf_error *error);
void snapshot_close(struct snapshot **snapshot);
/* Compile trusted-proxies. */
bool server_options_check(struct snapshot *snapshot, const struct conf_section *section, struct conf_error *error);
struct issuer *snapshot_issuer(const struct snapshot *snapshot, struct str name);

/* On the worker's own thread. */
bool worker_open(struct runtime *runtime, unsigned number, struct worker *out);
void worker_close(struct worker *worker);
/* Around each request. */
void worker_begin(struct worker *worker);
void worker_end(struct worker *worker);
/* A number for request_read that no other request of this host is likely to have. */
uint64_t worker_request_number(struct worker *worker);
/* The accounts, opened at the first call; NULL when they cannot be. */
struct accounts *worker_accounts(struct worker *worker);
/* The records of users, opened when they are first read; NULL: no memory. */
struct user_records_thread *worker_user_records(struct worker *worker);
/* Where they are. */
const char *server_records_folder(const struct server_conf *server);
/* The worker's own handle for calls, opened at the first one; NULL when it cannot be. */
struct fetch *worker_fetch(struct worker *worker);

#endif
