/* SPDX-License-Identifier: Apache-2.0 */
/* A token as it came, taken apart: signed (RFC 7515), encrypted (RFC 7516), or
 * what an issuer has of its own. */
#ifndef TOKEN_TOKEN_H
#define TOKEN_TOKEN_H

#include "base/err.h"
#include "token/json.h"

/* No token is longer than this, whatever the configuration says. */
enum { TOKEN_MAX = 128 << 10 };

enum token_form {
	TOKEN_JWS,  /* three parts: a compact JWS whose payload is a JSON object */
	TOKEN_JWE,  /* five parts: a compact JWE */
	TOKEN_OTHER /* neither; only its issuer's driver can read it */
};

/* For sets of forms. */
#define TOKEN_FORM(form) (1U << (form))

struct token {
	enum token_form form;
	struct str text;   /* all of it */
	struct str cookie; /* name of the cookie it came in, STR_NONE for a bearer token */
	/* What revocations name when there is no jti: no other text that would be
	 * accepted stands for the same token. "header.payload" of a JWS, all of a JWE;
	 * the driver sets it for TOKEN_OTHER. */
	struct str canonical;
	const struct json *header; /* of JWS and JWE: an object */
	/* The claims set, an object: of a JWS not trusted before its signature is
	 * verified, of others NULL until they are. */
	const struct json *payload;
	struct str payload_bytes; /* JWS: decoded */
	struct str signature;	  /* JWS: decoded */
	struct {		  /* JWE: decoded, but for header and encrypted key */
		struct str header; /* as it came: the additional authenticated data */
		struct str encrypted_key; /* as it came */
		struct str iv, ciphertext, tag;
	} jwe;
};

/* Take a token apart. Two dots make it a JWS (jws.h says what is refused), four a
 * JWE (jwe.h), anything else is TOKEN_OTHER with nothing but its text.
 * ERR_TOKEN_MALFORMED. cookie is left to the caller. */
enum err token_parse(struct arena *arena, struct str text, struct token *out);

#endif
