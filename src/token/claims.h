/* SPDX-License-Identifier: Apache-2.0 */
/* What a verified token says (RFC 7519). */
#ifndef TOKEN_CLAIMS_H
#define TOKEN_CLAIMS_H

#include "token/json.h"

enum { TIME_ABSENT = -1 };

struct claims {
	const struct json *all; /* the claims set, an object */
	struct str user_id;	/* never empty, no control bytes */
	struct str iss, jti, sid; /* or STR_NONE */
	int64_t exp, iat, nbf;	/* seconds, or TIME_ABSENT */
	int64_t leeway;		/* seconds, of the issuer that vouches for it */
	struct str issuer;	/* the issuer's name in the configuration */
	struct str kid;		/* of the header, for the log */
};

#endif
