/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the token in a request. */
#include "policy/credentials.h"

#include "http/cookie.h"

/* RFC 6750 section 2.1: the scheme in any case, one blank, the token. */
static enum err find_bearer(struct str header, struct credentials *out)
{
	size_t scheme = 0;
	while (scheme < header.n && header.p[scheme] != ' ' && header.p[scheme] != '\t' && header.p[scheme] != ',')
		scheme++;
	if (!str_eq_nocase((struct str){header.p, scheme}, STR("Bearer")))
		return ERR_NO_TOKEN;
	struct str token = str_skip(header, scheme);
	out->carrier = CARRIER_BEARER;
	/* A web server joins two headers with a comma: "Bearer A, Bearer B". */
	if (str_find(token, ',') < token.n)
		return ERR_AMBIGUOUS_TOKEN;
	if (token.n < 2 || token.p[0] != ' ' || token.p[1] == ' ' || token.p[1] == '\t')
		return ERR_TOKEN_MALFORMED;
	out->token = str_skip(token, 1);
	return ERR_NONE;
}

static enum err find_cookie(const struct str *names, size_t n, struct str header, struct credentials *out)
{
	for (size_t i = 0; i < n; i++) {
		struct str value = STR_NONE;
		unsigned found = cookie_find(header, names[i], &value);
		if (found == 0 || (found == 1 && value.n == 0))
			continue;
		out->carrier = CARRIER_COOKIE;
		out->cookie = names[i];
		out->token = value;
		return found > 1 ? ERR_AMBIGUOUS_TOKEN : ERR_NONE;
	}
	return ERR_NO_TOKEN;
}

enum err credentials_find(const struct token_sources *sources, const struct request *request, struct credentials *out)
{
	*out = (struct credentials){0};
	for (size_t i = 0; i < sources->n_carriers; i++) {
		enum err err = sources->carriers[i] == CARRIER_BEARER
				       ? find_bearer(request->authorization, out)
				       : find_cookie(sources->cookies, sources->n_cookies, request->cookie, out);
		if (err != ERR_NO_TOKEN)
			return err;
	}
	return ERR_NO_TOKEN;
}
