/* SPDX-License-Identifier: Apache-2.0 */
/* Whose token is it? Decided before any cryptography, by what the policy, the
 * cookie and the token itself say; never by trying until something works. */
#ifndef POLICY_ISSUER_CHOICE_H
#define POLICY_ISSUER_CHOICE_H

#include "policy/access.h"

/* The only issuer of the policy, if there is one. Else those that the token's
 * cookie belongs to, when there are any; of these, those that take its form; for a
 * signed token, those whose list has its iss, when there are none those without a
 * list; and last the one whose algorithms and keys fit. As soon as one alone is
 * left it is that one: its own check names what is wrong. token->cookie must be set.
 * ERR_TOKEN_MALFORMED for a text that none can read, ERR_BAD_ALGORITHM for
 * a form that none takes, ERR_BAD_ISSUER when none is left, or more than one;
 * ERR_INTERNAL when the arena is used up. */
enum err issuer_choose(struct arena *arena, const struct issuer_set *issuers, const struct token *token,
		       struct issuer **out);
/* Bytes of the longest token that one of them takes. */
size_t issuer_longest_token(const struct issuer_set *issuers);
/* Is the text short enough for one of them? ERR_TOKEN_MALFORMED. */
enum err issuer_check_size(const struct issuer_set *issuers, struct str text);

#endif
