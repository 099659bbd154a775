/* SPDX-License-Identifier: Apache-2.0 */
/* The cookies that this product sets and deletes, and which of them may carry tokens. */
#ifndef POLICY_COOKIES_H
#define POLICY_COOKIES_H

#include "policy/call.h"

/* A cookie-name (RFC 6265 section 4.1.1). */
bool cookies_name_is_valid(struct str name);
/* Can it stand in an attribute, a path for one? */
bool cookies_attribute_is_valid(struct str value);
/* A host name in lower case; one leading dot is taken. */
bool cookies_domain_is_valid(struct str domain);
/* Names that browsers hold to promises (RFC 6265bis section 4.1.3), in any case
 * of letters: __Host- wants Secure, Path=/ and no Domain, __Secure- wants Secure. */
bool cookies_prefix_is_host(struct str name);
bool cookies_prefix_is_secure(struct str name);

/* The names of cookies that may carry a token: the login's, then the issuers'. */
const struct str *cookies_with_tokens(struct worker *worker, size_t *n);
/* The next value of that name in the header: begin with *rest = the header.
 * Unlike cookie_find it gives every one of several values. */
bool cookies_next_value(struct str *rest, struct str name, struct str *value);

/* Add a Set-Cookie line. false: it does not fit into a line. */
bool cookies_set(const struct call *call, struct str name, struct str value,
		 const struct cookie_attributes *attributes);
/* Two cookies of the login's name have come: delete the ones that the next login
 * will not replace, wherever a sibling site may have planted them. */
void cookies_clear_twins(const struct call *call, struct str name);
/* Delete the login's cookie, the issuers', those of [logout] cookies and of [upstream]
 * pass-cookies, and of what the request brought their chunks NAME.0 … NAME.99, the same names with and without
 * "__Secure-" and "__Host-", and what belongs to them: the csrf-token and callback-url
 * of NextAuth and Auth.js, session_data and dont_remember of Better Auth, __client_uat
 * and names with a suffix of Clerk. Those that came are deleted for the parent domains
 * of the host too. */
void cookies_clear_all(const struct call *call);

#endif
