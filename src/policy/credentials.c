/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the token in a request. */
#include "policy/credentials.h"

#include "http/cookie.h"

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

enum err credentials_find(const struct token_sources *sources, struct arena *arena, const struct request *request,
			  struct credentials *out)
{
	*out = (struct credentials){0};
	for (size_t i = 0; i < sources->n_carriers; i++) {
		enum err err = sources->carriers[i] == CARRIER_BEARER
				       ? find_bearer(request->authorization, out)
				       : find_cookie(sources, arena, request->cookie, out);
		if (err != ERR_NO_TOKEN)
			return err;
	}
	return ERR_NO_TOKEN;
}
