/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of patterns under (host, literal beginning). "/u/{user}/x" begins
 * with "/u", "/a/b" is all beginning: a path is looked up under each of its own. */
#include "policy/route.h"

#include "http/url.h"

/* FNV-1a */
#define HASH_START 0xcbf29ce484222325u
#define HASH_STEP 0x100000001b3u

struct route {
	uint64_t hash;
	struct str host, beginning, pattern; /* host: STR_NONE for all */
	const struct policy *policy;
	const struct route *next; /* of the same slot */
};

struct route_table {
	const struct route **slots;
	size_t mask;
	size_t longest; /* beginning, in bytes */
	bool has_hosts;
};

static uint64_t hash_byte(uint64_t hash, char c)
{
	return (hash ^ (unsigned char)c) * HASH_STEP;
}

static uint64_t hash_host(struct str host)
{
	uint64_t hash = HASH_START;
	for (size_t i = 0; i < host.n; i++)
		hash = hash_byte(hash, host.p[i] >= 'A' && host.p[i] <= 'Z' ? (char)(host.p[i] + 32) : host.p[i]);
	return hash_byte(hash, '\n');
}

static uint64_t hash_text(uint64_t hash, struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		hash = hash_byte(hash, text.p[i]);
	return hash;
}

/* Up to the slash before the first segment that is no literal; all of it without one. */
static struct str beginning_of(struct str pattern)
{
	size_t slash = 0;
	for (size_t i = 0; i < pattern.n; i++) {
		if (pattern.p[i] == '/')
			slash = i;
		else if (pattern.p[i] == '*' || pattern.p[i] == '{')
			return (struct str){pattern.p, slash};
	}
	return pattern;
}

static size_t count(const struct policy *policies, size_t n)
{
	size_t routes = 0;
	for (size_t i = 0; i < n; i++)
		routes += policies[i].conf->path.n * (policies[i].conf->host.n ? policies[i].conf->host.n : 1);
	return routes;
}

static void add(struct route_table *table, struct route *route)
{
	route->beginning = beginning_of(route->pattern);
	route->hash = hash_text(hash_host(route->host), route->beginning);
	route->next = table->slots[route->hash & table->mask];
	table->slots[route->hash & table->mask] = route;
	if (route->beginning.n > table->longest)
		table->longest = route->beginning.n;
	table->has_hosts = table->has_hosts || route->host.p;
}

static struct route *add_policy(struct route_table *table, const struct policy *policy, struct route *next)
{
	const struct conf_list *hosts = &policy->conf->host, *paths = &policy->conf->path;
	for (size_t i = 0; i < paths->n; i++)
		for (size_t j = 0; j == 0 || j < hosts->n; j++) {
			next->host = hosts->n ? hosts->items[j].value : STR_NONE;
			next->pattern = paths->items[i].value;
			next->policy = policy;
			add(table, next++);
		}
	return next;
}

const struct route_table *route_table_make(struct arena *arena, const struct policy *policies, size_t n)
{
	size_t routes = count(policies, n), slots = 16;
	while (slots < 2 * routes)
		slots *= 2;
	struct route_table *table = arena_alloc(arena, sizeof *table);
	struct route *next = arena_array(arena, routes ? routes : 1, sizeof *next);
	if (table)
		*table = (struct route_table){arena_array(arena, slots, sizeof *table->slots), slots - 1, 0, false};
	if (!table || !next || !table->slots)
		return NULL;
	for (size_t i = 0; i < n; i++)
		next = add_policy(table, &policies[i], next);
	return table;
}

static bool beats(const struct route *a, const struct route *b)
{
	int order = url_pattern_compare(a->pattern, b->pattern);
	if (order == 0)
		order = (a->host.p != NULL) - (b->host.p != NULL);
	return order ? order > 0 : a->policy < b->policy;
}

struct search {
	const struct route_table *table;
	struct str path;
	const struct route *best; /* so far */
};

/* Those under one host (STR_NONE: those for all) and one beginning of the path. */
static void look(struct search *search, uint64_t hash, struct str host, struct str beginning)
{
	for (const struct route *r = search->table->slots[hash & search->table->mask]; r; r = r->next)
		if (r->hash == hash && str_eq(r->beginning, beginning) && (r->host.p != NULL) == (host.p != NULL) &&
		    str_eq_nocase(r->host, host) && url_pattern_match(r->pattern, search->path, NULL) &&
		    (!search->best || beats(r, search->best)))
			search->best = r;
}

static void look_all(struct search *search, struct str host)
{
	struct str path = search->path;
	uint64_t hash = hash_host(host);
	for (size_t i = 0; i <= path.n && i <= search->table->longest; i++) {
		if (i == path.n || path.p[i] == '/')
			look(search, hash, host, (struct str){path.p, i});
		if (i < path.n)
			hash = hash_byte(hash, path.p[i]);
	}
}

const struct policy *route_table_find(const struct route_table *table, struct str host, struct str path)
{
	struct search search = {table, path, NULL};
	look_all(&search, STR_NONE);
	if (table->has_hosts && host.p)
		look_all(&search, host);
	return search.best ? search.best->policy : NULL;
}
