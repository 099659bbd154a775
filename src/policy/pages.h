/* SPDX-License-Identifier: Apache-2.0 */
/* The HTML pages, each a template that is filled with values; and the one JSON form
 * of refusals. Nothing else prints HTML, and every value is escaped.
 *
 *	struct page *page = page_open(worker, request, "login");
 *	page_text(page, "user", user);
 *	page_say(page, N_("Invalid user name or password"));
 *	page_form(call, page, &csrf);
 *	page_send(page, reply, 401);
 *
 * All take the NULL that page_open gives when the arena is used up: the reply then
 * stays without a body and becomes a 500. */
#ifndef POLICY_PAGES_H
#define POLICY_PAGES_H

#include "http/reply.h"
#include "policy/catalogue.h"
#include "policy/csrf.h"
#include "policy/runtime.h"

/* Marks an English text that a page shows, for the test that looks for its
 * translation; those given to page_say and page_say_good are found without. */
#define N_(text) text

struct page; /* one page being filled, in the arena of the request */

/* template is one of login, register, forgot, reset, verify, profile, password,
 * resume, logout, signed-out, message. What each takes stands at the head of
 * policy/pages/NAME.html; all get site, lang, dir, request_id, base, login_url. */
struct page *page_open(struct worker *worker, const struct request *request, const char *template);
/* name outlives the page. STR_NONE and "": {{#name}} blocks are left out. */
void page_text(struct page *page, const char *name, struct str value);
void page_flag(struct page *page, const char *name, bool on);
/* One more turn of {{#list}}…{{/list}}, with values of its own. */
struct page *page_item(struct page *page, const char *list);
/* The message of the page, as an alert; English, the catalogue has it in other languages. */
void page_say(struct page *page, const char *text);
/* The same as a status, which is no alert. */
void page_say_good(struct page *page, const char *text);
/* The hidden field csrf; its cookie goes with the page. */
void page_form(const struct call *call, struct page *page, const struct csrf *csrf);
/* Where auth-login-proxy is mounted, ends with '/'; "": nobody knows. Without it:
 * where the request's own path is. */
void page_base(struct page *page, struct str base);
/* The language in which the client is answered. */
const struct catalogue *page_language(const struct worker *worker, const struct request *request);
/* Begin the reply, set the security headers (strict CSP, no-store, nosniff, no
 * framing), and end it. */
void page_send(struct page *page, struct reply *reply, int status);
/* The same into a reply whose status, Cache-Control and other headers the caller
 * has set. "message" stays below 8000 bytes, with style sheet, which some web
 * servers take from an authorizer at most. */
void page_send_body(struct page *page, struct reply *reply);

/* The page of a refusal, for the caller to add a link and to send. text: what the
 * client is told, or NULL for the error's own. */
struct page *page_refusal(struct worker *worker, const struct request *request, enum err err, int status,
			  const char *text);
/* {"error","detail","reason","request_id","login_url"} for the error, HTML-safe. */
struct str page_refusal_json(struct arena *arena, enum err err, const char *request_id, struct str login_url);
/* The same with a text of its own instead of the error's, which says more to the one who asked. */
struct str page_refusal_json_text(struct arena *arena, enum err err, const char *detail, const char *request_id,
				  struct str login_url);

#endif
