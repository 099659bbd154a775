/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the token in a request. */
#include "policy/credentials.h"

#include "http/cookie.h"
#include "policy/api_key_record.h"

/* RFC 6750 section 2.1: the scheme in any case, one blank, the token. */
static enum err find_bearer(struct str header, struct credentials *out)
{
	size_t scheme = 0;
	while (scheme < header.n && header.p[scheme] != ' ' && header.p[scheme] != '\t' && header.p[scheme] != ',')
		scheme++;
	if (!str_eq_nocase((struct str){header.p, scheme}, STR("Bearer")))
		return ERR_NO_TOKEN;
	struct str token = str_skip(header, scheme);
	out->carrier = CARRIER_BEARER;
	/* A web server joins two headers with a comma: "Bearer A, Bearer B". */
	if (str_find(token, ',') < token.n)
		return ERR_AMBIGUOUS_TOKEN;
	if (token.n < 2 || token.p[0] != ' ' || token.p[1] == ' ' || token.p[1] == '\t')
		return ERR_TOKEN_MALFORMED;
	out->token = str_skip(token, 1);
	return ERR_NONE;
}

enum err credentials_join(struct arena *arena, struct str header, struct str name, struct str *out)
{
	static const enum err errors[] = {
		[COOKIE_CHUNKS_NONE] = ERR_NO_TOKEN,
		[COOKIE_CHUNKS_ALL] = ERR_NONE,
		[COOKIE_CHUNKS_SEVERAL] = ERR_AMBIGUOUS_TOKEN,
		[COOKIE_CHUNKS_BROKEN] = ERR_TOKEN_MALFORMED,
	};
	struct cookie_chunks chunks;
	enum err err = errors[cookie_find_chunks(header, name, &chunks)];
	if (err)
		return err;
	if (chunks.size == 0)
		return ERR_NO_TOKEN;
	if (chunks.size > TOKEN_MAX)
		return ERR_TOKEN_MALFORMED;
	struct buf joined = arena_buf(arena, chunks.size);
	cookie_join(&chunks, &joined);
	if (joined.full)
		return ERR_INTERNAL;
	*out = buf_str(&joined);
	return ERR_NONE;
}

static enum err find_named(struct arena *arena, struct str header, struct str name, struct str *token)
{
	unsigned found = cookie_find(header, name, token);
	if (found > 1)
		return ERR_AMBIGUOUS_TOKEN;
	return found == 1 && token->n > 0 ? ERR_NONE : credentials_join(arena, header, name, token);
}

static enum err find_cookie(const struct token_sources *sources, struct arena *arena, struct str header,
			    struct credentials *out)
{
	for (size_t i = 0; i < sources->n_cookies; i++) {
		struct str token;
		enum err err = find_named(arena, header, sources->cookies[i], &token);
		if (err == ERR_NO_TOKEN)
			continue;
		out->carrier = CARRIER_COOKIE;
		out->cookie = sources->cookies[i];
		if (err == ERR_NONE)
			out->token = token;
		return err;
	}
	return ERR_NO_TOKEN;
}

static bool takes(const struct token_sources *sources, enum carrier carrier)
{
	for (size_t i = 0; i < sources->n_carriers; i++)
		if (sources->carriers[i] == carrier)
			return true;
	return false;
}

/* Also of "Bearer A, Bearer B", which is refused. */
static bool is_bearer_key(const struct token_sources *sources, struct str authorization)
{
	return authorization.n > 7 && takes(sources, CARRIER_API_KEY) &&
	       str_eq_nocase((struct str){authorization.p, 7}, STR("Bearer ")) &&
	       api_key_is(sources->api_key_prefix, str_skip(authorization, 7));
}

static enum err find_bearer_or_key(const struct token_sources *sources, struct str authorization,
				   struct credentials *out)
{
	enum err err = find_bearer(authorization, out);
	if (is_bearer_key(sources, authorization))
		out->carrier = CARRIER_API_KEY;
	return err;
}

/* The header, or a bearer token that is one. Web servers join two headers of one name
 * with a comma; two whose names they fold into one come as two parameters. */
static enum err find_api_key(const struct token_sources *sources, const struct request *request,
			     struct credentials *out)
{
	struct credentials bearer = {0};
	struct str key = STR_NONE;
	unsigned found = request_parameter(request, sources->api_key_parameter, &key);
	bool also = is_bearer_key(sources, request->authorization);
	if (key.n == 0 && found < 2 && !also)
		return ERR_NO_TOKEN;
	out->carrier = CARRIER_API_KEY;
	if (found > 1)
		return ERR_BAD_REQUEST;
	if (str_find(key, ',') < key.n)
		return ERR_AMBIGUOUS_TOKEN;
	enum err err = also ? find_bearer(request->authorization, &bearer) : ERR_NONE;
	if (!err && also && key.n > 0 && !str_eq(key, bearer.token))
		err = ERR_AMBIGUOUS_TOKEN;
	if (!err)
		out->token = key.n > 0 ? key : bearer.token;
	return err;
}

static enum err find_by(const struct token_sources *sources, enum carrier carrier, struct arena *arena,
			const struct request *request, struct credentials *out)
{
	if (carrier == CARRIER_BEARER)
		return find_bearer_or_key(sources, request->authorization, out);
	if (carrier == CARRIER_API_KEY)
		return find_api_key(sources, request, out);
	return find_cookie(sources, arena, request->cookie, out);
}

enum err credentials_find(const struct token_sources *sources, struct arena *arena, const struct request *request,
			  struct credentials *out)
{
	*out = (struct credentials){0};
	for (size_t i = 0; i < sources->n_carriers; i++) {
		enum err err = find_by(sources, sources->carriers[i], arena, request, out);
		if (err != ERR_NO_TOKEN)
			return err;
	}
	return ERR_NO_TOKEN;
}

static bool has_cookie(struct str header, struct str name)
{
	struct cookie_chunks chunks;
	struct str value;
	return cookie_find(header, name, &value) > 0 ||
	       cookie_find_chunks(header, name, &chunks) != COOKIE_CHUNKS_NONE;
}

struct str credentials_namesake(const struct token_sources *sources, struct arena *arena, struct str header)
{
	static const struct str prefixes[] = {{"__Secure-", 9}, {"__Host-", 7}, {"", 0}};
	bool looked = false;
	for (size_t i = 0; i < sources->n_carriers; i++)
		looked = looked || sources->carriers[i] == CARRIER_COOKIE;
	for (size_t i = 0; looked && header.n > 0 && i < sources->n_cookies; i++) {
		struct str name = sources->cookies[i], bare = name;
		for (size_t k = 0; k < 2 && bare.n == name.n; k++)
			if (str_starts(name, prefixes[k]))
				bare = str_skip(name, prefixes[k].n);
		for (size_t k = 0; k < 3; k++) {
			struct str other = arena_printf(arena, "%.*s%.*s", STR_ARGS(prefixes[k]), STR_ARGS(bare));
			if (other.p && !str_eq(other, name) && has_cookie(header, other))
				return arena_printf(arena, "cookie %.*s came, but %.*s is looked for", STR_ARGS(other),
						    STR_ARGS(name));
		}
	}
	return STR_NONE;
}
