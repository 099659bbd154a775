/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting cookies: ours, and those of the applications whose tokens we verify. Which
 * attributes a cookie was set with no request says, so each of the likely ones is
 * deleted; but the head of an answer must stay small, whatever a client sends. */
#include <string.h>

#include "policy/cookies.h"

enum { PARENTS_MAX = 3, LINES_MAX = 120, VARIANTS_MAX = 24 };

/* Cookies of one application are STEM.SUFFIX with the same stem. */
static const struct family {
	const char *suffixes[5];
} families[] = {
	/* NextAuth, Auth.js */
	{{".session-token", ".csrf-token", ".callback-url"}},
	/* Better Auth */
	{{".session_token", ".session_data", ".dont_remember", ".account_data"}},
};

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

/* For this host, and for its parent domains. Gives how many lines that took. */
static unsigned clear_domains(const struct call *call, struct str name, struct str path)
{
	struct str host = call->request->host;
	unsigned i;
	clear(call, name, STR_NONE, path);
	if (cookies_prefix_is_host(name))
		return 1;
	for (i = 0; i < PARENTS_MAX && cookies_domain_is_valid(host); i++) {
		size_t dot = str_find(host, '.');
		if (dot == host.n)
			break;
		clear(call, name, host, path);
		host = str_skip(host, dot + 1);
	}
	return i + 1;
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

/* What is known of the cookies, and how much may still be said. */
struct sweep {
	const struct call *call;
	const struct str *names; /* that may carry tokens, and those of [logout] cookies */
	size_t n;
	unsigned lines;
};

/* A name that came, with whatever attributes it may have; of too many the likeliest alone. */
static void clear_present(struct sweep *sweep, struct str name)
{
	if (sweep->lines < VARIANTS_MAX) {
		sweep->lines += clear_domains(sweep->call, name, STR("/"));
		return;
	}
	clear(sweep->call, name, STR_NONE, STR("/"));
	sweep->lines++;
}

/* One known name, also when it did not come: with the attributes of whoever may have
 * set it, us or an issuer's application. */
static void clear_known(struct sweep *sweep, struct str name)
{
	const struct call *call = sweep->call;
	const struct login_conf *login = call->worker->snapshot->login;
	bool ours = str_eq(name, login->cookie.value);
	struct cookie_attributes attributes = login_cookie_attributes(login, call->request->https, 0);
	struct str value;
	unsigned found = cookie_find(call->request->cookie, name, &value);
	if (found > 1)
		cookies_clear_twins(call, name);
	else if (found)
		clear_present(sweep, name);
	else if (!ours)
		clear(call, name, STR_NONE, STR("/"));
	if (ours)
		cookies_set(call, name, STR(""), &attributes);
	else if (login->cookie_domain.value.p && !cookies_prefix_is_host(name))
		clear(call, name, login->cookie_domain.value, STR("/"));
}

static void clear_chunks(struct sweep *sweep, struct str name)
{
	bool cleared[COOKIE_CHUNKS_MAX] = {0};
	struct str rest = sweep->call->request->cookie, pair, chunk;
	unsigned number;
	while (sweep->lines < LINES_MAX && str_split(&rest, ';', &pair)) {
		if (!cookie_is_chunk(pair, name, &number, &chunk) || cleared[number])
			continue;
		clear_known(sweep, chunk);
		cleared[number] = true;
	}
}

/* Without "__Host-" and "__Secure-": the same cookie before and after a move to https. */
static struct str bare(struct str name)
{
	if (cookies_prefix_is_host(name))
		return str_skip(name, sizeof "__Host-" - 1);
	return cookies_prefix_is_secure(name) ? str_skip(name, sizeof "__Secure-" - 1) : name;
}

/* "__session_1a2b3c4d" is Clerk's for one of several instances; "__client_uat" tells it
 * that somebody is signed in, and would bring the other back. */
static bool is_clerks(struct str name)
{
	return str_eq(name, STR("__session")) || str_starts(name, STR("__session_")) ||
	       str_eq(name, STR("__client_uat")) || str_starts(name, STR("__client_uat_"));
}

/* What stands before the suffix; STR_NONE: it is not of the family. */
static struct str stem_in(struct str name, const struct family *family)
{
	for (size_t i = 0; i < sizeof family->suffixes / sizeof *family->suffixes && family->suffixes[i]; i++) {
		struct str suffix = str_of(family->suffixes[i]);
		if (name.n > suffix.n && str_ends(name, suffix))
			return (struct str){name.p, name.n - suffix.n};
	}
	return STR_NONE;
}

/* Does the cookie belong to the one of a known name? */
static bool is_companion(struct str name, struct str known)
{
	if (str_eq(name, known) || (is_clerks(name) && str_starts(known, STR("__session"))))
		return true;
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		struct str stem = stem_in(name, &families[i]);
		if (stem.p && str_eq(stem, stem_in(known, &families[i])))
			return true;
	}
	return false;
}

/* "NAME" of "NAME.3". */
static struct str without_number(struct str name)
{
	size_t n = name.n;
	while (n > 0 && name.p[n - 1] >= '0' && name.p[n - 1] <= '9')
		n--;
	return n < name.n && n > 1 && name.p[n - 1] == '.' ? (struct str){name.p, n - 1} : name;
}

static bool is_known(const struct sweep *sweep, struct str name)
{
	for (size_t i = 0; i < sweep->n; i++)
		if (str_eq(sweep->names[i], name))
			return true;
	return false;
}

/* A cookie that came, which is none of the known names but belongs to one. */
static bool is_related(const struct sweep *sweep, struct str name)
{
	struct str whole = without_number(name);
	if (!cookies_name_is_valid(name) || is_known(sweep, name) || is_known(sweep, whole))
		return false;
	for (size_t i = 0; i < sweep->n; i++)
		if (is_companion(bare(whole), bare(sweep->names[i])))
			return true;
	return false;
}

static void clear_related(struct sweep *sweep)
{
	struct str rest = sweep->call->request->cookie, pair;
	while (sweep->lines < LINES_MAX && str_split(&rest, ';', &pair)) {
		struct str trimmed = str_trim(pair), name = {trimmed.p, str_find(trimmed, '=')};
		if (is_related(sweep, name))
			clear_present(sweep, name);
	}
}

static bool list_names(const struct call *call, struct sweep *sweep)
{
	const struct snapshot *s = call->worker->snapshot;
	static const struct conf_list none = {NULL, 0};
	const struct conf_list *more[] = {&s->logout->cookies,
					  s->upstream ? &s->upstream->conf->pass_cookies : &none};
	size_t n;
	const struct str *first = cookies_with_tokens(call->worker, &n);
	struct str *names = arena_array(call->worker->arena, n + more[0]->n + more[1]->n, sizeof *names);
	if (!first || !names)
		return false;
	for (size_t i = 0; i < n; i++)
		names[i] = first[i];
	for (size_t list = 0; list < 2; list++)
		for (size_t i = 0; i < more[list]->n; i++)
			names[n++] = more[list]->items[i].value;
	*sweep = (struct sweep){.call = call, .names = names, .n = n};
	return true;
}

void cookies_clear_all(const struct call *call)
{
	struct sweep sweep;
	if (!list_names(call, &sweep))
		return;
	for (size_t i = 0; i < sweep.n; i++)
		clear_known(&sweep, sweep.names[i]);
	for (size_t i = 0; i < sweep.n; i++)
		clear_chunks(&sweep, sweep.names[i]);
	clear_related(&sweep);
}
