/* SPDX-License-Identifier: Apache-2.0 */
/* Person or program, this site or another: read from the request's headers. */
#include "http/negotiate.h"

#include <string.h>

#include "http/form_data.h"

static bool names_html(struct str accept)
{
	return accept.n >= 9 && memmem(accept.p, accept.n, "text/html", 9) != NULL;
}

static bool navigates(const struct request *request)
{
	if (request->sec_fetch_mode.n || request->sec_fetch_site.n || request->sec_fetch_dest.n)
		return str_eq(request->sec_fetch_mode, STR("navigate"));
	return names_html(request->accept) && request->requested_with.n == 0;
}

bool negotiate_navigation(const struct request *request)
{
	bool reads = str_eq(request->method, STR("GET")) || str_eq(request->method, STR("HEAD"));
	return reads && !request->websocket && navigates(request);
}

bool negotiate_form(const struct request *request)
{
	enum form_encoding encoding;
	bool whole = !request->sec_fetch_dest.n || str_eq(request->sec_fetch_dest, STR("document"));
	return str_eq(request->method, STR("POST")) && whole && navigates(request) &&
	       form_data_encoding(request->content_type, &encoding) && negotiate_same_origin(request);
}

bool negotiate_html(const struct request *request)
{
	if (request->requested_with.n)
		return false;
	return str_eq(request->sec_fetch_mode, STR("navigate")) || names_html(request->accept);
}

bool negotiate_own_origin(const struct request *request)
{
	struct str origin = request->origin;
	struct str scheme = request->https ? STR("https://") : STR("http://");
	return str_starts(origin, scheme) && str_eq_nocase(str_skip(origin, scheme.n), request->authority);
}

bool negotiate_same_origin(const struct request *request)
{
	if (request->origin.n && !negotiate_own_origin(request))
		return false;
	if (request->sec_fetch_site.n)
		return str_eq(request->sec_fetch_site, STR("same-origin"));
	return request->origin.n > 0;
}

/* Thousandths; 0 for what is no weight. */
static unsigned weight_of(struct str parameters)
{
	struct str part;
	while (str_split(&parameters, ';', &part)) {
		part = str_trim(part);
		if (part.n < 3 || (part.p[0] != 'q' && part.p[0] != 'Q') || part.p[1] != '=')
			continue;
		if (part.p[2] == '1')
			return 1000;
		unsigned weight = 0, digit = 100;
		for (size_t i = 4; i < part.n && i < 7 && part.p[2] == '0' && part.p[3] == '.'; i++, digit /= 10)
			weight += part.p[i] >= '0' && part.p[i] <= '9' ? (unsigned)(part.p[i] - '0') * digit : 0;
		return weight;
	}
	return 1000;
}

/* The offered language of that range; n when there is none. */
static size_t offered_for(struct str range, const struct str *offered, size_t n)
{
	while (range.n) {
		for (size_t i = 0; i < n; i++)
			if (str_eq_nocase(offered[i], range))
				return i;
		size_t cut = range.n - 1;
		while (cut > 0 && range.p[cut] != '-')
			cut--;
		range.n = cut;
	}
	return n;
}

size_t negotiate_language(struct str accept, const struct str *offered, size_t n)
{
	size_t best = 0;
	unsigned best_weight = 0;
	struct str entry;
	while (accept.p && str_split(&accept, ',', &entry)) {
		size_t semicolon = str_find(entry, ';');
		struct str range = str_trim((struct str){entry.p, semicolon});
		unsigned weight = semicolon < entry.n ? weight_of(str_skip(entry, semicolon + 1)) : 1000;
		size_t found = offered_for(range, offered, n);
		if (found < n && weight > best_weight) {
			best = found;
			best_weight = weight;
		}
	}
	return best;
}
