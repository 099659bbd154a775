/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies that an auth server sets: read (RFC 6265 section 5.2), sent back to it,
 * and passed on to the browser as cookies of this site. */
#include "http/cookie.h"
#include "policy/cookies.h"
#include "policy/upstream_internal.h"

/* For the jar and the line alike: nothing that could end either. */
static bool is_value(struct str value)
{
	return cookies_attribute_is_valid(value) && str_find(value, ' ') == value.n;
}

static void read_attribute(struct str part, struct upstream_cookie *cookie)
{
	size_t equals = str_find(part, '=');
	struct str name = str_trim((struct str){part.p, equals});
	struct str value = equals < part.n ? str_trim(str_skip(part, equals + 1)) : STR("");
	uint64_t seconds;
	if (str_eq_nocase(name, STR("secure")))
		cookie->secure = true;
	if (!cookies_attribute_is_valid(value))
		return;
	if (str_eq_nocase(name, STR("path")) && value.n && value.p[0] == '/')
		cookie->path = value;
	else if (str_eq_nocase(name, STR("expires")))
		cookie->expires = value;
	else if (str_eq_nocase(name, STR("samesite")))
		cookie->same_site = value;
	else if (str_eq_nocase(name, STR("max-age")) && str_to_uint(value, INT32_MAX, &seconds))
		cookie->max_age = value;
	else if (str_eq_nocase(name, STR("max-age")) && str_starts(value, STR("-")))
		cookie->max_age = STR("0");
}

bool upstream_cookie_parse(struct str line, struct upstream_cookie *out)
{
	struct str rest = line, pair, part;
	str_split(&rest, ';', &pair);
	size_t equals = str_find(pair, '=');
	if (equals == pair.n)
		return false;
	struct upstream_cookie cookie = {.name = str_trim((struct str){pair.p, equals}),
					 .value = str_trim(str_skip(pair, equals + 1))};
	if (!cookies_name_is_valid(cookie.name) || !is_value(cookie.value))
		return false;
	while (str_split(&rest, ';', &part))
		read_attribute(part, &cookie);
	cookie.ends = cookie.value.n == 0 || str_eq(cookie.max_age, STR("0"));
	*out = cookie;
	return true;
}

bool upstream_cookie_passes(const struct upstream *upstream, struct str name)
{
	const struct conf_list *list = &upstream->conf->pass_cookies;
	for (size_t i = 0; i < list->n; i++) {
		struct str known = list->items[i].value;
		uint64_t number;
		if (str_eq(name, known) || (name.n > known.n + 1 && str_starts(name, known) && name.p[known.n] == '.' &&
					    str_to_uint(str_skip(name, known.n + 1), COOKIE_CHUNKS_MAX - 1, &number)))
			return true;
	}
	return false;
}

static struct str same_site_of(const struct upstream_cookie *cookie)
{
	static const char *const known[] = {"Lax", "Strict", "None"};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_eq_nocase(cookie->same_site, str_of(known[i])))
			return str_of(known[i]);
	return STR("Lax");
}

/* Name, value, path, time and SameSite are the server's. Its domain is that of another
 * host: the cookie is of this one, or of cookie-domain. No script needs it. */
void upstream_cookie_print(const struct call *call, const struct upstream_cookie *cookie, struct buf *out)
{
	const struct login_conf *login = call->worker->snapshot->login;
	bool host_alone = cookies_prefix_is_host(cookie->name);
	buf_add(out, cookie->name);
	buf_char(out, '=');
	buf_add(out, cookie->value);
	buf_add(out, STR("; Path="));
	buf_add(out, cookie->path.p && !host_alone ? cookie->path : STR("/"));
	if (login->cookie_domain.value.p && !host_alone) {
		buf_add(out, STR("; Domain="));
		buf_add(out, login->cookie_domain.value);
	}
	if (cookie->max_age.p) {
		buf_add(out, STR("; Max-Age="));
		buf_add(out, cookie->max_age);
	}
	if (cookie->expires.p) {
		buf_add(out, STR("; Expires="));
		buf_add(out, cookie->expires);
	}
	if (cookie->secure || call->request->https || cookies_prefix_is_secure(cookie->name))
		buf_add(out, STR("; Secure"));
	buf_add(out, STR("; HttpOnly; SameSite="));
	buf_add(out, same_site_of(cookie));
}

static void add_pair(struct buf *b, struct str name, struct str value)
{
	if (b->n)
		buf_add(b, STR("; "));
	buf_add(b, name);
	buf_char(b, '=');
	buf_add(b, value);
}

/* Of several of a name the last counts. */
static bool is_last(const struct upstream_visit *visit, size_t i)
{
	for (size_t j = i + 1; j < visit->n_cookies; j++)
		if (str_eq(visit->cookies[j].name, visit->cookies[i].name))
			return false;
	return true;
}

static bool is_set(const struct upstream_visit *visit, struct str name)
{
	for (size_t i = 0; i < visit->n_cookies; i++)
		if (str_eq(visit->cookies[i].name, name))
			return true;
	return false;
}

static void add_clients(const struct upstream_visit *visit, struct buf *b)
{
	struct str rest = visit->call->request->cookie, pair;
	while (str_split(&rest, ';', &pair)) {
		pair = str_trim(pair);
		size_t equals = str_find(pair, '=');
		struct str name = {pair.p, equals};
		if (equals < pair.n && is_value(str_skip(pair, equals + 1)) && !is_set(visit, name) &&
		    upstream_cookie_passes(visit->upstream, name))
			add_pair(b, name, str_skip(pair, equals + 1));
	}
}

struct str upstream_cookie_header(const struct upstream_visit *visit, bool pass, bool client)
{
	size_t size = visit->call->request->cookie.n + 1;
	for (size_t i = 0; i < visit->n_cookies; i++)
		size += visit->cookies[i].name.n + visit->cookies[i].value.n + 3;
	struct buf b = arena_buf(visit->call->worker->arena, size);
	for (size_t i = 0; i < visit->n_cookies; i++) {
		const struct upstream_cookie *cookie = &visit->cookies[i];
		bool wanted = !pass || upstream_cookie_passes(visit->upstream, cookie->name);
		if (wanted && !cookie->ends && is_last(visit, i))
			add_pair(&b, cookie->name, cookie->value);
	}
	if (client)
		add_clients(visit, &b);
	return b.full || b.n == 0 ? STR_NONE : buf_str(&b);
}
