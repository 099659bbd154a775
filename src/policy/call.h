/* SPDX-License-Identifier: Apache-2.0 */
/* One request of a responder, what is needed to answer it, and the answers that
 * all of them give. */
#ifndef POLICY_CALL_H
#define POLICY_CALL_H

#include "http/reply.h"
#include "policy/runtime.h"

struct call {
	struct worker *worker;
	const struct request *request;
	struct reply *reply;
	struct str segment;   /* last segment of the path: what is asked for */
	struct str mount;     /* the path before it, percent-encoded, ends with '/' */
	struct str login_url; /* named in refusals; may be STR_NONE */
	/* [login] or [logout] cors-origin: whose pages may call us; may be NULL */
	const struct conf_list *cors_origins;
};

/* Split the path. Web servers differ in what they call SCRIPT_NAME and
 * PATH_INFO; the request's own path says the same on all of them. One '/' at the
 * end does not count. false: the arena is used up. */
bool call_open(struct worker *worker, const struct request *request, struct reply *reply, struct call *out);
/* The request's origin, when it is in cors-origin; else STR_NONE. */
struct str call_listed_origin(const struct call *call);
/* Sent by a page of another site, as the browser says? Programs that are no
 * browsers send neither Origin nor Sec-Fetch-Site. What a script of a listed origin
 * sends is none: JSON, or no body. Forms, which need no preflight, always are. */
bool call_is_cross_site(const struct call *call);

/* Begin a reply that no cache keeps; further headers may follow. */
void call_begin(const struct call *call, int status);
/* End a begun reply with JSON. */
void call_json(const struct call *call, struct str body);
/* End a begun 303. */
void call_redirect(const struct call *call, struct str location);

/* A whole reply: status, headers and text of the error, as a page or as JSON,
 * whichever the client asked for. */
void call_refuse(const struct call *call, enum err err);
/* The same with a status and a text of its own; detail NULL: the error's. */
void call_refuse_as(const struct call *call, enum err err, int status, const char *detail);
/* The same with Retry-After, and as a page with words for it. */
void call_refuse_later(const struct call *call, enum err err, int64_t retry_after);
/* A status and a text of its own and Retry-After, in seconds; 0: none, but for a 503. */
void call_refuse_with(const struct call *call, enum err err, int status, const char *detail, int64_t retry_after);
/* 405; allow is the header's value. */
void call_refuse_method(const struct call *call, struct str allow);
/* OPTIONS: 204 with the methods of the address, and the answer to a preflight of a listed
 * origin. methods is the header's value. */
void call_options(const struct call *call, struct str methods);
/* Let a page of a listed origin read the finished reply. */
void call_share(const struct call *call);
/* Take the body off a finished reply, for HEAD. */
void call_cut_body(struct reply *reply);

#endif
