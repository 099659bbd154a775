/* SPDX-License-Identifier: Apache-2.0 */
/* Who signs tokens: the driver contract, and what the pipeline needs of it. */
#ifndef TOKEN_ISSUER_H
#define TOKEN_ISSUER_H

#include "base/conf.h"
#include "base/err.h"
#include "token/claims.h"
#include "token/digest.h"
#include "token/jws.h"

/* [issuer "NAME"] */
struct issuer_conf {
	struct conf_text type; /* name of a driver */
	struct conf_list iss, audience, authorized_parties, algorithms, secret, typ, user_id;
	int64_t leeway; /* milliseconds; negative: the type's */
	bool require_exp;
	int64_t max_lifetime; /* milliseconds, 0 for none */
	struct conf_text cookie;
	bool allow_short_secret;
};

extern const struct conf_kind issuer_kind;

/* An issuer with its keys: immutable, shared by all workers but for the slots.
 * It points into the configuration, which must outlive it. */
struct issuer;

struct issuer_driver {
	const char *name; /* value of `type` */
	int64_t leeway;	  /* seconds, when the configuration says none */
	/* Check the options of this type and load its keys into the issuer. */
	bool (*open)(const struct conf_section *section, struct issuer *issuer, struct conf_error *error);
	/* Is the signature one of this issuer's? Claims are checked by issuer_verify. */
	enum err (*verify_signature)(const struct issuer *issuer, struct token_thread *thread,
				     const struct token *token);
	/* Sign a claims set; NULL where the type cannot. */
	bool (*sign)(const struct issuer *issuer, struct token_thread *thread, struct str claims_json,
		     struct buf *token);
};

extern const struct issuer_driver *const issuer_drivers[];

/* Open the issuer that the section describes; slots is the number of workers. */
bool issuer_open(const struct conf_section *section, unsigned slots, struct issuer **out, struct conf_error *error);
void issuer_close(struct issuer **issuer);
struct str issuer_name(const struct issuer *issuer);
/* The cookie that carries its tokens, or STR_NONE. */
struct str issuer_cookie(const struct issuer *issuer);
/* Has it an iss list that the token's iss is in? An issuer without a list takes any: has_list false. */
bool issuer_claims_iss(const struct issuer *issuer, struct str iss, bool *has_list);

/* Signature, then claims at time now (seconds): typ, iss, aud, azp, user id,
 * lifetime, nbf, exp (claims.h says which errors). On ERR_TOKEN_EXPIRED *out is
 * filled as well: logout may revoke an expired token whose signature is right. */
enum err issuer_verify(const struct issuer *issuer, struct token_thread *thread, const struct token *token,
		       int64_t now, struct claims *out);

/* Sign a token with the issuer's first key. members is JSON text without braces
 * ("\"email\":\"a@b\""), may be empty; sub, iat, exp, a random jti, and the first
 * iss and aud of the configuration are added, so members must have none of them.
 * ERR_INTERNAL when the issuer cannot sign, and for what no token can be made of. */
struct issue {
	struct str user_id;
	struct str members;
	int64_t now, lifetime; /* seconds */
};
enum err issuer_sign(const struct issuer *issuer, struct token_thread *thread, struct arena *arena,
		     const struct issue *issue, struct str *token);

#endif
