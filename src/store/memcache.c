/* SPDX-License-Identifier: Apache-2.0 */
/* libmemcached around one server. Nothing is believed of a connection on which
 * something unexpected came: it is closed, and the next call opens another. What
 * libmemcached does about failures by itself (moving keys to other servers, timeouts
 * of its own) is never used: one handle has one server. */
#include "store/memcache.h"

#include <libmemcached/memcached.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/memcache_address.h"
#include "store/memcache_expiry.h"
#include "store/memcache_lookup.h"

enum {
	FAILURES_MAX = 3,	       /* in a row open the breaker */
	PAUSE_MS = 1000,	       /* and so long it stays open; then one call tries */
};

struct memcache {
	struct memcache_address address;
	struct memcache_hosts hosts;	/* where its name leads; unused without one */
	size_t host;			/* the one that is in use */
	struct memcache_lookup *lookup; /* going on, or NULL */
	int64_t timeout_ms;
	memcached_st *handle;	    /* NULL: not connected, and not trying to be */
	memcached_result_st result; /* of handle */
	bool has_answered;	    /* on this connection */
	bool asked;		    /* between memcache_get_begin() and memcache_get_end() */
	bool with_cas;
	int64_t deadline; /* monotonic, of the call that is going on */
	int64_t until;	  /* of the next one, when that is earlier; 0: its own time is all it has */
	unsigned failures;
	int64_t retry_at; /* monotonic, once failures has reached FAILURES_MAX */
	memcached_return_t error;
	int error_number; /* errno with it, or 0 */
};

bool memcache_open(struct str address, int64_t timeout_ms, struct memcache **out)
{
	char text[512];
	struct buf why = buf_over(text, sizeof text);
	struct memcache *memcache = calloc(1, sizeof *memcache);
	if (!memcache)
		return false;
	if (!memcache_address_parse(address, &memcache->address, &why)) {
		free(memcache);
		return false;
	}
	memcache->timeout_ms = timeout_ms;
	*out = memcache;
	return true;
}

/* Close the connection, waiting for nothing. */
static void drop(struct memcache *memcache)
{
	if (!memcache->handle)
		return;
	memcached_behavior_set(memcache->handle, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, 0);
	memcached_result_free(&memcache->result);
	memcached_free(memcache->handle);
	memcache->handle = NULL;
	memcache->has_answered = memcache->asked = false;
}

void memcache_close(struct memcache **memcache)
{
	if (!*memcache)
		return;
	drop(*memcache);
	memcache_lookup_close(&(*memcache)->lookup);
	free(*memcache);
	*memcache = NULL;
}

/* A host's name is looked up here, because the library would wait for name servers
 * as long as these like. */
static memcached_return_t add_server(struct memcache *memcache, memcached_st *handle)
{
	const struct memcache_address *address = &memcache->address;
	if (address->is_socket)
		return memcached_server_add_unix_socket(handle, address->host);
	if (!address->is_name)
		return memcached_server_add(handle, address->host, address->port);
	if (memcache->hosts.n == 0 &&
	    !memcache_lookup(&memcache->lookup, address->host, memcache->deadline, &memcache->hosts))
		return MEMCACHED_HOST_LOOKUP_FAILURE;
	return memcached_server_add(handle, memcache->hosts.text[memcache->host], address->port);
}

static bool set_up(memcached_st *handle, int64_t timeout_ms)
{
	uint64_t us = (uint64_t)timeout_ms * 1000;
	return memcached_success(memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_VERIFY_KEY, 1)) &&
	       memcached_success(memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_SND_TIMEOUT, us)) &&
	       memcached_success(memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_RCV_TIMEOUT, us)) &&
	       memcached_success(memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_RETRY_TIMEOUT, 1)) &&
	       memcached_success(memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1));
}

static memcached_return_t open_handle(struct memcache *memcache)
{
	if (memcache->handle)
		return MEMCACHED_SUCCESS;
	memcached_return_t code = MEMCACHED_MEMORY_ALLOCATION_FAILURE;
	memcached_st *handle = memcached_create(NULL);
	if (handle && set_up(handle, memcache->timeout_ms))
		code = add_server(memcache, handle);
	if (code == MEMCACHED_SUCCESS && !memcached_result_create(handle, &memcache->result))
		code = MEMCACHED_MEMORY_ALLOCATION_FAILURE;
	if (code == MEMCACHED_SUCCESS)
		memcache->handle = handle;
	else
		memcached_free(handle);
	return code;
}

bool memcache_is_ready(const struct memcache *memcache)
{
	return memcache->failures < FAILURES_MAX || clock_monotonic_ms() >= memcache->retry_at;
}

void memcache_hurry(struct memcache *memcache, int64_t until)
{
	memcache->until = until;
}

/* Whatever the library does next, it waits no longer than the call has left. */
static void limit(struct memcache *memcache)
{
	int64_t left = memcache->deadline - clock_monotonic_ms();
	uint64_t ms = left > 0 ? (uint64_t)left : 1;
	memcached_behavior_set(memcache->handle, MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, ms);
	memcached_behavior_set(memcache->handle, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, ms);
}

/* The call has failed; the breaker counts it. A name whose last address failed is
 * looked up again. */
static enum memcache_result fail(struct memcache *memcache, memcached_return_t code)
{
	memcache->error = code;
	memcache->error_number = memcache->handle ? memcached_last_error_errno(memcache->handle) : 0;
	if (!memcache->has_answered && ++memcache->host >= memcache->hosts.n)
		memcache->host = memcache->hosts.n = 0;
	drop(memcache);
	memcache->failures += memcache->failures < FAILURES_MAX;
	memcache->retry_at = clock_monotonic_ms() + PAUSE_MS;
	return MEMCACHE_FAILED;
}

static bool start(struct memcache *memcache)
{
	if (memcache->asked) /* there is an answer on its way that nobody took */
		drop(memcache);
	if (!memcache_is_ready(memcache))
		return false;
	int64_t end = clock_monotonic_ms() + memcache->timeout_ms;
	memcache->deadline = memcache->until && memcache->until < end ? memcache->until : end;
	memcache->until = 0;
	memcached_return_t code = open_handle(memcache);
	if (code != MEMCACHED_SUCCESS) {
		fail(memcache, code);
		return false;
	}
	limit(memcache);
	return true;
}

static enum memcache_result result_of(memcached_return_t code)
{
	switch (code) {
	case MEMCACHED_SUCCESS:
		return MEMCACHE_OK;
	case MEMCACHED_NOTSTORED:
	case MEMCACHED_DATA_EXISTS:
	case MEMCACHED_NOTFOUND:
		return MEMCACHE_REFUSED;
	case MEMCACHED_E2BIG:
	case MEMCACHED_SERVER_MEMORY_ALLOCATION_FAILURE:
		return MEMCACHE_FULL;
	default:
		return MEMCACHE_FAILED;
	}
}

/* What the call came to. */
static enum memcache_result finish(struct memcache *memcache, memcached_return_t code)
{
	enum memcache_result result = result_of(code);
	if (code == MEMCACHED_BAD_KEY_PROVIDED) /* the server was not asked */
		return MEMCACHE_FAILED;
	if (result == MEMCACHE_FAILED)
		return fail(memcache, code);
	memcache->has_answered = true;
	memcache->failures = 0;
	return result;
}

/* Is it worth another try at once? So it is when the server has closed a connection
 * that was good, as one does that was started anew, and when its name has another
 * address. */
static bool may_retry(struct memcache *memcache, memcached_return_t code)
{
	if (code != MEMCACHED_CONNECTION_FAILURE && code != MEMCACHED_ERRNO && code != MEMCACHED_WRITE_FAILURE &&
	    code != MEMCACHED_FAILURE)
		return false;
	if (!memcache->has_answered && memcache->host + 1 >= memcache->hosts.n)
		return false;
	memcache->host += !memcache->has_answered;
	drop(memcache);
	if (open_handle(memcache) != MEMCACHED_SUCCESS)
		return false;
	limit(memcache);
	return true;
}

/* A call of the library, with what it needs. */
typedef memcached_return_t call(memcached_st *handle, void *context);

static enum memcache_result run(struct memcache *memcache, call *function, void *context)
{
	if (!start(memcache))
		return MEMCACHE_FAILED;
	memcached_return_t code = function(memcache->handle, context);
	while (may_retry(memcache, code))
		code = function(memcache->handle, context);
	return finish(memcache, code);
}

static bool is_length(struct str key)
{
	return key.n > 0 && key.n <= MEMCACHE_KEY_MAX;
}

static memcached_return_t ask(struct memcache *memcache, const struct memcache_item *items, size_t n)
{
	const char *keys[MEMCACHE_ASKED_MAX];
	size_t sizes[MEMCACHE_ASKED_MAX];
	for (size_t i = 0; i < n; i++) {
		if (!is_length(items[i].key))
			return MEMCACHED_BAD_KEY_PROVIDED;
		keys[i] = items[i].key.p;
		sizes[i] = items[i].key.n;
	}
	memcached_behavior_set(memcache->handle, MEMCACHED_BEHAVIOR_SUPPORT_CAS, memcache->with_cas);
	return memcached_mget(memcache->handle, keys, sizes, n);
}

enum memcache_result memcache_get_begin(struct memcache *memcache, const struct memcache_item *items, size_t n,
					bool with_cas)
{
	if (n == 0 || n > MEMCACHE_ASKED_MAX || !start(memcache))
		return MEMCACHE_FAILED;
	memcache->with_cas = with_cas;
	memcached_return_t code = ask(memcache, items, n);
	while (may_retry(memcache, code))
		code = ask(memcache, items, n);
	if (code != MEMCACHED_SUCCESS)
		return finish(memcache, code);
	memcache->asked = true;
	return MEMCACHE_OK;
}

/* The item that a value is for: the first with its key that has none yet. */
static struct memcache_item *find(struct memcache_item *items, size_t n, const memcached_result_st *result)
{
	struct str key = {memcached_result_key_value(result), memcached_result_key_length(result)};
	for (size_t i = 0; i < n; i++)
		if (!items[i].value.p && str_eq(items[i].key, key))
			return &items[i];
	return NULL;
}

static void forget(struct memcache_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		items[i].value = STR_NONE;
		items[i].cas = 0;
	}
}

/* Read one value. MEMCACHED_END: that was the end of the answer. */
static memcached_return_t fetch(struct memcache *memcache)
{
	memcached_return_t code;
	if (memcached_server_response_count(memcached_server_instance_by_position(memcache->handle, 0)) == 0)
		return MEMCACHED_PROTOCOL_ERROR;
	limit(memcache);
	/* While it counts no value the library says NOTFOUND for the end of an answer
	 * and for garbage alike: say that there has been one. */
	memcache->result.count = 1;
	memcached_fetch_result(memcache->handle, &memcache->result, &code);
	return code;
}

static memcached_return_t receive(struct memcache *memcache, struct arena *arena, struct memcache_item *items,
				  size_t n)
{
	memcached_return_t code;
	bool room = true;
	forget(items, n);
	while ((code = fetch(memcache)) == MEMCACHED_SUCCESS) {
		struct str value = {memcached_result_value(&memcache->result),
				    memcached_result_length(&memcache->result)};
		struct memcache_item *item = find(items, n, &memcache->result);
		if (!item || value.n > MEMCACHE_VALUE_MAX)
			return MEMCACHED_PROTOCOL_ERROR;
		item->value = arena_copy(arena, value);
		item->cas = memcached_result_cas(&memcache->result);
		room = room && item->value.p;
	}
	if (code != MEMCACHED_END) /* answers to other commands prove that the connection is out of step */
		return result_of(code) == MEMCACHE_FAILED ? code : MEMCACHED_PROTOCOL_ERROR;
	return room ? MEMCACHED_SUCCESS : MEMCACHED_E2BIG;
}

enum memcache_result memcache_get_end(struct memcache *memcache, struct arena *arena, struct memcache_item *items,
				      size_t n)
{
	forget(items, n);
	if (!memcache->asked)
		return MEMCACHE_FAILED;
	memcache->asked = false;
	memcached_return_t code = receive(memcache, arena, items, n);
	while (may_retry(memcache, code)) {
		code = ask(memcache, items, n);
		if (code == MEMCACHED_SUCCESS)
			code = receive(memcache, arena, items, n);
	}
	if (code != MEMCACHED_SUCCESS)
		forget(items, n);
	return finish(memcache, code);
}

enum memcache_result memcache_get(struct memcache *memcache, struct arena *arena, struct memcache_item *items,
				  size_t n, bool with_cas)
{
	enum memcache_result result = memcache_get_begin(memcache, items, n, with_cas);
	if (result == MEMCACHE_OK)
		return memcache_get_end(memcache, arena, items, n);
	forget(items, n);
	return result;
}

struct write {
	enum memcache_how how; /* without cas */
	struct str key, value;
	time_t expiration;
	uint64_t cas; /* or 0 */
};

static memcached_return_t write_value(memcached_st *handle, void *context)
{
	const struct write *w = context;
	if (w->cas != 0)
		return memcached_cas(handle, w->key.p, w->key.n, w->value.p, w->value.n, w->expiration, 0, w->cas);
	switch (w->how) {
	case MEMCACHE_SET:
		return memcached_set(handle, w->key.p, w->key.n, w->value.p, w->value.n, w->expiration, 0);
	case MEMCACHE_ADD:
		return memcached_add(handle, w->key.p, w->key.n, w->value.p, w->value.n, w->expiration, 0);
	case MEMCACHE_REPLACE:
		return memcached_replace(handle, w->key.p, w->key.n, w->value.p, w->value.n, w->expiration, 0);
	}
	return MEMCACHED_INVALID_ARGUMENTS;
}

static enum memcache_result write_until(struct memcache *memcache, struct write *write, int64_t expires)
{
	int64_t now = clock_now();
	if (!is_length(write->key))
		return MEMCACHE_FAILED;
	if (write->value.n > MEMCACHE_VALUE_MAX)
		return MEMCACHE_FULL;
	if (expires != 0 && expires <= now)
		return MEMCACHE_OK;
	write->expiration = (time_t)memcache_expiry(expires, now);
	return run(memcache, write_value, write);
}

enum memcache_result memcache_put(struct memcache *memcache, enum memcache_how how, struct str key, struct str value,
				  int64_t expires)
{
	struct write write = {.how = how, .key = key, .value = value};
	return write_until(memcache, &write, expires);
}

enum memcache_result memcache_swap(struct memcache *memcache, struct str key, struct str value, int64_t expires,
				   uint64_t cas)
{
	struct write write = {.key = key, .value = value, .cas = cas};
	return cas != 0 ? write_until(memcache, &write, expires) : MEMCACHE_FAILED;
}

static memcached_return_t increment_value(memcached_st *handle, void *context)
{
	struct memcache_item *item = context; /* cas: for the sum */
	return memcached_increment(handle, item->key.p, item->key.n, 1, &item->cas);
}

enum memcache_result memcache_increment(struct memcache *memcache, struct str key, uint64_t *out)
{
	struct memcache_item item = {.key = key};
	enum memcache_result result = is_length(key) ? run(memcache, increment_value, &item) : MEMCACHE_FAILED;
	*out = item.cas;
	return result;
}

static memcached_return_t delete_value(memcached_st *handle, void *context)
{
	const struct str *key = context;
	return memcached_delete(handle, key->p, key->n, 0);
}

enum memcache_result memcache_delete(struct memcache *memcache, struct str key)
{
	return is_length(key) ? run(memcache, delete_value, &key) : MEMCACHE_FAILED;
}

enum memcache_result memcache_release(struct memcache *memcache, struct str key, uint64_t cas)
{
	/* The protocol deletes without looking at cas; a date long past is as good. */
	struct write write = {.key = key, .expiration = MEMCACHE_RELATIVE_MAX + 1, .cas = cas};
	return is_length(key) && cas != 0 ? run(memcache, write_value, &write) : MEMCACHE_FAILED;
}

struct statistic {
	const char *group; /* NULL: general */
	struct str name;
	struct arena *arena;
	struct str value;
	bool found;
};

static memcached_return_t look_at(const memcached_instance_st *server, const char *name, size_t name_size,
				  const char *value, size_t value_size, void *context)
{
	struct statistic *statistic = context;
	(void)server;
	if (str_eq(statistic->name, (struct str){name, name_size})) {
		statistic->found = true;
		statistic->value = arena_copy(statistic->arena, (struct str){value, value_size});
	}
	return MEMCACHED_SUCCESS;
}

/* These calls tell of failures in general, and keep what it was. */
static memcached_return_t cause(memcached_st *handle, memcached_return_t code)
{
	return code == MEMCACHED_SOME_ERRORS ? memcached_last_error(handle) : code;
}

static memcached_return_t read_statistics(memcached_st *handle, void *context)
{
	struct statistic *statistic = context;
	statistic->found = false;
	return cause(handle, memcached_stat_execute(handle, statistic->group, look_at, statistic));
}

enum memcache_result memcache_statistic(struct memcache *memcache, struct arena *arena, struct str group,
					struct str name, struct str *out)
{
	struct statistic statistic = {NULL, name, arena, STR_NONE, false};
	if (group.n > 0 && !(statistic.group = arena_copy(arena, group).p))
		return MEMCACHE_FULL;
	enum memcache_result result = run(memcache, read_statistics, &statistic);
	if (result != MEMCACHE_OK)
		return result;
	if (!statistic.found)
		return MEMCACHE_REFUSED;
	if (!statistic.value.p)
		return MEMCACHE_FULL;
	*out = statistic.value;
	return MEMCACHE_OK;
}

static memcached_return_t flush(memcached_st *handle, void *context)
{
	(void)context;
	memcached_return_t code = cause(handle, memcached_flush(handle, 0));
	/* "flush_all not allowed": it was started with -F. */
	return code == MEMCACHED_CLIENT_ERROR ? MEMCACHED_NOTSTORED : code;
}

enum memcache_result memcache_clear(struct memcache *memcache)
{
	return run(memcache, flush, NULL);
}

void memcache_explain(const struct memcache *memcache, struct buf *out)
{
	buf_add(out, str_of(memcached_strerror(NULL, memcache->error)));
	if (memcache->error_number != 0)
		buf_printf(out, ": %s", strerror(memcache->error_number));
}
