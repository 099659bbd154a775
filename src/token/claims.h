/* SPDX-License-Identifier: Apache-2.0 */
/* What a verified token says (RFC 7519). */
#ifndef TOKEN_CLAIMS_H
#define TOKEN_CLAIMS_H

#include "base/conf.h"
#include "token/jws.h"

enum { TIME_ABSENT = -1, USER_ID_MAX = 255 };

struct claims {
	const struct json *all; /* the claims set, an object */
	struct str user_id;	/* never empty, no control bytes, no blank at either end */
	bool user_id_is_number; /* in the token, as auth servers in Ruby write it */
	struct str iss, jti, sid; /* never empty, or STR_NONE */
	int64_t exp, iat, nbf;	/* seconds, or TIME_ABSENT */
	int64_t auth_time;	/* of a login of ours: when it was, however often the token was renewed; else 0 */
	int64_t leeway;		/* seconds, of the issuer that vouches for it */
	bool renewable; /* later tokens may have this jti and another exp: a revocation must outlive this one */
	int64_t ask_again_ms;	/* its server has been asked, and will be from then on (monotonic); 0: it need not */
	struct str issuer;	/* the issuer's name in the configuration */
	struct str kid;		/* of the header, for the log */
};

/* How old is it for max-age? Its iat, or the login before it; TIME_ABSENT. */
int64_t claims_since(const struct claims *claims);

/* What an issuer wants of its tokens; an empty list wants nothing. */
struct claims_rules {
	struct conf_list typ; /* of the header: RFC 7515 section 4.1.9, without regard to case and "application/" */
	struct conf_list iss, audience, authorized_parties; /* one of each, exactly */
	struct conf_list user_id; /* paths (json.h): the first that is there counts */
	bool require_exp, check_iat; /* check_iat: refuse an iat in the future */
	int64_t leeway, max_lifetime; /* seconds; no max_lifetime: 0 */
};

/* Judge a token whose signature is right at time now (seconds).
 * ERR_BAD_ISSUER, ERR_BAD_AUDIENCE, ERR_BAD_PARTY; ERR_BAD_CLAIM for typ (logout
 * tokens and other security events are none for access, RFC 8417), user id,
 * lifetime, and a claim of the wrong type or missing; ERR_NOT_YET_VALID; last of
 * all ERR_TOKEN_EXPIRED: then *out is filled as well. kid is; issuer is not. */
enum err claims_check(const struct claims_rules *rules, const struct token *token, int64_t now, struct claims *out);
/* Is the exp over, leeway and all? */
bool claims_expired(const struct claims *claims, int64_t now);
/* Can it be a user id? 1 to USER_ID_MAX bytes of UTF-8, no control bytes, and no
 * blank at either end: web servers cut those off, and two users would become one. */
bool claims_user_id_valid(struct str id);

#endif
