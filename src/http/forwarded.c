/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of proxies into parameters, by one table for each family of headers. A
 * client can send any of them too, so a family's are read only where its target
 * says that the proxy sets them, and those of another one are dropped. */
#include "http/forwarded.h"

#include <string.h>

#include "base/codec.h"

struct source {
	struct str header, becomes;
	const char *spelling; /* for the log, where it must not be missing */
};

enum { SOURCES = 4 };

static const struct family {
	struct str target;
	bool has_chain; /* the client from X-Forwarded-For, else from X-Real-IP */
	struct source sources[SOURCES];
} families[] = {
	{{"/original", 9},
	 false,
	 {{{"HTTP_X_ORIGINAL_URI", 19}, {"REQUEST_URI", 11}, "no X-Original-URI"},
	  {{"HTTP_X_ORIGINAL_METHOD", 22}, {"REQUEST_METHOD", 14}, "no X-Original-Method"},
	  {{"HTTP_HOST", 9}, {"HTTP_HOST", 9}, "no Host"},
	  {{"HTTP_X_FORWARDED_PROTO", 22}, {"REQUEST_SCHEME", 14}, NULL}}},
	{{"/forwarded", 10},
	 true,
	 {{{"HTTP_X_FORWARDED_URI", 20}, {"REQUEST_URI", 11}, "no X-Forwarded-Uri"},
	  {{"HTTP_X_FORWARDED_METHOD", 23}, {"REQUEST_METHOD", 14}, "no X-Forwarded-Method"},
	  {{"HTTP_X_FORWARDED_HOST", 21}, {"HTTP_HOST", 9}, "no X-Forwarded-Host"},
	  {{"HTTP_X_FORWARDED_PROTO", 22}, {"REQUEST_SCHEME", 14}, NULL}}},
};

struct reading {
	const struct networks *trusted;
	const struct incoming *in;
	struct incoming *out;
	struct param *items; /* of out, with room for all that may come */
};

enum { WORDS = 3, ADDED_MAX = WORDS + 2 /* of a query, AUTH_EFFECTIVE_PATH, REMOTE_ADDR */ };

static void refuse(struct reading *r, enum err err, const char *why)
{
	r->out->refused = err;
	r->out->why = why;
}

static void add(struct reading *r, struct str name, struct str value)
{
	r->items[r->out->n_params++] = (struct param){name, value};
}

/* How many different values that parameter has, up to 2; *value is the first. */
static unsigned find(const struct incoming *in, struct str name, struct str *value)
{
	unsigned found = 0;
	*value = STR_NONE;
	for (size_t i = 0; i < in->n_params && found < 2; i++) {
		if (!str_eq(in->params[i].name, name))
			continue;
		if (found == 0)
			*value = in->params[i].value;
		else if (str_eq(in->params[i].value, *value))
			continue;
		found++;
	}
	return found;
}

/* --- addresses --------------------------------------------------------------------- */

/* Of "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80" the address;
 * STR_NONE when it has none. */
static struct str bare_address(struct str entry)
{
	struct address parsed;
	entry = str_trim(entry);
	size_t colon = str_find(entry, ':');
	if (entry.n > 0 && entry.p[0] == '[')
		entry = (struct str){entry.p + 1, str_find(entry, ']') - 1};
	else if (colon < entry.n && str_find(str_skip(entry, colon + 1), ':') + colon + 1 == entry.n)
		entry.n = colon;
	return address_parse(entry, &parsed) ? entry : STR_NONE;
}

static bool is_trusted(const struct networks *trusted, struct str text)
{
	struct address address;
	return trusted->n > 0 && address_parse(text, &address) && networks_have(trusted, &address);
}

/* X-Forwarded-For, several of which are one list, from its end. */
struct chain {
	const struct incoming *in;
	size_t next; /* the header line before this one */
	struct str rest;
};

static bool chain_previous(struct chain *chain, struct str *entry)
{
	while (!chain->rest.p) {
		if (chain->next == 0)
			return false;
		const struct param *param = &chain->in->params[--chain->next];
		if (str_eq(param->name, STR("HTTP_X_FORWARDED_FOR")))
			chain->rest = param->value;
	}
	size_t at = chain->rest.n;
	while (at > 0 && chain->rest.p[at - 1] != ',')
		at--;
	*entry = bare_address(str_skip(chain->rest, at));
	chain->rest = at > 0 ? (struct str){chain->rest.p, at - 1} : STR_NONE;
	return true;
}

/* Back from a peer: whoever is trusted has written whom it saw. What is no address
 * was seen by nobody. STR_NONE for first: the trusted other end of a unix socket. */
static struct str last_untrusted(const struct reading *r, struct str first)
{
	struct chain chain = {.in = r->in, .next = r->in->n_params};
	struct str client = first, entry;
	while ((!client.p || is_trusted(r->trusted, client)) && chain_previous(&chain, &entry) && entry.p)
		client = entry;
	return client;
}

/* --- the client ----------------------------------------------------------------------- */

static struct str peer_of(const struct reading *r)
{
	struct str peer;
	find(r->in, STR("REMOTE_ADDR"), &peer);
	return peer;
}

static bool is_believed(const struct reading *r)
{
	return r->in->asked == ASKED_HTTP_LOCAL || is_trusted(r->trusted, peer_of(r));
}

/* A proxy that is itself behind a trusted one has told that one's address. */
static struct str behind(const struct reading *r, struct str address)
{
	return is_trusted(r->trusted, address) ? last_untrusted(r, address) : address;
}

/* Proxies set one of two headers or both, and pass the other one of the client's on.
 * Where these disagree, only the proxy's own address is certain. */
static struct str client_of_either(const struct reading *r)
{
	struct str real, last = STR_NONE, peer = peer_of(r);
	struct chain chain = {.in = r->in, .next = r->in->n_params};
	unsigned n = find(r->in, STR("HTTP_X_REAL_IP"), &real);
	bool has_chain = chain_previous(&chain, &last);
	real = n == 1 ? bare_address(real) : STR_NONE;
	if (n == 0 || (real.p && is_trusted(r->trusted, real)))
		return last_untrusted(r, peer);
	return real.p && (!has_chain || str_eq(real, last)) ? real : peer;
}

/* --- requests -------------------------------------------------------------------------- */

static struct str scheme_of(struct str value)
{
	if (str_eq_nocase(value, STR("https")) || str_eq_nocase(value, STR("wss")))
		return STR("https");
	if (str_eq_nocase(value, STR("http")) || str_eq_nocase(value, STR("ws")))
		return STR("http");
	return STR_NONE;
}

/* Is it said by the family's headers alone, or of the question and not of the request? */
static bool is_replaced(struct str name)
{
	static const struct str names[] = {{"REQUEST_METHOD", 14}, {"REQUEST_URI", 11}, {"CONTENT_LENGTH", 14},
					   {"REMOTE_ADDR", 11}, {"HTTP_HOST", 9}, {"HTTP_X_REAL_IP", 14}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(name, names[i]))
			return true;
	return str_starts(name, STR("HTTP_X_ORIGINAL_")) || str_starts(name, STR("HTTP_X_FORWARDED_"));
}

static const struct source *source_of(const struct family *family, struct str name)
{
	for (size_t i = 0; i < SOURCES; i++)
		if (str_eq(name, family->sources[i].header))
			return &family->sources[i];
	return NULL;
}

static bool add_decoded(struct reading *r, struct arena *arena, struct str name, struct str value)
{
	size_t n;
	char *text = arena_alloc(arena, value.n + 1);
	if (!text || !percent_decode(value, false, text, &n)) {
		refuse(r, ERR_BAD_REQUEST, "request target");
		return false;
	}
	add(r, name, (struct str){text, n});
	return true;
}

/* The query is the proxy's configuration: its words are parameters that a web server
 * would give, and whatever else is a mistake. false, and refused. */
static bool read_word(struct reading *r, struct arena *arena, struct str word)
{
	static const struct {
		struct str key, name;
	} words[] = {{{"policy=", 7}, {"AUTH_POLICY", 11}},
		     {{"accel-redirect=", 15}, {"AUTH_ACCEL_REDIRECT", 19}},
		     {{"preflight=", 10}, {"AUTH_PREFLIGHT", 14}}};
	for (size_t i = 0; i < WORDS; i++) {
		if (!str_starts(word, words[i].key))
			continue;
		struct str given;
		if (find(r->out, words[i].name, &given) > 0)
			break;
		return add_decoded(r, arena, words[i].name, str_skip(word, words[i].key.n));
	}
	refuse(r, ERR_BAD_REQUEST, "request target");
	return false;
}

static bool read_query(struct reading *r, struct arena *arena, struct str query)
{
	struct str word;
	if (query.n == 0)
		return true;
	while (str_split(&query, '&', &word))
		if (!read_word(r, arena, word))
			return false;
	return true;
}

static struct str query_of(struct str target)
{
	size_t mark = str_find(target, '?');
	return mark < target.n ? str_skip(target, mark + 1) : STR_NONE;
}

/* Some proxies keep the client's query when they are told another path alone. It would
 * choose the policy then; so what the client asked for is never taken for an order. */
static bool is_clients(const struct reading *r, const struct family *family, struct str query)
{
	struct str original;
	find(r->in, family->sources[0].header, &original);
	return query.n > 0 && str_eq(query, query_of(original));
}

static const struct family *read_target(struct reading *r, struct arena *arena)
{
	struct str target;
	find(r->in, STR("REQUEST_URI"), &target);
	struct str path = {target.p, str_find(target, '?')}, query = query_of(target);
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		if (!str_starts(path, families[i].target))
			continue;
		struct str served = str_skip(path, families[i].target.n);
		if (served.n > 0 && (families[i].has_chain || served.p[0] != '/'))
			break;
		if (served.n > 0 && !add_decoded(r, arena, STR("AUTH_EFFECTIVE_PATH"), served))
			return NULL;
		if (is_clients(r, &families[i], query)) {
			refuse(r, ERR_BAD_REQUEST, "request target: the proxy hands on the query of its client");
			return NULL;
		}
		return read_query(r, arena, query) ? &families[i] : NULL;
	}
	refuse(r, ERR_BAD_REQUEST, "request target");
	return NULL;
}

/* A shortcut for most: the others are HTTP_X_…, HTTP_HOST, and no headers. */
static bool is_plain(struct str name)
{
	return name.n > 5 && str_starts(name, STR("HTTP_")) && name.p[5] != 'X' && name.p[5] != 'H';
}

static void read_headers(struct reading *r, const struct family *family)
{
	unsigned missing = (1u << SOURCES) - 1;
	for (size_t i = 0; i < r->in->n_params; i++) {
		struct param param = r->in->params[i];
		if (is_plain(param.name)) {
			r->items[r->out->n_params++] = param;
			continue;
		}
		const struct source *source = source_of(family, param.name);
		bool is_scheme = source && !source->spelling;
		if (is_scheme)
			param.value = scheme_of(param.value);
		if (is_scheme && !param.value.p)
			refuse(r, ERR_BAD_REQUEST, "X-Forwarded-Proto");
		else if (source && param.value.n > 0)
			missing &= ~(1u << (source - family->sources));
		if (source)
			add(r, source->becomes, param.value);
		else if (!is_replaced(param.name))
			r->items[r->out->n_params++] = param;
	}
	for (size_t i = 0; i < SOURCES; i++)
		if ((missing >> i & 1) && family->sources[i].spelling)
			refuse(r, ERR_BAD_REQUEST, family->sources[i].spelling);
}

static void read_asked(struct reading *r, struct arena *arena)
{
	if (!is_believed(r)) {
		*r->out = *r->in;
		refuse(r, ERR_UNTRUSTED_PROXY, "asked by an address that is not in trusted-proxies");
		return;
	}
	const struct family *family = read_target(r, arena);
	if (!family)
		return;
	read_headers(r, family);
	struct str client, real;
	unsigned n = find(r->in, STR("HTTP_X_REAL_IP"), &real);
	if (!family->has_chain && n > 1)
		refuse(r, ERR_BAD_REQUEST, "X-Real-IP");
	if (family->has_chain)
		client = last_untrusted(r, peer_of(r));
	else
		client = n == 1 ? behind(r, bare_address(real)) : peer_of(r);
	if (client.p)
		add(r, STR("REMOTE_ADDR"), client);
}

/* As it is, but for what the proxy alone knows. */
static void read_passed(struct reading *r, struct str client, bool has_scheme)
{
	for (size_t i = 0; i < r->in->n_params; i++) {
		struct param param = r->in->params[i];
		if (has_scheme && str_eq(param.name, STR("HTTP_X_FORWARDED_PROTO"))) {
			struct str scheme = scheme_of(param.value);
			if (!scheme.p)
				refuse(r, ERR_BAD_REQUEST, "X-Forwarded-Proto");
			add(r, STR("REQUEST_SCHEME"), scheme);
		} else if (!str_eq(param.name, STR("REMOTE_ADDR"))) {
			r->items[r->out->n_params++] = param;
		}
	}
	if (client.p)
		add(r, STR("REMOTE_ADDR"), client);
}

void forwarded_read(struct arena *arena, const struct networks *trusted, enum forwarded how, const struct incoming *in,
		    struct incoming *out)
{
	struct reading r = {trusted, in, out, NULL};
	bool over_http = in->asked == ASKED_HTTP || in->asked == ASKED_HTTP_LOCAL;
	bool asks = over_http && how == FORWARDED_ASKS;
	struct str peer;
	*out = *in;
	/* Two peers are for request_read to refuse. */
	if (in->refused || (!over_http && trusted->n == 0) || find(in, STR("REMOTE_ADDR"), &peer) > 1 ||
	    (!asks && !is_believed(&r)))
		return;
	r.items = arena_array(arena, in->n_params + ADDED_MAX, sizeof *r.items);
	if (!r.items) {
		refuse(&r, ERR_INTERNAL, "no memory for the parameters");
		return;
	}
	out->params = r.items;
	out->n_params = 0;
	if (asks)
		read_asked(&r, arena);
	else if (over_http)
		read_passed(&r, client_of_either(&r), true);
	else
		read_passed(&r, behind(&r, peer_of(&r)), false);
}
