/* SPDX-License-Identifier: Apache-2.0 */
/* The options of [profile], and what is made of them once for all requests. */
#include <stddef.h>
#include <string.h>

#include "base/codec.h"
#include "base/log.h"
#include "base/secret.h"
#include "policy/profile_internal.h"
#include "token/json.h"

enum { KEY_MAX = 4096, WHY_SIZE = 512 };

static const struct conf_opt opts[] = {
	{"url", CONF_TEXT, offsetof(struct profile_conf, url), NULL, NULL,
	 "Where a user's profile is, with {user_id} in its path or query: https://HOST/api/users/{user_id}"},
	{"api-key", CONF_TEXT, offsetof(struct profile_conf, api_key), NULL, NULL,
	 "The secret that the service wants to see: file:PATH, cred:NAME, env:NAME"},
	{"api-key-header", CONF_TEXT, offsetof(struct profile_conf, api_key_header), "X-API-Key", NULL,
	 "The header it is sent in"},
	{"host", CONF_TEXT, offsetof(struct profile_conf, host), NULL, NULL,
	 "The Host header, where the service wants another one than that of the url"},
	{"id", CONF_TEXT, offsetof(struct profile_conf, id), "id", NULL,
	 "Where the answer has the user's id, which must be the one that was asked for: id, data.id, /data/id"},
	{"active", CONF_TEXT, offsetof(struct profile_conf, active), NULL, NULL,
	 "Where the answer says whether the account is active: /isActive; a user for whom it is false is refused"},
	{"not-found", CONF_WORD, offsetof(struct profile_conf, not_found), "deny", "deny|allow",
	 "A user that the service does not know: refused, or let in with an empty profile"},
	{"ttl", CONF_DURATION, offsetof(struct profile_conf, ttl), "10m", "0-30d",
	 "How long a profile is used before it is asked for anew"},
	{"stale", CONF_DURATION, offsetof(struct profile_conf, stale), "1h", "0-365d",
	 "How old it may become while it is asked for anew or the service cannot answer; at least ttl"},
	{"negative-ttl", CONF_DURATION, offsetof(struct profile_conf, negative_ttl), "5s", "0-1h",
	 "How long it is believed that there is no such user"},
	{"timeout", CONF_DURATION, offsetof(struct profile_conf, timeout), "2s", "10ms-60s",
	 "How long one call may take, and how long a request waits for a profile"},
	{"max-concurrent", CONF_INT, offsetof(struct profile_conf, max_concurrent), "8", "1-256",
	 "Threads of a process that ask the service or wait for it at a time; never more than three quarters of all"},
	{"allow-plain-http", CONF_BOOL, offsetof(struct profile_conf, allow_plain_http), "off", NULL,
	 "Take an http: url for a host other than this one: who is between can forge profiles and see the key"},
	{NULL, CONF_TEXT, 0, NULL, NULL, NULL},
};

const struct conf_kind profile_kind = {"profile", true, sizeof(struct profile_conf), opts,
				       "A service that knows the users"};

#define PLACE STR("{user_id}")

struct compiler {
	struct arena *arena;
	const struct conf_section *section;
	struct profile_source *source;
	struct conf_error *error;
};

static bool no_memory(struct compiler *c)
{
	return conf_fail(c->error, c->section, "", "the configuration is too large");
}

/* URL -------------------------------------------------------------------- */

static size_t find_place(struct str url)
{
	const char *at = memmem(url.p, url.n, PLACE.p, PLACE.n);
	return at ? (size_t)(at - url.p) : url.n;
}

/* Where the path or query begins: what is before decides who is asked. */
static size_t authority_end(struct str url)
{
	size_t begin = str_starts(url, STR("https://")) ? 8 : str_starts(url, STR("http://")) ? 7 : url.n;
	struct str rest = str_skip(url, begin);
	size_t slash = str_find(rest, '/'), query = str_find(rest, '?');
	return begin + (slash < query ? slash : query);
}

static struct str join(struct arena *arena, struct str before, struct str middle, struct str after)
{
	struct buf out = arena_buf(arena, before.n + middle.n + after.n + 1);
	buf_add(&out, before);
	buf_add(&out, middle);
	buf_add(&out, after);
	buf_z(&out);
	return out.cap == 0 || out.full ? STR_NONE : buf_str(&out);
}

static bool compile_url(struct compiler *c)
{
	const struct conf_text *where = &c->source->conf->url;
	struct str url = where->value;
	char memory[WHY_SIZE];
	struct buf why = buf_over(memory, sizeof memory);
	if (!url.p)
		return conf_fail(c->error, c->section, "url",
				 "is missing: write url = https://HOST/api/users/{user_id}");
	size_t at = find_place(url);
	if (at == url.n)
		return conf_fail_at(c->error, where, "url", "has no {user_id}: whose profile would be asked for?");
	c->source->before = (struct str){url.p, at};
	c->source->after = str_skip(url, at + PLACE.n);
	if (find_place(c->source->after) < c->source->after.n)
		return conf_fail_at(c->error, where, "url", "has more than one {user_id}");
	struct str probe = join(c->arena, c->source->before, STR("x"), c->source->after);
	if (!probe.p)
		return no_memory(c);
	if (!fetch_check_url(probe, c->source->conf->allow_plain_http, &why))
		return conf_fail_at(c->error, where, "url", "%s", buf_z(&why));
	if (at <= authority_end(probe))
		return conf_fail_at(c->error, where, "url",
				    "{user_id} decides which host is asked: it belongs into the path or the query");
	return true;
}

bool profile_url(struct arena *arena, const struct profile_source *source, struct str user_id, struct str *out)
{
	char memory[WHY_SIZE];
	struct buf why = buf_over(memory, sizeof memory), encoded = arena_buf(arena, 3 * user_id.n);
	/* Another path to whoever reads it, encoded or not. */
	if (str_eq(user_id, STR(".")) || str_eq(user_id, STR("..")) || user_id.n == 0)
		return false;
	percent_encode(&encoded, user_id, "");
	*out = join(arena, source->before, buf_str(&encoded), source->after);
	return out->p && !encoded.full && fetch_check_url(*out, true, &why);
}

struct str profile_source_shown(const struct profile_source *source)
{
	struct str url = source->conf->url.value;
	url.n = str_find(url, '?');
	return url;
}

/* Headers ---------------------------------------------------------------- */

/* A token (RFC 9110 section 5.6.2). */
static bool is_field_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!alphanumeric && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return name.n > 0;
}

/* Those of the call itself. */
static bool is_ours(struct str name)
{
	static const char *const ours[] = {"host",	     "accept",	   "user-agent", "connection",
					   "content-length", "transfer-encoding", "expect", NULL};
	for (size_t i = 0; ours[i]; i++)
		if (str_eq_nocase(name, str_of(ours[i])))
			return true;
	return false;
}

static bool add_header(struct compiler *c, struct str name, struct str value)
{
	struct str line = arena_printf(c->arena, "%.*s: %.*s", STR_ARGS(name), STR_ARGS(value));
	if (!line.p)
		return no_memory(c);
	c->source->headers[c->source->n_headers++] = line;
	return true;
}

static bool compile_key(struct compiler *c, struct str *key)
{
	const struct profile_conf *conf = c->source->conf;
	char memory[WHY_SIZE];
	struct buf why = buf_over(memory, sizeof memory);
	if (!is_field_name(conf->api_key_header.value) || is_ours(conf->api_key_header.value))
		return conf_fail(c->error, c->section, "api-key-header", "\"%.*s\" cannot be the header of a key",
				 STR_ARGS(conf->api_key_header.value));
	*key = STR_NONE;
	if (!conf->api_key.value.p)
		return true;
	if (!secret_load(c->arena, conf->api_key.value, key, &why))
		return conf_fail_at(c->error, &conf->api_key, "api-key", "%s", buf_z(&why));
	if (key->n == 0 || key->n > KEY_MAX || str_has_control(*key) || str_trim(*key).n != key->n)
		return conf_fail_at(c->error, &conf->api_key, "api-key",
				    "is empty, longer than %d bytes, or has line ends, other control bytes or blanks "
				    "at its ends: it could not be sent in a header", KEY_MAX);
	return add_header(c, conf->api_key_header.value, *key);
}

static bool compile_host(struct compiler *c)
{
	const struct conf_text *where = &c->source->conf->host;
	char memory[WHY_SIZE];
	struct buf why = buf_over(memory, sizeof memory);
	if (!where->value.p)
		return true;
	struct str probe = join(c->arena, STR("https://"), where->value, STR("/"));
	if (!probe.p)
		return no_memory(c);
	if (authority_end(probe) != probe.n - 1 || !fetch_check_url(probe, false, &why))
		return conf_fail_at(c->error, where, "host", "\"%.*s\" is no host name, nor one with a port",
				    STR_ARGS(where->value));
	return add_header(c, STR("Host"), where->value);
}

/* Paths ------------------------------------------------------------------ */

static bool check_path(struct compiler *c, const struct conf_text *where, const char *key)
{
	return !where->value.p || json_path_valid(where->value) ||
	       conf_fail_at(c->error, where, key,
			    "\"%.*s\" is no path into an answer: isActive, /isActive, data.user.id",
			    STR_ARGS(where->value));
}

/* Identity --------------------------------------------------------------- */

/* Each part ends with a NUL, so that no two lists of parts are the same bytes. */
static bool hash_parts(struct arena *arena, const struct str *parts, size_t n, unsigned char out[DIGEST_SIZE])
{
	size_t size = n;
	for (size_t i = 0; i < n; i++)
		size += parts[i].n;
	struct buf all = arena_buf(arena, size);
	for (size_t i = 0; i < n; i++) {
		buf_add(&all, parts[i]);
		buf_char(&all, '\0');
	}
	return !all.full && digest_sha256(buf_str(&all), out);
}

static bool compile_identity(struct compiler *c, struct str key)
{
	const struct profile_conf *conf = c->source->conf;
	struct str parts[] = {STR("identity"), conf->url.value, conf->host.value, conf->api_key_header.value, key};
	unsigned char hash[DIGEST_SIZE];
	struct buf hex = arena_buf(c->arena, (size_t)2 * sizeof hash);
	if (!hash_parts(c->arena, parts, sizeof parts / sizeof *parts, hash))
		return no_memory(c);
	buf_hex(&hex, hash, sizeof hash);
	c->source->identity = buf_str(&hex);
	parts[0] = STR("seal");
	bool good = !hex.full && hash_parts(c->arena, parts, sizeof parts / sizeof *parts, hash) &&
		    digest_hmac_key(DIGEST_SHA256, (struct str){(const char *)hash, sizeof hash}, &c->source->seal);
	secret_wipe(hash, sizeof hash);
	return good || no_memory(c);
}

static bool compile(struct compiler *c)
{
	struct str key;
	const struct profile_conf *conf = c->source->conf;
	return compile_url(c) && compile_key(c, &key) && compile_host(c) && check_path(c, &conf->id, "id") &&
	       check_path(c, &conf->active, "active") && compile_identity(c, key);
}

bool profiles_compile(struct snapshot *snapshot, struct conf_error *error)
{
	size_t n = 0;
	for (const struct conf_section *s = snapshot->conf->sections; s; s = s->next)
		n += s->kind == &profile_kind;
	struct profile_source *sources = arena_array(snapshot->arena, n, sizeof *sources);
	struct compiler c = {.arena = snapshot->arena, .source = sources, .error = error};
	for (const struct conf_section *s = snapshot->conf->sections; s; s = s->next) {
		if (s->kind != &profile_kind)
			continue;
		c.section = s;
		if (!sources)
			return no_memory(&c);
		c.source->name = s->name;
		c.source->conf = s->values;
		if (!compile(&c))
			return false;
		c.source++;
	}
	snapshot->asks = snapshot->asks || n > 0;
	snapshot->profiles = sources;
	snapshot->n_profiles = n;
	return true;
}

const struct profile_source *profiles_find(const struct snapshot *snapshot, struct str name)
{
	for (size_t i = 0; i < snapshot->n_profiles; i++)
		if (str_eq(snapshot->profiles[i].name, name))
			return &snapshot->profiles[i];
	return NULL;
}

const struct profile_conf *profile_source_conf(const struct profile_source *source)
{
	return source->conf;
}

struct str profile_source_name(const struct profile_source *source)
{
	return source->name;
}
