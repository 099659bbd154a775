/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies: rules of their names, and setting ours. Deleting is in cookies_clear.c. */
#include "policy/cookies.h"

#include <string.h>

enum { SET_COOKIE_MAX = REPLY_LINE_MAX };

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
