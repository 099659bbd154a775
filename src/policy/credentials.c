/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the token in a request. */
#include "policy/credentials.h"

#include "http/cookie.h"
#include "http/url.h"
#include "policy/api_key_record.h"
#include "policy/runtime.h"

#define WEBSOCKET_BEARER STR("bearer.")

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
	if (found > 1) {
		out->fault = sources->api_key_parameter;
		return ERR_BAD_REQUEST;
	}
	if (str_find(key, ',') < key.n)
		return ERR_AMBIGUOUS_TOKEN;
	enum err err = also ? find_bearer(request->authorization, &bearer) : ERR_NONE;
	if (!err && also && key.n > 0 && !str_eq(key, bearer.token))
		err = ERR_AMBIGUOUS_TOKEN;
	if (!err)
		out->token = key.n > 0 ? key : bearer.token;
	return err;
}

static enum err find_parameter(struct arena *arena, struct str query, struct str name, struct str *token)
{
	struct str rest = query, found = STR_NONE, value;
	struct url_field field;
	while (url_next_field(&rest, &field)) {
		if (!url_field_is(&field, name))
			continue;
		if (!url_field_value(arena, &field, &value) || str_has_control(value))
			return ERR_TOKEN_MALFORMED;
		if (found.p && !str_eq(found, value))
			return ERR_BAD_REQUEST;
		found = value;
	}
	*token = found;
	return found.n ? ERR_NONE : ERR_NO_TOKEN;
}

/* RFC 6750 section 2.3, under the names that the policy says. */
static enum err find_query(const struct token_sources *sources, struct arena *arena, struct str query,
			   struct credentials *out)
{
	for (size_t i = 0; i < sources->n_queries; i++) {
		struct str token;
		enum err err = find_parameter(arena, query, sources->queries[i], &token);
		if (err == ERR_NO_TOKEN)
			continue;
		out->carrier = CARRIER_QUERY;
		out->token = err ? STR_NONE : token;
		out->fault = err == ERR_BAD_REQUEST ? sources->queries[i] : STR_NONE;
		return err;
	}
	return ERR_NO_TOKEN;
}

/* A script can set no header of a handshake but this one. */
static enum err find_websocket(const struct request *request, struct credentials *out)
{
	struct str rest = request->websocket ? request->websocket_protocol : STR_NONE, protocol, found = STR_NONE;
	while (str_split(&rest, ',', &protocol)) {
		protocol = str_trim(protocol);
		if (!str_starts(protocol, WEBSOCKET_BEARER))
			continue;
		out->carrier = CARRIER_WEBSOCKET;
		protocol = str_skip(protocol, WEBSOCKET_BEARER.n);
		if (found.p && !str_eq(found, protocol))
			return ERR_AMBIGUOUS_TOKEN;
		found = protocol;
	}
	if (!found.p)
		return ERR_NO_TOKEN;
	if (found.n == 0)
		return ERR_TOKEN_MALFORMED;
	out->token = found;
	return ERR_NONE;
}

static enum err find_by(const struct token_sources *sources, enum carrier carrier, struct arena *arena,
			const struct request *request, struct credentials *out)
{
	if (carrier == CARRIER_BEARER)
		return find_bearer_or_key(sources, request->authorization, out);
	if (carrier == CARRIER_API_KEY)
		return find_api_key(sources, request, out);
	if (carrier == CARRIER_QUERY)
		return find_query(sources, arena, request->query, out);
	if (carrier == CARRIER_WEBSOCKET)
		return find_websocket(request, out);
	return find_cookie(sources, arena, request->cookie, out);
}

/* Then none is left for the application: no value at all is nothing that every web
 * server could hand on, and browsers end a connection for which none was chosen. */
static bool offers_token_alone(const struct token_sources *sources, const struct request *request)
{
	struct str rest = request->websocket ? request->websocket_protocol : STR_NONE, protocol;
	bool has_token = false, has_other = false;
	while (takes(sources, CARRIER_WEBSOCKET) && str_split(&rest, ',', &protocol)) {
		protocol = str_trim(protocol);
		bool is_token = str_starts(protocol, WEBSOCKET_BEARER);
		has_token = has_token || is_token;
		has_other = has_other || (protocol.n && !is_token);
	}
	return has_token && !has_other;
}

enum err credentials_find(const struct token_sources *sources, struct arena *arena, const struct request *request,
			  struct credentials *out)
{
	*out = (struct credentials){0};
	for (size_t i = 0; i < sources->n_carriers; i++) {
		enum err err = find_by(sources, sources->carriers[i], arena, request, out);
		if (err == ERR_NONE && offers_token_alone(sources, request)) {
			out->fault = STR("HTTP_SEC_WEBSOCKET_PROTOCOL");
			return ERR_BAD_REQUEST;
		}
		if (err != ERR_NO_TOKEN)
			return err;
	}
	return ERR_NO_TOKEN;
}

struct str credentials_websocket_rest(const struct token_sources *sources, struct arena *arena,
				      const struct request *request)
{
	struct str rest = request->websocket_protocol, protocol;
	struct buf out = arena_buf(arena, 2 * rest.n + 1);
	bool hides = takes(sources, CARRIER_WEBSOCKET);
	while (str_split(&rest, ',', &protocol)) {
		protocol = str_trim(protocol);
		if (protocol.n == 0 || (hides && str_starts(protocol, WEBSOCKET_BEARER)))
			continue;
		buf_add(&out, out.n ? STR(", ") : STR(""));
		buf_add(&out, protocol);
	}
	return out.full ? STR_NONE : buf_str(&out);
}

static bool is_hidden(const struct snapshot *snapshot, const struct url_field *field)
{
	for (size_t i = 0; i < snapshot->n_policies; i++)
		for (size_t j = 0; j < snapshot->policies[i].sources.n_queries; j++)
			if (url_field_is(field, snapshot->policies[i].sources.queries[j]))
				return true;
	return false;
}

struct str credentials_hide(const struct snapshot *snapshot, struct arena *arena, struct str target)
{
	size_t question = str_find(target, '?');
	if (question == target.n)
		return target;
	struct str rest = str_skip(target, question + 1);
	struct buf out = arena_buf(arena, target.n);
	struct url_field field;
	char before = '?';
	buf_add(&out, (struct str){target.p, question});
	while (url_next_field(&rest, &field)) {
		if (is_hidden(snapshot, &field))
			continue;
		buf_char(&out, before);
		buf_add(&out, field.text);
		before = '&';
	}
	return out.full ? STR_NONE : buf_str(&out);
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
