/* SPDX-License-Identifier: Apache-2.0 */
/* Who makes tokens: the driver contract, and what the pipeline needs of it. */
#ifndef TOKEN_ISSUER_H
#define TOKEN_ISSUER_H

#include "base/conf.h"
#include "base/err.h"
#include "token/claims.h"
#include "token/digest.h"
#include "token/encryption.h"
#include "token/key_source.h"
#include "token/token.h"

/* [issuer "NAME"]. What is not given is the type's own: lists are empty then, and
 * leeway is negative. */
struct issuer_conf {
	struct conf_text type; /* name of a driver */
	struct conf_list iss, audience, authorized_parties, algorithms, encryption;
	struct conf_list secret, public_key;
	struct conf_text key_ring, jwks;
	int64_t jwks_refresh, jwks_cooldown, jwks_stale; /* milliseconds */
	bool allow_plain_http;
	struct conf_list typ, user_id;
	int64_t leeway; /* milliseconds */
	bool require_exp;
	int64_t max_lifetime; /* milliseconds, 0 for none */
	struct conf_list cookie;
	struct conf_text salt;
	bool allow_short_secret;
	struct conf_text session_url;
	int64_t session_ttl; /* milliseconds */
	int64_t max_token;   /* bytes */
};

extern const struct conf_kind issuer_kind;

/* An issuer with its keys: immutable but for a key source, shared by all workers.
 * It points into the configuration, which must outlive it. */
struct issuer;

/* What a type has where the configuration says nothing; each list ends with NULL. */
struct issuer_defaults {
	const char *const *cookies, *const *user_id, *const *typ, *const *algorithms;
	int64_t leeway; /* seconds */
	/* iat in the future is refused as nbf is. */
	bool check_iat;
	/* Its tokens have neither iss nor aud. */
	bool anonymous;
};

/* How to ask about an opaque session, which only the issuer's server knows. */
struct issuer_session {
	struct str url;
	struct str header; /* "Cookie: …" or "Authorization: …" */
	int64_t ttl;	   /* seconds that an answer may be used again */
	bool allow_plain_http;
};

/* A member of the header that check looks at, and what it wants, for people. */
struct issuer_header {
	const char *name, *wanted;
};

/* A key, for people: nothing of it that is secret. */
struct issuer_key {
	const char *algorithm; /* or encryption */
	struct str kid;	       /* STR_NONE: none */
	size_t bits;	       /* of the secret, the modulus, the curve */
};
typedef void issuer_key_visit(void *context, const struct issuer_key *key);

struct issuer_driver {
	const char *name; /* value of `type` */
	/* The options that it has beside those of every type; ends with NULL. */
	const char *const *options;
	unsigned forms;	  /* that its tokens may have: TOKEN_FORM() bits */
	const struct issuer_header *headers; /* ends with a row without name; NULL: none */
	struct issuer_defaults defaults;
	/* Check the options of this type and load its keys into the issuer. */
	bool (*open)(const struct conf_section *section, struct issuer *issuer, struct conf_error *error);
	/* Free what is in issuer->own; NULL when there is nothing. */
	void (*close)(struct issuer *issuer);
	/* Visit the keys that are not in issuer->keys; NULL when there are none. */
	void (*each_key)(const struct issuer *issuer, issuer_key_visit *visit, void *context);
	/* Could the token be one of this issuer's, by its form, cookie, alg, enc and
	 * kid? Decides among several issuers where iss does not; no cryptography. */
	bool (*fits)(const struct issuer *issuer, const struct token *token);
	/* Is it authentic: is the signature right, can it be decrypted? Sets payload
	 * and canonical where the form leaves them open. ERR_BAD_ALGORITHM,
	 * ERR_UNKNOWN_KEY, ERR_BAD_SIGNATURE, ERR_DECRYPT_FAILED, ERR_TOKEN_MALFORMED,
	 * ERR_KEYS (none have been fetched yet), ERR_INTERNAL. */
	enum err (*authenticate)(const struct issuer *issuer, struct token_thread *thread, struct arena *arena,
				 struct token *token);
	/* Change a copy of the issuer's rules to those for this kind of token, before
	 * its claims are judged. NULL: they are the same for all. */
	void (*adapt)(const struct issuer *issuer, const struct token *token, struct claims_rules *rules);
	/* What the claims must say beyond claims_check, and claims that are derived
	 * from others: may set claims->all, and lower claims->exp. NULL for nothing. */
	enum err (*check)(const struct issuer *issuer, struct arena *arena, const struct token *token,
			  struct claims *claims);
	/* As issuer_session(); NULL where the type has no opaque sessions. */
	enum err (*session)(const struct issuer *issuer, struct arena *arena, struct token *token,
			    struct issuer_session *out);
	/* Of an opaque session the claims set, from the answer
	 * of session-url. ERR_TOKEN_EXPIRED when it says that there is no session,
	 * ERR_PROFILE when it says anything else. NULL where the type has none. */
	enum err (*read_session)(const struct issuer *issuer, struct arena *arena, struct str answer,
				 struct token *token);
	/* Sign a claims set; NULL where the type cannot. */
	bool (*sign)(const struct issuer *issuer, struct token_thread *thread, struct str claims_json,
		     struct buf *token);
};

extern const struct issuer_driver *const issuer_drivers[];

/* Open the issuer that the section describes; slots is the number of workers. */
bool issuer_open(const struct conf_section *section, unsigned slots, struct issuer **out, struct conf_error *error);
void issuer_close(struct issuer **issuer);
struct str issuer_name(const struct issuer *issuer);
/* The cookies that carry its tokens, the one to look for first first. */
struct conf_list issuer_cookies(const struct issuer *issuer);
/* Has it an iss list that the token's iss is in? An issuer without a list takes any: has_list false. */
bool issuer_claims_iss(const struct issuer *issuer, struct str iss, bool *has_list);
/* The keys of the configuration; fetched ones are not among them. */
const struct key_set *issuer_keys(const struct issuer *issuer);
/* Does its type issue tokens, and is the first key one that signs? */
bool issuer_can_sign(const struct issuer *issuer);
/* Every key that tokens are verified or decrypted with now. false: they have to be
 * fetched, and none have been. */
bool issuer_each_key(const struct issuer *issuer, issuer_key_visit *visit, void *context);
/* What it wants of a token beside its keys. */
struct issuer_wants {
	const char *type;
	unsigned forms; /* TOKEN_FORM() bits */
	struct algorithm_set algorithms;
	struct encryption_set encryptions;
	const struct claims_rules *rules;
	const struct issuer_header *headers; /* of the driver */
};
struct issuer_wants issuer_wants(const struct issuer *issuer);
/* Does it take tokens of that form? */
bool issuer_takes(const struct issuer *issuer, enum token_form form);
/* Can tokens of the two be told apart before any key is tried: by form, cookie,
 * iss, algorithm or kid? Where only the cookie tells, a bearer token does not. */
bool issuer_differs(const struct issuer *a, const struct issuer *b);
/* The driver's fits. */
bool issuer_fits(const struct issuer *issuer, const struct token *token);
/* Bytes of the longest token that it takes. */
size_t issuer_max_token(const struct issuer *issuer);

/* Where the keys of a JWK Set come from that has to be fetched. */
struct issuer_jwks {
	struct str url; /* STR_NONE: nothing has to be fetched */
	int64_t refresh, cooldown, stale; /* milliseconds */
	struct algorithm_set algorithms;
	bool allow_plain_http;
};
struct issuer_jwks issuer_jwks(const struct issuer *issuer);
/* Where its fetched keys are to be found from now on; before any worker uses the issuer. */
void issuer_set_source(struct issuer *issuer, struct key_source *source);

/* What a token is verified with. */
struct verification {
	struct token_thread *thread; /* NULL: nothing is kept from one token to the next */
	struct arena *arena;
	int64_t now; /* seconds */
};

/* Authentic, then claims at that time: typ, iss, aud, azp, user id,
 * lifetime, nbf, exp (claims.h says which errors), then the driver's check. On
 * ERR_TOKEN_EXPIRED *out is filled as well: logout may revoke an expired token
 * that is authentic. token->cookie must be set. */
enum err issuer_verify(const struct issuer *issuer, const struct verification *with, struct token *token,
		       struct claims *out);

/* Authentic alone, whatever its claims say: for tokens that are none for access. */
enum err issuer_authenticate(const struct issuer *issuer, const struct verification *with, struct token *token);

/* Is the token an opaque session? Then what to ask with; its own signature, where it has one, has
 * been checked: ERR_NONE. Otherwise ERR_BAD_SIGNATURE or ERR_TOKEN_MALFORMED; not
 * an opaque session at all: ERR_NOT_FOUND. Sets token->canonical. */
enum err issuer_session(const struct issuer *issuer, struct arena *arena, struct token *token,
			struct issuer_session *out);
/* issuer_verify, for a session and the answer that came. */
enum err issuer_verify_session(const struct issuer *issuer, const struct verification *with, struct str answer,
			       struct token *token, struct claims *out);

/* Sign a token with the issuer's first key. members is JSON text without braces
 * ("\"email\":\"a@b\""), may be empty; sub, iat, exp, a random jti, and the first
 * iss and aud of the configuration are added, so members must have none of them.
 * ERR_INTERNAL when the issuer cannot sign, and for what no token can be made of. */
enum { ISSUED_MAX = 16 << 10 }; /* bytes of a token that is issued */
struct issue {
	struct str user_id;
	struct str members;
	int64_t now, lifetime; /* seconds */
	struct str jti;	       /* STR_NONE: a random one */
};
enum err issuer_sign(const struct issuer *issuer, struct token_thread *thread, struct arena *arena,
		     const struct issue *issue, struct str *token);

#endif
