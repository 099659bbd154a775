/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a request the token is. */
#ifndef POLICY_CREDENTIALS_H
#define POLICY_CREDENTIALS_H

#include "policy/access.h"

struct credentials {
	struct str token;
	enum carrier carrier;
	struct str cookie; /* its name, for CARRIER_COOKIE, also with ERR_AMBIGUOUS_TOKEN */
};

/* The first carrier that has something decides, whether it is
 * good or not: no second one is tried. ERR_NO_TOKEN, ERR_AMBIGUOUS_TOKEN (two
 * different ones), ERR_TOKEN_MALFORMED ("Bearer" without one blank and a token). */
enum err credentials_find(const struct token_sources *sources, const struct request *request,
			  struct credentials *out);

#endif
