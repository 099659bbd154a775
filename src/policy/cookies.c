/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies: rules of their names, and setting and deleting ours. */
#include "policy/cookies.h"

#include <string.h>

enum { SET_COOKIE_MAX = REPLY_LINE_MAX, PARENTS_MAX = 3 };

bool cookies_name_is_valid(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~' || strchr("()<>@,;:\\\"/[]?={}", name.p[i]))
			return false;
	return name.n > 0;
}

bool cookies_attribute_is_valid(struct str value)
{
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] < ' ' || value.p[i] > '~' || value.p[i] == ';')
			return false;
	return true;
}

bool cookies_domain_is_valid(struct str domain)
{
	struct str rest = str_starts(domain, STR(".")) ? str_skip(domain, 1) : domain, label;
	while (str_split(&rest, '.', &label)) {
		if (label.n == 0 || label.p[0] == '-')
			return false;
		for (size_t i = 0; i < label.n; i++) {
			char c = label.p[i];
			if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-')
				return false;
		}
	}
	return domain.n > 0;
}

static bool has_prefix(struct str name, struct str prefix)
{
	return name.n >= prefix.n && str_eq_nocase((struct str){name.p, prefix.n}, prefix);
}

bool cookies_prefix_is_host(struct str name)
{
	return has_prefix(name, STR("__Host-"));
}

bool cookies_prefix_is_secure(struct str name)
{
	return cookies_prefix_is_host(name) || has_prefix(name, STR("__Secure-"));
}

static void add_name(struct str *names, size_t *n, struct str name)
{
	for (size_t i = 0; i < *n; i++)
		if (str_eq(names[i], name))
			return;
	if (name.n)
		names[(*n)++] = name;
}

const struct str *cookies_with_tokens(struct worker *worker, size_t *n)
{
	const struct snapshot *s = worker->snapshot;
	size_t most = 1;
	for (size_t i = 0; i < s->issuers.n; i++)
		most += issuer_cookies(s->issuers.items[i]).n;
	struct str *names = arena_array(worker->arena, most, sizeof *names);
	*n = 0;
	if (!names)
		return NULL;
	add_name(names, n, s->login->cookie.value);
	for (size_t i = 0; i < s->issuers.n; i++) {
		struct conf_list own = issuer_cookies(s->issuers.items[i]);
		for (size_t j = 0; j < own.n; j++)
			add_name(names, n, own.items[j].value);
	}
	return names;
}

bool cookies_next_value(struct str *rest, struct str name, struct str *value)
{
	struct str pair;
	while (str_split(rest, ';', &pair))
		if (cookie_find(pair, name, value) == 1 && value->n)
			return true;
	return false;
}

bool cookies_set(const struct call *call, struct str name, struct str value,
		 const struct cookie_attributes *attributes)
{
	struct buf line = arena_buf(call->worker->arena, SET_COOKIE_MAX);
	cookie_print(&line, name, value, attributes);
	return !line.full && reply_header(call->reply, "Set-Cookie", buf_str(&line));
}

static void clear(const struct call *call, struct str name, struct str domain, struct str path)
{
	struct cookie_attributes attributes = {
		.domain = domain,
		.path = path,
		.same_site = "Lax",
		.secure = call->request->https || cookies_prefix_is_secure(name),
		.max_age = 0,
	};
	cookies_set(call, name, STR(""), &attributes);
}

/* For this host, and for its parent domains. */
static void clear_domains(const struct call *call, struct str name, struct str path)
{
	struct str host = call->request->host;
	clear(call, name, STR_NONE, path);
	for (unsigned i = 0; i < PARENTS_MAX && cookies_domain_is_valid(host); i++) {
		size_t dot = str_find(host, '.');
		if (dot == host.n)
			return;
		clear(call, name, host, path);
		host = str_skip(host, dot + 1);
	}
}

void cookies_clear_twins(const struct call *call, struct str name)
{
	struct str mount = call->mount;
	clear_domains(call, name, STR("/"));
	if (mount.n > 1 && cookies_attribute_is_valid(mount)) {
		clear_domains(call, name, mount);
		clear_domains(call, name, (struct str){mount.p, mount.n - 1});
	}
}

/* One name with the attributes of whoever may have set it: us, or an issuer's application. */
static void clear_name(const struct call *call, struct str name)
{
	const struct login_conf *login = call->worker->snapshot->login;
	bool ours = str_eq(name, login->cookie.value);
	struct cookie_attributes attributes = login_cookie_attributes(login, call->request->https, 0);
	struct str value;
	if (cookie_find(call->request->cookie, name, &value) > 1)
		cookies_clear_twins(call, name);
	if (ours)
		cookies_set(call, name, STR(""), &attributes);
	else
		clear(call, name, STR_NONE, STR("/"));
	if (!ours && login->cookie_domain.value.p && !cookies_prefix_is_host(name))
		clear(call, name, login->cookie_domain.value, STR("/"));
}

static void clear_with_chunks(const struct call *call, struct str name)
{
	bool cleared[COOKIE_CHUNKS_MAX] = {0};
	struct str rest = call->request->cookie, pair, chunk;
	unsigned number;
	clear_name(call, name);
	while (str_split(&rest, ';', &pair)) {
		if (!cookie_is_chunk(pair, name, &number, &chunk) || cleared[number])
			continue;
		clear_name(call, chunk);
		cleared[number] = true;
	}
}

void cookies_clear_all(const struct call *call)
{
	const struct conf_list *more = &call->worker->snapshot->logout->cookies;
	const struct upstream *upstream = call->worker->snapshot->upstream;
	const struct conf_list *passed = upstream ? &upstream->conf->pass_cookies : NULL;
	size_t n;
	const struct str *names = cookies_with_tokens(call->worker, &n);
	for (size_t i = 0; names && i < n; i++)
		clear_with_chunks(call, names[i]);
	for (size_t i = 0; i < more->n; i++)
		clear_with_chunks(call, more->items[i].value);
	for (size_t i = 0; passed && i < passed->n; i++)
		clear_with_chunks(call, passed->items[i].value);
}
