/* SPDX-License-Identifier: Apache-2.0 */
/* One configuration with its keys, compiled and checked as a whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/runtime.h"

enum { SNAPSHOT_ARENA = 16 << 20 };

/* A URL of an issuer: may it be asked? */
static bool check_url(struct snapshot *s, const struct conf_text *url, const char *key, bool allow_plain_http,
		      struct conf_error *error)
{
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	if (!url->value.p || str_starts(url->value, STR("file:")))
		return true;
	s->asks = true;
	return fetch_check_url(url->value, allow_plain_http, &why) || conf_fail_at(error, url, key, "%s", buf_z(&why));
}

static bool check_urls(struct snapshot *s, const struct issuer_conf *conf, struct conf_error *error)
{
	return check_url(s, &conf->jwks, "jwks", conf->allow_plain_http, error) &&
	       check_url(s, &conf->session_url, "session-url", conf->allow_plain_http, error);
}

static bool open_issuers(struct snapshot *s, unsigned slots, struct conf_error *error)
{
	size_t n = 0;
	for (const struct conf_section *c = s->conf->sections; c; c = c->next)
		n += c->kind == &issuer_kind;
	s->issuers.items = arena_array(s->arena, n, sizeof(struct issuer *));
	for (const struct conf_section *c = s->conf->sections; c && s->issuers.items; c = c->next) {
		if (c->kind != &issuer_kind)
			continue;
		if (!check_urls(s, c->values, error) ||
		    !issuer_open(c, slots, &s->issuers.items[s->issuers.n], error))
			return false;
		s->issuers.n++;
	}
	return s->issuers.items != NULL;
}

static const struct conf_section *section_of(const struct conf *conf, const struct conf_kind *kind)
{
	for (const struct conf_section *c = conf->sections; c; c = c->next)
		if (c->kind == kind)
			return c;
	return NULL;
}

bool snapshot_open(const char *path, unsigned slots, struct snapshot **out, struct conf_error *error)
{
	struct snapshot *s = calloc(1, sizeof *s);
	if (!s || !arena_open(SNAPSHOT_ARENA, &s->arena)) {
		free(s);
		snprintf(error->text, sizeof error->text, "no memory");
		return false;
	}
	bool good = conf_open(path, runtime_kinds, &s->conf, error);
	if (good) {
		s->server = section_of(s->conf, &server_kind)->values;
		s->store = section_of(s->conf, &store_kind)->values;
		s->api_keys_conf = section_of(s->conf, &api_keys_kind)->values;
		s->login = section_of(s->conf, &login_kind)->values;
		s->logout = section_of(s->conf, &logout_kind)->values;
		if (slots == 0)
			slots = (unsigned)s->server->threads;
		good = server_options_check(s, section_of(s->conf, &server_kind), error) &&
		       stores_check(section_of(s->conf, &store_kind), error) && open_issuers(s, slots, error) &&
		       login_options_check(s, error) && mail_options_check(s, error) &&
		       logout_options_check(s, error) && page_options_check(s, error) &&
		       upstream_options_check(s, error) &&
		       profiles_compile(s, error) && api_keys_compile(s, error) && access_open(s, error);
	}
	if (good)
		*out = s;
	else
		snapshot_close(&s);
	return good;
}

void snapshot_close(struct snapshot **snapshot)
{
	struct snapshot *s = *snapshot;
	if (!s)
		return;
	for (size_t i = s->issuers.n; i > 0; i--)
		issuer_close(&s->issuers.items[i - 1]);
	breached_close(&s->breached);
	conf_close(&s->conf);
	arena_close(&s->arena);
	free(s);
	*snapshot = NULL;
}

struct issuer *snapshot_issuer(const struct snapshot *snapshot, struct str name)
{
	for (size_t i = 0; i < snapshot->issuers.n; i++)
		if (str_eq(issuer_name(snapshot->issuers.items[i]), name))
			return snapshot->issuers.items[i];
	return NULL;
}
