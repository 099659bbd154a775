/* SPDX-License-Identifier: Apache-2.0 */
/* From the [policy] sections of a configuration to policies ready for use. */
#include "http/url.h"
#include "policy/cors.h"
#include "policy/route.h"
#include "policy/runtime.h"

struct compiler {
	struct snapshot *snapshot;
	const struct conf_section *section;
	struct policy *policy;
	struct conf_error *error;
};

static bool no_memory(struct compiler *c)
{
	return conf_fail(c->error, c->section, "", "the configuration is too large");
}

static size_t count_users(struct str pattern)
{
	size_t n = 0;
	struct str segment;
	while (str_split(&pattern, '/', &segment))
		n += str_eq(segment, STR("{user}"));
	return n;
}

static bool check_patterns(struct compiler *c, const struct conf_list *list, const char *key, bool needs_user)
{
	for (size_t i = 0; i < list->n; i++) {
		struct str pattern = list->items[i].value;
		if (!url_pattern_check(pattern))
			return conf_fail_at(
				c->error, &list->items[i], key,
				"\"%.*s\" is no path pattern: /a/**, /a/*/b, /u/{user}/** (** at the end only)",
				STR_ARGS(pattern));
		if (needs_user && count_users(pattern) != 1)
			return conf_fail_at(c->error, &list->items[i], key, "the pattern has %s {user}",
					    count_users(pattern) ? "more than one" : "no");
	}
	return true;
}

static bool check_hosts(struct compiler *c)
{
	const struct conf_list *hosts = &c->policy->conf->host;
	for (size_t i = 0; i < hosts->n; i++) {
		struct str host = hosts->items[i].value;
		size_t colon = host.p[0] == '[' ? host.n : str_find(host, ':');
		if (colon < host.n || str_find(host, '/') < host.n || str_find(host, '*') < host.n)
			return conf_fail_at(c->error, &hosts->items[i], "host",
					    "\"%.*s\" is no host name: write it without scheme, port, path and *",
					    STR_ARGS(host));
	}
	return true;
}

static bool share_a_host(const struct policy_conf *a, const struct policy_conf *b)
{
	if (a->host.n == 0 || b->host.n == 0)
		return a->host.n == b->host.n;
	for (size_t i = 0; i < a->host.n; i++)
		for (size_t j = 0; j < b->host.n; j++)
			if (str_eq_nocase(a->host.items[i].value, b->host.items[j].value))
				return true;
	return false;
}

/* Two policies for one path: nobody could tell which one holds. */
static bool check_unique(struct compiler *c, const struct policy *earlier)
{
	const struct policy_conf *a = earlier->conf, *b = c->policy->conf;
	if (!share_a_host(a, b))
		return true;
	for (size_t i = 0; i < a->path.n; i++)
		for (size_t j = 0; j < b->path.n; j++)
			if (str_eq(a->path.items[i].value, b->path.items[j].value))
				return conf_fail_at(
					c->error, &b->path.items[j], "path",
					"%.*s belongs to [policy \"%.*s\"] already (%s:%u): give one of them "
					"another path or host",
					STR_ARGS(b->path.items[j].value), STR_ARGS(earlier->name),
					a->path.items[i].file, a->path.items[i].line);
	return true;
}

/* They need no issuer. */
static bool takes_api_keys(const struct policy_conf *conf)
{
	for (size_t i = 0; i < conf->token_from.n; i++)
		if (str_eq(conf->token_from.items[i].value, STR("api-key")))
			return true;
	return false;
}

static bool add_issuers(struct compiler *c)
{
	const struct conf_list *names = &c->policy->conf->issuer;
	struct snapshot *s = c->snapshot;
	c->policy->issuers = s->issuers;
	if (names->n == 0)
		return s->issuers.n > 0 || takes_api_keys(c->policy->conf) ||
		       conf_fail(c->error, c->section, "issuer",
				 "there is no [issuer \"NAME\"] whose tokens it could accept");
	struct issuer **issuers = arena_array(s->arena, names->n, sizeof(struct issuer *));
	if (!issuers)
		return no_memory(c);
	for (size_t i = 0; i < names->n; i++) {
		issuers[i] = snapshot_issuer(s, names->items[i].value);
		if (!issuers[i])
			return conf_fail_at(c->error, &names->items[i], "issuer",
					    "there is no [issuer \"%.*s\"]: add it or correct the name",
					    STR_ARGS(names->items[i].value));
		for (size_t j = 0; j < i; j++)
			if (issuers[j] == issuers[i])
				return conf_fail_at(c->error, &names->items[i], "issuer", "%.*s is named twice",
						    STR_ARGS(names->items[i].value));
	}
	c->policy->issuers = (struct issuer_set){issuers, names->n};
	return true;
}

/* Nobody could tell which key such a token is meant for: it is not tried which fits. */
static bool check_distinct(struct compiler *c)
{
	const struct issuer_set *issuers = &c->policy->issuers;
	for (size_t i = 0; i < issuers->n; i++)
		for (size_t j = 0; j < i; j++)
			if (!issuer_differs(issuers->items[j], issuers->items[i]))
				return conf_fail(c->error, c->section, "issuer",
						 "tokens of [issuer \"%.*s\"] and [issuer \"%.*s\"] cannot be told "
						 "apart: give one of them an iss, or each a cookie of its own, or name "
						 "one issuer only",
						 STR_ARGS(issuer_name(issuers->items[j])),
						 STR_ARGS(issuer_name(issuers->items[i])));
	return true;
}

static void add_name(struct str *names, size_t *n, struct str name)
{
	for (size_t i = 0; i < *n; i++)
		if (str_eq(names[i], name))
			return;
	if (name.n)
		names[(*n)++] = name;
}

static void add_carrier(struct token_sources *sources, enum carrier carrier)
{
	for (size_t i = 0; i < sources->n_carriers; i++)
		if (sources->carriers[i] == carrier)
			return;
	sources->carriers[sources->n_carriers++] = carrier;
}

/* Plain enough to be found again in any encoding. */
static bool is_parameter(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
		    str_find(STR("_-."), c) == 3)
			return false;
	}
	return name.n > 0 && name.n <= 64;
}

static bool add_query(struct compiler *c, const struct conf_text *text, struct str *queries)
{
	struct str name = str_skip(text->value, 6);
	if (!is_parameter(name))
		return conf_fail_at(c->error, text, "token-from",
				    "\"%.*s\": the name of a query parameter is 1 to 64 letters, digits, _ - .",
				    STR_ARGS(text->value));
	add_carrier(&c->policy->sources, CARRIER_QUERY);
	add_name(queries, &c->policy->sources.n_queries, name);
	return true;
}

static bool add_api_keys(struct compiler *c, const struct conf_text *text)
{
	struct token_sources *sources = &c->policy->sources;
	if (c->snapshot->api_keys.needs_secret)
		return conf_fail_at(c->error, text, "token-from",
				    "api-key with memcached needs secret in [api-keys]: without it whoever can write "
				    "to those servers makes keys");
	add_carrier(sources, CARRIER_API_KEY);
	sources->api_key_prefix = c->snapshot->api_keys.prefix;
	sources->api_key_parameter = c->snapshot->api_keys.parameter;
	return true;
}

static bool add_source(struct compiler *c, const struct conf_text *text, struct str *cookies, struct str *queries)
{
	struct token_sources *sources = &c->policy->sources;
	struct str word = text->value;
	if (str_starts(word, STR("query:")))
		return add_query(c, text, queries);
	if (str_eq(word, STR("api-key")))
		return add_api_keys(c, text);
	if (str_eq(word, STR("bearer"))) {
		add_carrier(sources, CARRIER_BEARER);
	} else if (str_eq(word, STR("websocket-protocol"))) {
		add_carrier(sources, CARRIER_WEBSOCKET);
	} else if (str_eq(word, STR("cookie")) || str_starts(word, STR("cookie:"))) {
		add_carrier(sources, CARRIER_COOKIE);
		add_name(cookies, &sources->n_cookies, str_skip(word, word.n > 7 ? 7 : word.n));
	} else {
		return conf_fail_at(
			c->error, text, "token-from",
			"\"%.*s\": this is bearer, cookie, cookie:NAME, api-key, query:NAME or websocket-protocol",
			STR_ARGS(word));
	}
	return true;
}

static bool add_carriers(struct compiler *c)
{
	struct policy *p = c->policy;
	const struct conf_list *from = &p->conf->token_from;
	size_t n_cookies = from->n + 1;
	for (size_t i = 0; i < p->issuers.n; i++)
		n_cookies += issuer_cookies(p->issuers.items[i]).n;
	struct str *cookies = arena_array(c->snapshot->arena, n_cookies, sizeof *cookies);
	struct str *queries = arena_array(c->snapshot->arena, from->n + 1, sizeof *queries);
	if (!cookies || !queries)
		return no_memory(c);
	for (size_t i = 0; i < from->n; i++)
		if (!add_source(c, &from->items[i], cookies, queries))
			return false;
	for (size_t i = 0; i < p->issuers.n; i++) {
		struct conf_list names = issuer_cookies(p->issuers.items[i]);
		for (size_t j = 0; j < names.n; j++)
			add_name(cookies, &p->sources.n_cookies, names.items[j].value);
	}
	add_name(cookies, &p->sources.n_cookies, c->snapshot->login->cookie.value);
	p->sources.cookies = cookies;
	p->sources.queries = queries;
	return true;
}

static bool add_profile(struct compiler *c)
{
	const struct conf_text *name = &c->policy->conf->profile;
	if (!name->value.p)
		return true;
	c->policy->profile = profiles_find(c->snapshot, name->value);
	return c->policy->profile ||
	       conf_fail_at(c->error, name, "profile", "there is no [profile \"%.*s\"]: add it or correct the name",
			    STR_ARGS(name->value));
}

/* Nothing could be looked up: the rule would hold for nobody, or for everybody. */
static bool check_source(struct compiler *c, const struct value_source *source, const struct conf_text *line,
			 const char *key)
{
	return source->kind != SOURCE_PROFILE || c->policy->profile ||
	       conf_fail_at(c->error, line, key,
			    "profile:%.*s is asked for in a policy without profile: add profile = NAME, the name of "
			    "a [profile \"NAME\"]",
			    STR_ARGS(source->value));
}

static bool add_rules(struct compiler *c)
{
	const struct conf_list *lines = &c->policy->conf->require;
	struct rule *rules = arena_array(c->snapshot->arena, lines->n, sizeof *rules);
	if (!rules)
		return no_memory(c);
	for (size_t i = 0; i < lines->n; i++)
		if (!rule_parse(&lines->items[i], &rules[i], c->error) ||
		    !check_source(c, &rules[i].source, &lines->items[i], "require"))
			return false;
	c->policy->rules = rules;
	c->policy->n_rules = lines->n;
	return true;
}

static bool add_attributes(struct compiler *c)
{
	const struct conf_list *lines = &c->policy->conf->attribute;
	struct attribute *attributes = arena_array(c->snapshot->arena, lines->n, sizeof *attributes);
	if (!attributes)
		return no_memory(c);
	for (size_t i = 0; i < lines->n; i++) {
		if (!attribute_parse(c->snapshot->arena, &lines->items[i], &attributes[i], c->error))
			return false;
		for (size_t j = 0; j < attributes[i].n_sources; j++)
			if (!check_source(c, &attributes[i].sources[j], &lines->items[i], "attribute"))
				return false;
		for (size_t j = 0; j < i; j++)
			if (str_eq(attributes[j].name, attributes[i].name))
				return conf_fail_at(c->error, &lines->items[i], "attribute",
						    "%.*s is given a second time: put its sources into one line",
						    STR_ARGS(attributes[i].name));
	}
	c->policy->attributes = attributes;
	c->policy->n_attributes = lines->n;
	return true;
}

static bool check_realm(struct compiler *c)
{
	struct str realm = c->policy->conf->realm.value;
	return (str_find(realm, '"') == realm.n && str_find(realm, '\\') == realm.n) ||
	       conf_fail(c->error, c->section, "realm", "has no quotes and no backslash");
}

static bool compile(struct compiler *c)
{
	const struct policy_conf *conf = c->policy->conf;
	return check_patterns(c, &conf->path, "path", false) &&
	       check_patterns(c, &conf->path_user, "path-user", true) && check_hosts(c) && check_realm(c) &&
	       add_issuers(c) && check_distinct(c) && add_carriers(c) && add_profile(c) && add_rules(c) &&
	       add_attributes(c) && cors_check(c->policy, c->section, c->error);
}

bool access_open(struct snapshot *snapshot, struct conf_error *error)
{
	size_t n = 0;
	for (const struct conf_section *s = snapshot->conf->sections; s; s = s->next)
		n += s->kind == &policy_kind;
	struct policy *policies = arena_array(snapshot->arena, n, sizeof *policies);
	struct compiler c = {.snapshot = snapshot, .policy = policies, .error = error};
	for (const struct conf_section *s = snapshot->conf->sections; s; s = s->next) {
		if (s->kind != &policy_kind)
			continue;
		c.section = s;
		if (!policies)
			return no_memory(&c);
		c.policy->name = s->name;
		c.policy->conf = s->values;
		if (!compile(&c))
			return false;
		for (const struct policy *earlier = policies; earlier < c.policy; earlier++)
			if (!check_unique(&c, earlier))
				return false;
		c.policy++;
	}
	snapshot->policies = policies;
	snapshot->n_policies = n;
	snapshot->routes = route_table_make(snapshot->arena, policies, n);
	return snapshot->routes || no_memory(&c);
}
