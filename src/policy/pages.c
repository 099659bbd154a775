/* SPDX-License-Identifier: Apache-2.0 */
/* Filling pages and sending them. What they look like is in policy/pages. */
#include "policy/pages.h"

#include <string.h>

#include "base/codec.h"
#include "http/negotiate.h"
#include "policy/page_set.h"

enum { POLICY_MAX = 3500, LINK_MAX = 2000, DETAIL_MAX = 1000 };

/* A page, or an item of a list of it. */
struct page {
	struct template_scope scope; /* first: items are found by it */
	struct page *whole;
	/* Of the whole page alone: */
	struct worker *worker;
	const struct template *template;
	const struct catalogue *catalogue;
	struct str cookie; /* Set-Cookie, or STR_NONE */
	bool failed;	   /* a value is missing */
};

/* The value of that name, made when it is not there; NULL: no memory. */
static struct template_value *value_of(struct page *page, const char *name)
{
	if (!page)
		return NULL;
	for (struct template_value *v = page->scope.values; v; v = v->next)
		if (strcmp(v->name, name) == 0)
			return v;
	struct template_value *value = arena_alloc(page->whole->worker->arena, sizeof *value);
	if (!value) {
		page->whole->failed = true;
		return NULL;
	}
	*value = (struct template_value){.name = name, .next = page->scope.values};
	page->scope.values = value;
	return value;
}

void page_text(struct page *page, const char *name, struct str text)
{
	struct template_value *value = value_of(page, name);
	if (value)
		value->text = text;
}

void page_flag(struct page *page, const char *name, bool on)
{
	struct template_value *value = value_of(page, name);
	if (value)
		value->on = on;
}

static struct page *new_page(struct worker *worker)
{
	struct page *page = arena_alloc(worker->arena, sizeof *page);
	if (page)
		*page = (struct page){.worker = worker, .whole = page};
	return page;
}

struct page *page_item(struct page *page, const char *list)
{
	struct template_value *value = value_of(page, list);
	struct page *item = value ? new_page(page->whole->worker) : NULL;
	if (!item) {
		if (page)
			page->whole->failed = true;
		return NULL;
	}
	item->whole = page->whole;
	item->scope.parent = &page->scope;
	struct template_scope *last = value->items;
	while (last && last->next)
		last = last->next;
	if (last)
		last->next = &item->scope;
	else
		value->items = &item->scope;
	return item;
}

void page_say(struct page *page, const char *text)
{
	page_text(page, "alert", str_of(text));
}

void page_say_good(struct page *page, const char *text)
{
	page_text(page, "status", str_of(text));
}

void page_form(const struct call *call, struct page *page, const struct csrf *csrf)
{
	page_text(page, "csrf", csrf->field);
	if (page)
		page->whole->cookie = csrf_cookie_line(call, csrf);
}

/* Where the auth server offers them, or local accounts may. */
static void link_actions(struct page *page, struct str base)
{
	const struct snapshot *snapshot = page->whole->worker->snapshot;
	const struct upstream *upstream = snapshot->upstream;
	struct arena *arena = page->whole->worker->arena;
	if (login_mails(snapshot) || (upstream && upstream->urls[UPSTREAM_FORGOT].p))
		page_text(page, "forgot_url", arena_printf(arena, "%.*sforgot-password", STR_ARGS(base)));
	if (login_registers(snapshot) || (upstream && upstream->urls[UPSTREAM_REGISTER].p))
		page_text(page, "register_url", arena_printf(arena, "%.*sregister", STR_ARGS(base)));
}

void page_base(struct page *page, struct str base)
{
	if (!page)
		return;
	struct worker *worker = page->whole->worker;
	struct str login = arena_printf(worker->arena, "%.*slogin", STR_ARGS(base));
	page_text(page, "base", base);
	/* Pictures come from this site alone. */
	bool has_logo = worker->snapshot->pages->logo.p && (str_starts(base, STR("/")) || str_starts(base, STR(".")));
	page_text(page, "logo", has_logo ? arena_printf(worker->arena, "%.*slogo", STR_ARGS(base)) : STR_NONE);
	page_text(page, "login_url", login);
	link_actions(page, base);
}

const struct catalogue *page_language(const struct worker *worker, const struct request *request)
{
	const struct page_set *set = worker->snapshot->pages;
	struct str languages[PAGE_LANGUAGES_MAX], accept;
	if (set->forced)
		return set->forced;
	if (request_parameter(request, STR("HTTP_ACCEPT_LANGUAGE"), &accept) == 0)
		accept = STR_NONE;
	for (size_t i = 0; i < set->n_catalogues; i++)
		languages[i] = set->catalogues[i].language;
	return &set->catalogues[negotiate_language(accept, languages, set->n_catalogues)];
}

static void choose_language(struct page *page, const struct request *request)
{
	page->catalogue = page_language(page->worker, request);
	page_text(page, "lang", page->catalogue->language);
	page_text(page, "dir", catalogue_is_right_to_left(page->catalogue) ? STR("rtl") : STR("ltr"));
}

struct page *page_open(struct worker *worker, const struct request *request, const char *template)
{
	const struct snapshot *snapshot = worker->snapshot;
	struct page *page = new_page(worker);
	struct str path = request->path;
	if (!page)
		return NULL;
	page->template = page_set_template(snapshot->pages, str_of(template));
	if (!page->template)
		return NULL;
	choose_language(page, request);
	page_text(page, "site", snapshot->login->title.value);
	page_text(page, "request_id", str_of(request->id));
	page_base(page, path.n > 1 && path.p[path.n - 1] == '/' ? STR("../") : STR("./"));
	return page;
}

/* The value; STR_NONE, too, when nobody set it. */
static struct str text_of(const struct page *page, const char *name)
{
	for (const struct template_value *v = page->scope.values; v; v = v->next)
		if (strcmp(v->name, name) == 0)
			return v->text;
	return STR_NONE;
}

/* "https://host[:port]" of an address with a scheme. */
static struct str origin_of(struct str address)
{
	size_t scheme = str_starts(address, STR("https://")) ? 8 : str_starts(address, STR("http://")) ? 7 : 0;
	return (struct str){address.p, scheme ? scheme + str_find(str_skip(address, scheme), '/') : 0};
}

/* Browsers hold a form to form-action also when its answer redirects, so the
 * places where a login or logout may lead are named. */
static void content_policy(const struct page *page, struct buf *b)
{
	const struct snapshot *snapshot = page->worker->snapshot;
	const struct conf_list *origins = &snapshot->login->return_origins;
	struct str after_logout = origin_of(snapshot->logout->return_to.value);
	buf_add(b, STR("default-src 'none'; style-src"));
	for (size_t i = 0; i < page->template->n_styles; i++)
		buf_printf(b, " '%.*s'", STR_ARGS(page->template->styles[i]));
	if (text_of(page, "logo").n)
		buf_add(b, STR("; img-src 'self'"));
	buf_add(b, STR("; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"));
	for (size_t i = 0; i < origins->n; i++) {
		buf_char(b, ' ');
		buf_add(b, origins->items[i].value);
	}
	if (after_logout.n) {
		buf_char(b, ' ');
		buf_add(b, after_logout);
	}
}

/* no-referrer would make a browser send "Origin: null" with the form. */
static bool set_headers(const struct page *page, struct reply *reply)
{
	struct buf policy = arena_buf(page->worker->arena, POLICY_MAX);
	content_policy(page, &policy);
	return !policy.full && reply_header(reply, "Content-Security-Policy", buf_str(&policy)) &&
	       reply_header(reply, "X-Content-Type-Options", STR("nosniff")) &&
	       reply_header(reply, "X-Frame-Options", STR("DENY")) &&
	       reply_header(reply, "Referrer-Policy", STR("same-origin")) &&
	       (!page->cookie.p || reply_header(reply, "Set-Cookie", page->cookie));
}

/* What would make a small page large is left out. */
static void bound(struct page *page, const char *name, size_t most)
{
	struct template_value *value = value_of(page, name);
	if (!value)
		return;
	struct buf b = arena_buf(page->worker->arena, most);
	template_escape(&b, value->text);
	if (b.full)
		value->text = STR_NONE;
}

static size_t count_items(const struct page *page, const char *list)
{
	size_t n = 0;
	const struct template_value *v = page->scope.values;
	while (v && strcmp(v->name, list) != 0)
		v = v->next;
	for (const struct template_scope *item = v ? v->items : NULL; item; item = item->next)
		n++;
	return n;
}

/* What follows from the values. */
static void conclude(struct page *page)
{
	struct arena *arena = page->worker->arena;
	struct str rd = text_of(page, "rd");
	struct buf query = arena_buf(arena, rd.n ? 4 + 3 * rd.n : 1);
	if (rd.n) {
		buf_add(&query, STR("?rd="));
		percent_encode(&query, rd, "/");
	}
	page_text(page, "rd_query", query.full ? STR_NONE : buf_str(&query));
	page_flag(page, "account_links", text_of(page, "forgot_url").n || text_of(page, "register_url").n);
	page_flag(page, "has_sessions", count_items(page, "sessions") > 0);
	page_flag(page, "has_others", count_items(page, "sessions") > 1);
	/* What another server wants of a password, it says itself. */
	if (!page->worker->snapshot->upstream)
		page_text(page, "password_hint", arena_printf(arena, N_("At least %lld characters."),
						      (long long)page->worker->snapshot->login->password_min));
	bound(page, "link", LINK_MAX);
	bound(page, "detail", DETAIL_MAX);
}

void page_send_body(struct page *page, struct reply *reply)
{
	if (!page)
		return;
	conclude(page);
	struct buf html = arena_buf(page->worker->arena, reply->out.cap);
	const struct template_output output = {page->worker->arena, page->catalogue, &html};
	template_print(page->template, &page->scope, &output);
	/* Without its headers or cut short a page is not sent: the reply stays open and becomes a 500. */
	if (!page->failed && !html.full && set_headers(page, reply))
		reply_body(reply, "text/html; charset=utf-8", buf_str(&html));
}

void page_send(struct page *page, struct reply *reply, int status)
{
	reply_begin(reply, status);
	reply_header(reply, "Cache-Control", STR("no-store"));
	page_send_body(page, reply);
}
