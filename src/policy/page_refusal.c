/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals: as JSON for programs, as a page for people, who are told more kindly. */
#include "policy/pages.h"

#include <string.h>

static const char *heading_of(int status)
{
	switch (status) {
	case 401: return N_("Sign in");
	case 403: return N_("Not allowed");
	case 404: return N_("Not found");
	case 502:
	case 503:
	case 504: return N_("Temporarily unavailable");
	default: return status < 500 ? N_("That did not work") : N_("Something went wrong");
	}
}

/* What a person is told instead of the error's own text. */
static const char *text_of(enum err err, const char *text)
{
	if (text && strcmp(text, err_row(err)->text) != 0)
		return text;
	switch (err) {
	case ERR_NO_TOKEN: return N_("Please sign in first.");
	case ERR_NO_POLICY:
	case ERR_UNTRUSTED_PROXY:
	case ERR_RULE_FAILED: return N_("Your account may not open this page.");
	case ERR_USER_MISMATCH: return N_("This page belongs to another account.");
	case ERR_USER_INACTIVE:
	case ERR_USER_UNKNOWN: return N_("Your account is not active. Ask the administrator of this site.");
	case ERR_CROSS_SITE:
		return N_("This form has expired or came from another site. Go back, load the page again, and send the "
			  "form once more.");
	case ERR_NOT_FOUND: return N_("There is no page at this address.");
	default: return err_row(err)->status < 500 ? err_row(err)->text : N_("Please try again in a few seconds.");
	}
}

struct page *page_refusal(struct worker *worker, const struct request *request, enum err err, int status,
			  const char *text)
{
	struct page *page = page_open(worker, request, "message");
	page_text(page, "heading", str_of(heading_of(status)));
	page_text(page, "text", str_of(text_of(err, text)));
	if (status >= 500)
		page_text(page, "detail",
			  STR("If it does not get better, tell the administrator of this site the number below."));
	return page;
}

struct str page_refusal_json_text(struct arena *arena, enum err err, const char *detail, const char *request_id,
				  struct str login_url)
{
	enum { REFUSAL_MAX = 4096 };
	const struct err_row *row = err_row(err);
	struct buf b = arena_buf(arena, REFUSAL_MAX);
	buf_add(&b, STR("{\"error\":"));
	buf_json(&b, str_of(row->rfc6750 ? row->rfc6750 : row->reason));
	buf_add(&b, STR(",\"detail\":"));
	buf_json(&b, str_of(detail));
	buf_add(&b, STR(",\"reason\":"));
	buf_json(&b, str_of(row->reason));
	buf_add(&b, STR(",\"request_id\":"));
	buf_json(&b, str_of(request_id));
	size_t without = b.n;
	if (login_url.p) {
		buf_add(&b, STR(",\"login_url\":"));
		buf_json(&b, login_url);
	}
	/* A login URL that does not fit is left out: the rest must stay whole JSON. */
	if (b.full || b.cap - b.n < 2) {
		b.n = without;
		b.full = b.cap == 0;
	}
	buf_add(&b, STR("}\n"));
	return buf_str(&b);
}

struct str page_refusal_json(struct arena *arena, enum err err, const char *request_id, struct str login_url)
{
	return page_refusal_json_text(arena, err, err_row(err)->text, request_id, login_url);
}
