/* SPDX-License-Identifier: Apache-2.0 */
/* Which form a token has. */
#include "token/token.h"

#include "token/jwe.h"
#include "token/jws.h"

static size_t count_dots(struct str text)
{
	size_t dots = 0;
	/* More than four are as good as five. */
	for (size_t i = 0; i < text.n && dots < 5; i++)
		dots += text.p[i] == '.';
	return dots;
}

enum err token_parse(struct arena *arena, struct str text, struct token *out)
{
	if (text.n == 0 || text.n > TOKEN_MAX)
		return ERR_TOKEN_MALFORMED;
	switch (count_dots(text)) {
	case 2:
		return jws_parse_claims(arena, text, out);
	case 4:
		return jwe_parse(arena, text, out);
	default:
		*out = (struct token){.form = TOKEN_OTHER, .text = text};
		return ERR_NONE;
	}
}
