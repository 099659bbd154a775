/* SPDX-License-Identifier: Apache-2.0 */
/* (under construction) */
#include "policy/api_key.h"

#include "base/err.h"

bool api_key_is(struct str text)
{
	(void)text;
	return false;
}

enum err api_key_verify(struct worker *worker, struct str text, struct claims *out)
{
	(void)worker;
	(void)text;
	(void)out;
	return ERR_UNKNOWN_KEY;
}
