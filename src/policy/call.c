/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a responder's request apart, and the answers that all responders give. */
#include "policy/call.h"

#include <string.h>

#include "base/codec.h"
#include "http/form_data.h"
#include "http/negotiate.h"
#include "policy/attempt.h"
#include "policy/pages.h"

/* How long a client shall wait after a 503, in seconds. */
enum { RETRY_AFTER = 5 };

bool call_open(struct worker *worker, const struct request *request, struct reply *reply, struct call *out)
{
	struct str path = request->path.n ? request->path : STR("/");
	if (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	size_t at = path.n;
	while (path.p[at - 1] != '/')
		at--;
	/* Of the normalised path: "//other.example/login" would be an address on another host. */
	struct buf mount = arena_buf(worker->arena, 3 * at);
	percent_encode(&mount, (struct str){path.p, at}, "/");
	if (mount.full)
		return false;
	*out = (struct call){.worker = worker, .request = request, .reply = reply, .segment = str_skip(path, at),
			     .mount = buf_str(&mount)};
	return true;
}

bool call_is_cross_site(const struct call *call)
{
	const struct request *request = call->request;
	enum form_encoding encoding;
	if (call_listed_origin(call).p && !form_data_encoding(request->content_type, &encoding))
		return false;
	return (request->origin.n || request->sec_fetch_site.n) && !negotiate_same_origin(request);
}

void call_begin(const struct call *call, int status)
{
	reply_begin(call->reply, status);
	reply_header(call->reply, "Cache-Control", STR("no-store"));
	reply_header(call->reply, "X-Content-Type-Options", STR("nosniff"));
}

void call_json(const struct call *call, struct str body)
{
	reply_body(call->reply, "application/json", body);
}

void call_redirect(const struct call *call, struct str location)
{
	reply_header(call->reply, "Location", location);
	reply_header(call->reply, "Content-Length", STR("0"));
	reply_end(call->reply);
}

static void challenge(const struct call *call, enum err err)
{
	const struct err_row *row = err_row(err);
	struct str value = STR("Bearer realm=\"fcgi-auth\"");
	if (row->rfc6750)
		value = arena_printf(call->worker->arena, "%.*s, error=\"%s\", error_description=\"%s\"",
				     STR_ARGS(value), row->rfc6750, row->text);
	reply_header(call->reply, "WWW-Authenticate", value);
}

/* A refusal as a client sees it. */
struct refusal {
	enum err err;
	int status;
	const char *text, *page_text; /* in JSON, and on a page */
	struct str allow;	      /* the header, or STR_NONE */
	int64_t retry_after;	      /* the header, or 0 */
};

static void refuse_with_page(const struct call *call, const struct refusal *refusal)
{
	bool again = call->login_url.p && refusal->status < 500 && refusal->status != 404;
	struct page *page =
		page_refusal(call->worker, call->request, refusal->err, refusal->status, refusal->page_text);
	page_text(page, "link", again ? call->login_url : STR_NONE);
	page_text(page, "link_text", STR("To the login page"));
	page_send_body(page, call->reply);
}

static void refuse(const struct call *call, const struct refusal *refusal)
{
	bool html = negotiate_html(call->request);
	enum err err = refusal->err;
	int status = refusal->status;
	reply_begin(call->reply, status);
	reply_header(call->reply, "Cache-Control", STR("no-store"));
	if (refusal->allow.p)
		reply_header(call->reply, "Allow", refusal->allow);
	if (status == 401)
		challenge(call, err);
	if (refusal->retry_after > 0 || status == 503)
		reply_header_int(call->reply, "Retry-After",
				 refusal->retry_after > 0 ? refusal->retry_after : RETRY_AFTER);
	if (html) {
		refuse_with_page(call, refusal);
		return;
	}
	reply_header(call->reply, "X-Content-Type-Options", STR("nosniff"));
	call_json(call, page_refusal_json_text(call->worker->arena, err, refusal->text, call->request->id,
					       status == 401 ? call->login_url : STR_NONE));
}

static struct refusal refusal_of(enum err err)
{
	const struct err_row *row = err_row(err);
	return (struct refusal){.err = err, .status = row->status, .text = row->text, .page_text = row->text};
}

void call_refuse(const struct call *call, enum err err)
{
	struct refusal refusal = refusal_of(err);
	refuse(call, &refusal);
}

void call_refuse_as(const struct call *call, enum err err, int status, const char *detail)
{
	struct refusal refusal = refusal_of(err);
	refusal.status = status;
	if (detail)
		refusal.text = refusal.page_text = detail;
	refuse(call, &refusal);
}

void call_refuse_later(const struct call *call, enum err err, int64_t retry_after)
{
	struct refusal refusal = refusal_of(err);
	refusal.retry_after = retry_after;
	refusal.page_text = attempt_text(retry_after);
	refuse(call, &refusal);
}

void call_refuse_method(const struct call *call, struct str allow)
{
	struct refusal refusal = refusal_of(ERR_METHOD);
	refusal.allow = allow;
	refuse(call, &refusal);
}

void call_refuse_with(const struct call *call, enum err err, int status, const char *detail, int64_t retry_after)
{
	struct refusal refusal = refusal_of(err);
	refusal.status = status;
	refusal.retry_after = retry_after;
	if (detail)
		refusal.text = refusal.page_text = detail;
	refuse(call, &refusal);
}

void call_cut_body(struct reply *reply)
{
	const char *end = memmem(reply->out.p, reply->out.n, "\r\n\r\n", 4);
	if (end && !reply->out.full)
		reply->out.n = (size_t)(end - reply->out.p) + 4;
}
