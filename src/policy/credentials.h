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

/* The first carrier of the policy that has something decides, whether it is
 * good or not: no second one is tried. ERR_NO_TOKEN, ERR_AMBIGUOUS_TOKEN (two
 * different ones), ERR_TOKEN_MALFORMED ("Bearer" without one blank and a token). */
enum err credentials_find(const struct policy *policy, const struct request *request, struct credentials *out);
/* The same over given cookie names: for login and logout, which have no policy. */
enum err credentials_find_in(const enum carrier *carriers, size_t n_carriers, const struct str *cookies,
			     size_t n_cookies, const struct request *request, struct credentials *out);

#endif
