/* SPDX-License-Identifier: Apache-2.0 */
/* GET /logo: the site's own picture on the pages. */
#include "policy/login_routes.h"

void login_logo(const struct call *call)
{
	const struct page_set *pages = call->worker->snapshot->pages;
	if (!pages->logo.p) {
		call_refuse(call, ERR_NOT_FOUND);
		return;
	}
	call_begin(call, 200);
	/* A picture of SVG may have scripts; opened by itself it would run them as this site. */
	reply_header(call->reply, "Content-Security-Policy",
		     STR("default-src 'none'; style-src 'unsafe-inline'; sandbox"));
	reply_body(call->reply, pages->logo_type, pages->logo);
}
