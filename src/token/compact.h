/* SPDX-License-Identifier: Apache-2.0 */
/* What the compact forms of JWS and JWE have in common: their parts and header. */
#ifndef TOKEN_COMPACT_H
#define TOKEN_COMPACT_H

#include "token/json.h"

/* Decode strict base64url into the arena. false: it is none, or the arena is used up. */
bool compact_decode(struct arena *arena, struct str part, struct str *out);
/* Parse strict JSON that has to be an object. */
bool compact_object(struct arena *arena, struct str bytes, const struct json **out);
/* Decode and parse a header. false also for "crit", "b64" and "zip", of which
 * none is understood here: a token that has one means something else than what
 * would be read (RFC 7515 section 4.1.11, RFC 7797, RFC 7516 section 4.1.3); and
 * for "kid" and "typ" that are no strings. */
bool compact_header(struct arena *arena, struct str part, const struct json **out);

#endif
