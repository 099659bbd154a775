/* SPDX-License-Identifier: Apache-2.0 */
/* Person or program, this site or another: read from the request's headers. */
#include "http/negotiate.h"

#include <string.h>

static bool names_html(struct str accept)
{
	return accept.n >= 9 && memmem(accept.p, accept.n, "text/html", 9) != NULL;
}

bool negotiate_navigation(const struct request *request)
{
	if (request->websocket || (!str_eq(request->method, STR("GET")) && !str_eq(request->method, STR("HEAD"))))
		return false;
	if (request->sec_fetch_mode.n || request->sec_fetch_site.n || request->sec_fetch_dest.n)
		return str_eq(request->sec_fetch_mode, STR("navigate"));
	return names_html(request->accept) && request->requested_with.n == 0;
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
