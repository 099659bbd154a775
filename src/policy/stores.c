/* SPDX-License-Identifier: Apache-2.0 */
/* With servers the store of many hosts, else that of one. */
#include "policy/stores.h"

#include <stddef.h>

#include "store/memcache.h"

static const struct conf_opt opts[] = {
	{"memcached", CONF_LIST, offsetof(struct store_conf, memcached), NULL, NULL,
	 "Servers by which hosts tell each other what is revoked: host:port or unix:/path; none: there is one host"},
	{"memcached-cache", CONF_LIST, offsetof(struct store_conf, memcached_cache), NULL, NULL,
	 "Servers for what may be lost (profiles); none: those of memcached"},
	{"memcached-timeout", CONF_DURATION, offsetof(struct store_conf, memcached_timeout), "50ms", "5ms-5s",
	 "How long one call to one server may take"},
	{"host-timeout", CONF_DURATION, offsetof(struct store_conf, host_timeout), "10m", "10s-1d",
	 "A host that has not been heard of for so long is not waited for any more"},
	{"namespace", CONF_TEXT, offsetof(struct store_conf, namespace), "fcgi-auth", NULL,
	 "Sites with different ones share servers without meeting; the same on all hosts of a site"},
	{"on-failure", CONF_WORD, offsetof(struct store_conf, on_failure), "deny", "deny|local",
	 "When no server can answer for the other hosts: deny every request, or go by what this host knows"},
	{NULL, CONF_TEXT, 0, NULL, NULL, NULL},
};

const struct conf_kind store_kind = {"store", false, sizeof(struct store_conf), opts, "What many hosts share"};

static bool check_servers(const struct conf_list *list, const char *key, struct conf_error *error)
{
	char text[256];
	for (size_t i = 0; i < list->n; i++) {
		const struct conf_text *item = &list->items[i];
		struct buf why = buf_over(text, sizeof text - 1);
		if (!memcache_address_valid(item->value, &why))
			return conf_fail_at(error, item, key, "%s", buf_z(&why));
		for (size_t j = 0; j < i; j++)
			if (str_eq(item->value, list->items[j].value))
				return conf_fail_at(error, item, key, "%.*s is given twice", STR_ARGS(item->value));
	}
	if (list->n > STORE_SERVERS_MAX)
		return conf_fail_at(error, &list->items[STORE_SERVERS_MAX], key, "at most %d servers",
				    STORE_SERVERS_MAX);
	return true;
}

bool stores_check(const struct conf_section *section, struct conf_error *error)
{
	const struct store_conf *conf = section->values;
	if (!check_servers(&conf->memcached, "memcached", error) ||
	    !check_servers(&conf->memcached_cache, "memcached-cache", error))
		return false;
	if (conf->memcached_cache.n && !conf->memcached.n)
		return conf_fail_at(error, &conf->memcached_cache.items[0], "memcached-cache",
				    "is for sites of many hosts: give memcached too, or leave it out");
	if (str_has_control(conf->namespace.value))
		return conf_fail_at(error, &conf->namespace, "namespace", "has a control byte");
	return true;
}

static const struct store_driver *find(const char *name)
{
	for (size_t i = 0; store_drivers[i]; i++)
		if (str_eq(str_of(store_drivers[i]->name), str_of(name)))
			return store_drivers[i];
	return NULL;
}

const struct store_driver *stores_open(const struct store_conf *conf, const char *state_dir, bool lasting,
				       struct store **out, struct buf *why)
{
	const char *name = conf->memcached.n ? "memcached" : "embedded";
	struct store_settings settings = {
		.state_dir = state_dir,
		.servers = &conf->memcached,
		.cache_servers = &conf->memcached_cache,
		.timeout_ms = conf->memcached_timeout,
		.host_timeout_ms = conf->host_timeout,
		.namespace = conf->namespace.value,
		.local_on_failure = conf->on_failure == ON_FAILURE_LOCAL,
		.lasting = lasting,
	};
	const struct store_driver *found = find(name);
	if (!found)
		buf_printf(why, "this build has no store \"%s\": configure it without --without-%s", name, name);
	return found && found->open(&settings, out, why) ? found : NULL;
}

static bool lists_equal(const struct conf_list *a, const struct conf_list *b)
{
	bool equal = a->n == b->n;
	for (size_t i = 0; equal && i < a->n; i++)
		equal = str_eq(a->items[i].value, b->items[i].value);
	return equal;
}

bool stores_equal(const struct store_conf *a, const struct store_conf *b)
{
	return lists_equal(&a->memcached, &b->memcached) && lists_equal(&a->memcached_cache, &b->memcached_cache) &&
	       a->memcached_timeout == b->memcached_timeout && a->host_timeout == b->host_timeout &&
	       str_eq(a->namespace.value, b->namespace.value) && a->on_failure == b->on_failure;
}
