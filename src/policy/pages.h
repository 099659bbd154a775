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
	struct str return_to; /* hidden field `rd`; may be STR_NONE */
	struct str user;      /* what was typed before */
	const char *message;  /* why it did not work, or NULL */
};

/* Each begins the reply, sets the security headers (strict CSP, no-store,
 * nosniff, no framing) and ends it. Everything foreign is escaped. */
void page_login(struct worker *worker, struct reply *reply, int status, const struct page_login *page);
void page_logout(struct worker *worker, struct reply *reply, struct str action, struct str csrf);
/* One message, with the request id and a link; for errors and "not allowed". */
struct page_message {
	struct str title;
	const char *heading, *text;
	struct str detail;    /* e.g. the account; may be STR_NONE */
	struct str link;      /* may be STR_NONE */
	const char *link_text;
	const char *request_id;
};
void page_message(struct worker *worker, struct reply *reply, int status, const struct page_message *page);
/* As page_message, into a reply whose status and headers the caller has begun. */
void page_message_body(struct worker *worker, struct reply *reply, const struct page_message *page);

/* {"error","detail","reason","request_id","login_url"} for the error, HTML-safe. */
struct str page_refusal_json(struct arena *arena, enum err err, const char *request_id, struct str login_url);

#endif
