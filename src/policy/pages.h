/* SPDX-License-Identifier: Apache-2.0 */
/* The HTML pages, and the one JSON form of refusals. */
#ifndef POLICY_PAGES_H
#define POLICY_PAGES_H

#include "http/reply.h"
#include "policy/runtime.h"

struct page_login {
	struct str title;     /* of the site */
	struct str action;    /* where the form goes */
	struct str csrf;      /* hidden field */
	struct str cookie;    /* Set-Cookie of the form token; may be STR_NONE */
	struct str return_to; /* hidden field `rd`; may be STR_NONE */
	struct str user;      /* what was typed before */
	const char *message;  /* why it did not work, or NULL */
	int64_t retry_after;  /* seconds until it may; 0: at once */
};

struct page_logout {
	struct str csrf, cookie; /* as above */
	bool everywhere;	 /* it will end all of the user's sessions */
};

/* Each begins the reply, sets the security headers (strict CSP, no-store,
 * nosniff, no framing) and ends it. Everything foreign is escaped. */
void page_login(struct worker *worker, struct reply *reply, int status, const struct page_login *page);
void page_logout(struct worker *worker, struct reply *reply, const struct page_logout *page);
/* One message, with the request id and a link; for errors and "not allowed". */
struct page_message {
	struct str title;
	const char *heading, *text;
	struct str detail;    /* e.g. the account; may be STR_NONE */
	struct str link;      /* may be STR_NONE; left out when it is very long */
	const char *link_text;
	const char *request_id;
};
void page_message(struct worker *worker, struct reply *reply, int status, const struct page_message *page);
/* As page_message, into a reply whose status, Cache-Control and other headers the
 * caller has set. The body stays below 8000 bytes. */
void page_message_body(struct worker *worker, struct reply *reply, const struct page_message *page);

/* {"error","detail","reason","request_id","login_url"} for the error, HTML-safe. */
struct str page_refusal_json(struct arena *arena, enum err err, const char *request_id, struct str login_url);
/* The same with a text of its own instead of the error's, which says more to the one who asked. */
struct str page_refusal_json_text(struct arena *arena, enum err err, const char *detail, const char *request_id,
				  struct str login_url);

/* The style sheet in every page, and its hash as the CSP header names it
 * ("sha256-…"): a unit test keeps the two together. */
extern const char page_style[], page_style_hash[];

#endif
