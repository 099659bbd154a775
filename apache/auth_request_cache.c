/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict cache of a child: allows that the authorizer said may be kept. A
 * kept one is used only while the generation on the authorizer's page is the
 * one from before it was asked, so that a logout that was acknowledged holds. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <http_protocol.h>

#include "auth_request.h"

enum { PAGE_N = 64, SETS = 256, WAYS = 4, LOCKS = 16, ENTRY_MAX = 32768, AGE_MAX_S = 86400 };

/* --- The page ------------------------------------------------------------- */

struct layout {
	char magic[8];
	uint32_t version, reserved;
	uint64_t generation;
};

struct page {
	int fd;
	const volatile struct layout *at;
};

static apr_status_t page_close(void *context)
{
	struct page *page = context;
	munmap((void *)(uintptr_t)page->at, PAGE_N);
	close(page->fd);
	return APR_SUCCESS;
}

/* It may have been cut or taken away since; the order of the two looks does not matter. */
bool page_generation(const struct page *page, uint64_t *generation)
{
	static const char magic[8] = {'F', 'C', 'G', 'A', 'U', 'T', 'H', 'G'};
	struct stat now;
	if (fstat(page->fd, &now) != 0 || now.st_nlink < 1 || now.st_size < PAGE_N)
		return false;
	for (size_t i = 0; i < sizeof(magic); i++)
		if (page->at->magic[i] != magic[i])
			return false;
	if (page->at->version != 1)
		return false;
	*generation = __atomic_load_n(&page->at->generation, __ATOMIC_SEQ_CST);
	return true;
}

struct page *page_open(apr_pool_t *p, const char *path)
{
	uint64_t generation;
	struct page *page = apr_pcalloc(p, sizeof(*page));
	page->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (page->fd < 0)
		return NULL;
	void *at = mmap(NULL, PAGE_N, PROT_READ, MAP_SHARED, page->fd, 0);
	if (at == MAP_FAILED) {
		close(page->fd);
		return NULL;
	}
	page->at = at;
	apr_pool_cleanup_register(p, page, page_close, apr_pool_cleanup_null);
	return page_generation(page, &generation) ? page : NULL;
}

bool page_is(const struct page *page, uint64_t generation)
{
	uint64_t now;
	return page && page_generation(page, &now) && now == generation;
}

/* --- Keys ----------------------------------------------------------------- */

static void add(struct cache_key *key, const char *text)
{
	apr_size_t n = text ? strlen(text) : 0;
	uint32_t length = text ? (uint32_t)n : UINT32_MAX;
	if (sizeof(length) + n > sizeof(key->bytes) - key->n) {
		key->full = true;
		return;
	}
	memcpy(key->bytes + key->n, &length, sizeof(length));
	if (n)
		memcpy(key->bytes + key->n + sizeof(length), text, n);
	key->n += sizeof(length) + n;
}

/* What an allow depends on. With the path or, for one that holds for the whole policy, without. */
static void make_key(request_rec *r, const struct backend *backend, const char *policy, bool path,
		     struct cache_key *key)
{
	request_rec *origin = question_origin(r);
	static const char *const headers[] = {"Host", "Origin", "Authorization", "Cookie"};
	key->n = 0;
	key->full = false;
	add(key, backend->name);
	add(key, policy ? policy : "");
	add(key, ap_http_scheme(origin));
	add(key, origin->server->server_hostname);
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		add(key, apr_table_get(origin->headers_in, headers[i]));
	add(key, path ? origin->unparsed_uri : NULL);
	add(key, path ? question_effective_path(r) : NULL);
}

/* --- Entries -------------------------------------------------------------- */

/* One block of memory: the key, and behind it the head of the answer. */
struct entry {
	unsigned hash;
	uint64_t generation;
	apr_time_t until, used;
	apr_size_t key_n, head_n;
	char bytes[];
};

struct cache {
	apr_thread_mutex_t *locks[LOCKS];
	struct entry *entries[SETS][WAYS];
};

static void drop(struct entry **entry)
{
	if (*entry) /* tokens are in it */
		explicit_bzero((*entry)->bytes, (*entry)->key_n + (*entry)->head_n);
	free(*entry);
	*entry = NULL;
}

static apr_status_t cache_close(void *context)
{
	struct cache *cache = context;
	for (int i = 0; i < SETS * WAYS; i++)
		drop(&cache->entries[i / WAYS][i % WAYS]);
	return APR_SUCCESS;
}

struct cache *cache_open(apr_pool_t *child)
{
	struct cache *cache = apr_pcalloc(child, sizeof(*cache));
	for (int i = 0; i < LOCKS; i++)
		if (apr_thread_mutex_create(&cache->locks[i], APR_THREAD_MUTEX_DEFAULT, child) != APR_SUCCESS)
			return NULL;
	apr_pool_cleanup_register(child, cache, cache_close, apr_pool_cleanup_null);
	return cache;
}

static unsigned hash_of(const struct cache_key *key)
{
	apr_ssize_t n = (apr_ssize_t)key->n;
	return apr_hashfunc_default(key->bytes, &n);
}

static bool is_of(const struct entry *entry, unsigned hash, const struct cache_key *key)
{
	return entry && entry->hash == hash && entry->key_n == key->n && memcmp(entry->bytes, key->bytes, key->n) == 0;
}

static apr_size_t look_up(struct cache *cache, const struct cache_key *key, uint64_t generation, char *head)
{
	unsigned hash = hash_of(key), set = hash % SETS;
	apr_time_t now = clock_now();
	apr_size_t n = 0;
	apr_thread_mutex_lock(cache->locks[set % LOCKS]);
	for (int way = 0; way < WAYS && n == 0; way++) {
		struct entry **entry = &cache->entries[set][way];
		if (!is_of(*entry, hash, key))
			continue;
		if ((*entry)->generation != generation || (*entry)->until <= now) {
			drop(entry);
			break;
		}
		(*entry)->used = now;
		n = (*entry)->head_n;
		memcpy(head, (*entry)->bytes + key->n, n);
	}
	apr_thread_mutex_unlock(cache->locks[set % LOCKS]);
	return n;
}

static void store(struct cache *cache, struct entry *entry)
{
	unsigned set = entry->hash % SETS;
	struct cache_key key = {.n = entry->key_n};
	memcpy(key.bytes, entry->bytes, entry->key_n);
	apr_thread_mutex_lock(cache->locks[set % LOCKS]);
	struct entry **oldest = &cache->entries[set][0];
	for (int way = 0; way < WAYS; way++) {
		struct entry **at = &cache->entries[set][way];
		if (is_of(*at, entry->hash, &key)) {
			oldest = at;
			break;
		}
		if (*oldest && (!*at || (*at)->used < (*oldest)->used))
			oldest = at;
	}
	drop(oldest);
	*oldest = entry;
	apr_thread_mutex_unlock(cache->locks[set % LOCKS]);
}

/* --- Use ------------------------------------------------------------------ */

bool cache_begin(request_rec *r, const struct dir_conf *conf, const struct backend *backend, struct cache_use *use)
{
	request_rec *origin = question_origin(r);
	*use = (struct cache_use){.backend = backend, .policy = conf->policy};
	/* Preflights and handshakes are judged by more than a request that is alike. */
	use->on = backend->cache && backend->page && conf->cache != OFF && origin->method_number != M_OPTIONS
		  && !apr_table_get(origin->headers_in, "Upgrade") && page_generation(backend->page, &use->generation);
	return use->on;
}

bool cache_find(request_rec *r, const struct cache_use *use, struct answer *answer)
{
	const char *why;
	struct cache_key *key = apr_palloc(r->pool, sizeof(*key));
	char *head = apr_palloc(r->pool, ENTRY_MAX);
	for (int path = 0; use->on && path <= 1; path++) {
		make_key(r, use->backend, use->policy, path, key);
		apr_size_t n = key->full ? 0 : look_up(use->backend->cache, key, use->generation, head);
		if (n > 0)
			return answer_parse(r->pool, head, n, answer, &why);
	}
	return false;
}

/* "max-age=60; scope=policy" → seconds, 0: not to be kept. */
static int permission(const struct answer *answer, bool *any_path)
{
	const char *text = answer_header(answer, "Variable-AUTH_CACHE");
	char *end;
	if (!text || strncmp(text, "max-age=", 8) != 0)
		return 0;
	apr_int64_t seconds = apr_strtoi64(text + 8, &end, 10);
	*any_path = strcmp(end, "; scope=policy") == 0;
	if ((!*any_path && strcmp(end, "; scope=path") != 0) || seconds < 1)
		return 0;
	return seconds < AGE_MAX_S ? (int)seconds : AGE_MAX_S;
}

bool cache_any_path(const struct answer *answer)
{
	bool any_path = false;
	return permission(answer, &any_path) > 0 && any_path;
}

void cache_keep(request_rec *r, const struct cache_use *use, const struct answer *answer, apr_time_t asked)
{
	bool any_path = false;
	int seconds = use->on && answer->head ? permission(answer, &any_path) : 0;
	if (seconds == 0 || answer_header(answer, "Set-Cookie") || answer->body_n != 0 || answer->head_n > ENTRY_MAX)
		return;
	struct cache_key *key = apr_palloc(r->pool, sizeof(*key));
	make_key(r, use->backend, use->policy, !any_path, key);
	struct entry *entry = key->full ? NULL : malloc(sizeof(*entry) + key->n + answer->head_n);
	if (!entry)
		return;
	*entry = (struct entry){.hash = hash_of(key), .generation = use->generation,
				.until = asked + apr_time_from_sec(seconds), .used = asked,
				.key_n = key->n, .head_n = answer->head_n};
	memcpy(entry->bytes, key->bytes, key->n);
	memcpy(entry->bytes + key->n, answer->head, answer->head_n);
	store(use->backend->cache, entry);
}
