/* SPDX-License-Identifier: Apache-2.0 */
/* Printing the pages: plain HTML without scripts, usable on a phone, with a
 * screen reader, in dark and light. The style sheet is in page_style.c. */
#include "policy/pages.h"

enum { PAGE_MAX = 24 << 10, POLICY_MAX = 3500, LINK_MAX = 2000, DETAIL_MAX = 1000 };

/* Text or an attribute's value in double quotes. */
static void escape(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '&': buf_add(out, STR("&amp;")); break;
		case '<': buf_add(out, STR("&lt;")); break;
		case '>': buf_add(out, STR("&gt;")); break;
		case '"': buf_add(out, STR("&quot;")); break;
		case '\'': buf_add(out, STR("&#39;")); break;
		default: buf_char(out, s.p[i]);
		}
	}
}

/* The escaped text; STR_NONE when it takes more than max bytes. */
static struct str escaped(struct arena *arena, struct str s, size_t max)
{
	struct buf b = arena_buf(arena, max);
	escape(&b, s);
	return b.full || !s.p ? STR_NONE : buf_str(&b);
}

static void open_page(struct buf *b, struct str title)
{
	buf_add(b, STR("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		       "<meta name=\"robots\" content=\"noindex\">\n<title>"));
	escape(b, title);
	buf_add(b, STR("</title>\n<style>"));
	buf_add(b, str_of(page_style));
	buf_add(b, STR("</style>\n</head>\n<body>\n<main>\n"));
}

static void close_page(struct buf *b)
{
	buf_add(b, STR("</main>\n</body>\n</html>\n"));
}

static void hidden(struct buf *b, const char *name, struct str value)
{
	buf_add(b, STR("<input type=\"hidden\" name=\""));
	buf_add(b, str_of(name));
	buf_add(b, STR("\" value=\""));
	escape(b, value);
	buf_add(b, STR("\">\n"));
}

static void heading(struct buf *b, struct str text)
{
	buf_add(b, STR("<h1>"));
	escape(b, text);
	buf_add(b, STR("</h1>\n"));
}

static void open_form(struct buf *b, struct str action, struct str csrf)
{
	buf_add(b, STR("<form method=\"post\""));
	if (action.p) {
		buf_add(b, STR(" action=\""));
		escape(b, action);
		buf_char(b, '"');
	}
	buf_add(b, STR(">\n"));
	hidden(b, "csrf", csrf);
}

/* "https://host[:port]" of an address with a scheme. */
static struct str origin_of(struct str address)
{
	size_t scheme = str_starts(address, STR("https://")) ? 8 : str_starts(address, STR("http://")) ? 7 : 0;
	return (struct str){address.p, scheme ? scheme + str_find(str_skip(address, scheme), '/') : 0};
}

/* Browsers hold a form to form-action also when its answer redirects, so the
 * places where a login or logout may lead are named. */
static void content_policy(struct worker *worker, struct buf *b)
{
	const struct conf_list *origins = &worker->snapshot->login->return_origins;
	struct str after_logout = origin_of(worker->snapshot->logout->return_to.value);
	buf_printf(b, "default-src 'none'; style-src '%s'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
		   page_style_hash);
	for (size_t i = 0; i < origins->n; i++) {
		buf_char(b, ' ');
		buf_add(b, origins->items[i].value);
	}
	if (after_logout.n) {
		buf_char(b, ' ');
		buf_add(b, after_logout);
	}
}

/* What every page is sent with beside Cache-Control. no-referrer would make a
 * browser send "Origin: null" with the form. */
static void end(struct worker *worker, struct reply *reply, struct buf *page)
{
	struct buf policy = arena_buf(worker->arena, POLICY_MAX);
	content_policy(worker, &policy);
	bool safe = !policy.full && reply_header(reply, "Content-Security-Policy", buf_str(&policy)) &&
		    reply_header(reply, "X-Content-Type-Options", STR("nosniff")) &&
		    reply_header(reply, "X-Frame-Options", STR("DENY")) &&
		    reply_header(reply, "Referrer-Policy", STR("same-origin"));
	/* Without its headers or cut short a page is not sent: the reply stays open and becomes a 500. */
	if (safe && !page->full)
		reply_body(reply, "text/html; charset=utf-8", buf_str(page));
}

static void begin(struct reply *reply, int status, struct str cookie)
{
	reply_begin(reply, status);
	reply_header(reply, "Cache-Control", STR("no-store"));
	if (cookie.p)
		reply_header(reply, "Set-Cookie", cookie);
}

/* The cursor goes where the next thing is to be typed. */
static void login_fields(struct buf *b, const struct page_login *page)
{
	const char *described = page->message ? " aria-describedby=\"message\"" : "";
	bool has_user = page->user.n > 0;
	buf_add(b, STR("<label for=\"username\">User name or e-mail</label>\n"
		       "<input id=\"username\" name=\"username\" type=\"text\" autocomplete=\"username\" "
		       "autocapitalize=\"none\" spellcheck=\"false\" maxlength=\"255\" required"));
	buf_printf(b, "%s%s value=\"", described, has_user ? "" : " autofocus");
	escape(b, page->user);
	buf_add(b, STR("\">\n<label for=\"password\">Password</label>\n"
		       "<input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" "
		       "required"));
	buf_printf(b, "%s%s>\n<button type=\"submit\">Sign in</button>\n</form>\n", described,
		   has_user ? " autofocus" : "");
}

void page_login(struct worker *worker, struct reply *reply, int status, const struct page_login *page)
{
	struct buf b = arena_buf(worker->arena, PAGE_MAX);
	open_page(&b, page->title);
	heading(&b, page->title);
	if (page->message) {
		buf_add(&b, STR("<p class=\"message\" id=\"message\" role=\"alert\">"));
		escape(&b, str_of(page->message));
		buf_add(&b, STR("</p>\n"));
	}
	open_form(&b, page->action, page->csrf);
	if (page->return_to.p)
		hidden(&b, "rd", page->return_to);
	login_fields(&b, page);
	close_page(&b);
	begin(reply, status, page->cookie);
	if (page->retry_after > 0)
		reply_header_int(reply, "Retry-After", page->retry_after);
	end(worker, reply, &b);
}

void page_logout(struct worker *worker, struct reply *reply, const struct page_logout *page)
{
	struct buf b = arena_buf(worker->arena, PAGE_MAX);
	open_page(&b, STR("Sign out"));
	heading(&b, STR("Sign out"));
	buf_add(&b, page->everywhere ? STR("<p>Do you want to sign out on all your devices?</p>\n")
				     : STR("<p>Do you want to sign out?</p>\n"));
	/* Without an action the form goes to the address of the page, with its query. */
	open_form(&b, STR_NONE, page->csrf);
	buf_add(&b, STR("<button type=\"submit\" autofocus>Sign out</button>\n</form>\n"));
	close_page(&b);
	begin(reply, 200, page->cookie);
	end(worker, reply, &b);
}

void page_message_body(struct worker *worker, struct reply *reply, const struct page_message *page)
{
	struct buf b = arena_buf(worker->arena, PAGE_MAX);
	struct str detail = escaped(worker->arena, page->detail, DETAIL_MAX);
	struct str link = escaped(worker->arena, page->link, LINK_MAX);
	open_page(&b, page->title);
	heading(&b, str_of(page->heading));
	buf_add(&b, STR("<p role=\"alert\">"));
	escape(&b, str_of(page->text));
	buf_add(&b, STR("</p>\n"));
	if (detail.n) {
		buf_add(&b, STR("<p>"));
		buf_add(&b, detail);
		buf_add(&b, STR("</p>\n"));
	}
	if (link.n) {
		buf_add(&b, STR("<p><a href=\""));
		buf_add(&b, link);
		buf_add(&b, STR("\">"));
		escape(&b, str_of(page->link_text));
		buf_add(&b, STR("</a></p>\n"));
	}
	buf_add(&b, STR("<p class=\"note\">Request "));
	escape(&b, str_of(page->request_id));
	buf_add(&b, STR("</p>\n"));
	close_page(&b);
	end(worker, reply, &b);
}

void page_message(struct worker *worker, struct reply *reply, int status, const struct page_message *page)
{
	begin(reply, status, STR_NONE);
	page_message_body(worker, reply, page);
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
