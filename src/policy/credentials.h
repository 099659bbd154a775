/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a request the token is. */
#ifndef POLICY_CREDENTIALS_H
#define POLICY_CREDENTIALS_H

#include "policy/access.h"

struct credentials {
	struct str token;
	enum carrier carrier;
	struct str cookie; /* its name, for CARRIER_COOKIE, also with ERR_AMBIGUOUS_TOKEN */
	struct str fault;  /* with ERR_BAD_REQUEST: the parameter that is at fault */
};

/* The first carrier that has something decides, whether it is
 * good or not: no second one is tried. A cookie of that name goes before the
 * chunks of one; chunks are joined in the arena, which nothing else uses. Values
 * stay percent-encoded: where that is undone, an issuer's driver does it. Where API
 * keys are taken, a bearer token that begins like one is one; carrier says so, also
 * with an error.
 * ERR_NO_TOKEN, ERR_AMBIGUOUS_TOKEN (two different ones), ERR_TOKEN_MALFORMED
 * ("Bearer" or "bearer." without a token; a chunk is missing, or all together are
 * longer than TOKEN_MAX; a query parameter that cannot be decoded), ERR_BAD_REQUEST
 * (the header of an API key, or a query parameter, came twice with different values; a
 * handshake offers no protocol but the token's). */
enum err credentials_find(const struct token_sources *sources, struct arena *arena, const struct request *request,
			  struct credentials *out);
/* Of a request without a token: the cookie that came instead of one of the
 * sources', with the prefix __Secure- or __Host- where that has none, or the other
 * way round, as "NAME came, but NAME is looked for" in the arena. A site that moved
 * to https does that (NextAuth, Auth.js, Better Auth). STR_NONE: there is none. */
struct str credentials_namesake(const struct token_sources *sources, struct arena *arena, struct str header);
/* The protocols that the client of a handshake offers (RFC 6455 section 1.9), without
 * the ones that carry its token: what the application is to choose from; empty only
 * where nothing was offered. In the arena; STR_NONE when it is used up. */
struct str credentials_websocket_rest(const struct token_sources *sources, struct arena *arena,
				      const struct request *request);
/* A target (path and query) without the query parameters in which any policy of the
 * snapshot looks for a token: in an address that is shown or handed on it would leak.
 * STR_NONE: the arena is used up. */
struct str credentials_hide(const struct snapshot *snapshot, struct arena *arena, struct str target);
/* The cookie of that name in chunks, joined in the arena: the same errors. */
enum err credentials_join(struct arena *arena, struct str header, struct str name, struct str *out);

#endif
