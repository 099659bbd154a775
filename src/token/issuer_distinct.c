/* SPDX-License-Identifier: Apache-2.0 */
/* Can two issuers' tokens be told apart? Asked when a policy accepts both. */
#include "token/issuer_internal.h"

static bool share(const struct conf_list *a, const struct conf_list *b)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < b->n; j++)
			if (str_eq(a->items[i].value, b->items[j].value))
				return true;
	return false;
}

/* Where only one has a list, the other gets what is not in it. */
static bool differ_in_iss(const struct issuer *a, const struct issuer *b)
{
	return (a->rules.iss.n > 0 || b->rules.iss.n > 0) && !share(&a->rules.iss, &b->rules.iss);
}

static bool differ_in_cookie(const struct issuer *a, const struct issuer *b)
{
	return a->cookies.n > 0 && b->cookies.n > 0 && !share(&a->cookies, &b->cookies);
}

/* A token names its algorithm, and the key where every key has a name. */
static bool differ_signed(const struct issuer *a, const struct issuer *b)
{
	return differ_in_iss(a, b) || !(a->algorithms.bits & b->algorithms.bits) || (a->has_kids && b->has_kids);
}

/* What iss it has is not seen before it is decrypted. */
static bool differ_encrypted(const struct issuer *a, const struct issuer *b)
{
	return !(a->encryptions.bits & b->encryptions.bits) || (a->has_kids && b->has_kids);
}

bool issuer_differs(const struct issuer *a, const struct issuer *b)
{
	unsigned both = a->forms & b->forms;
	if (differ_in_cookie(a, b))
		return true;
	return !(both & TOKEN_FORM(TOKEN_OTHER)) && (!(both & TOKEN_FORM(TOKEN_JWS)) || differ_signed(a, b)) &&
	       (!(both & TOKEN_FORM(TOKEN_JWE)) || differ_encrypted(a, b));
}
