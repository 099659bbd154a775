/* SPDX-License-Identifier: Apache-2.0 */
/* The mark of a sign-in, and the page for those who come back without a session. */
#include "policy/login_bounce.h"

#include "base/log.h"
#include "http/cookie.h"
#include "policy/cookies.h"
#include "policy/event.h"
#include "policy/pages.h"

enum { MARK_SECONDS = 60 };

static const struct str mark = {"auth-signed-in", 14};

/* Without Secure: it must come back where the session's cookie does not. */
static bool set_mark(const struct call *call, struct str value, int64_t max_age)
{
	struct cookie_attributes attributes = {.path = STR("/"), .same_site = "Lax", .max_age = max_age};
	return cookies_set(call, mark, value, &attributes);
}

void login_bounce_mark(const struct call *call)
{
	if (!set_mark(call, STR("1"), MARK_SECONDS))
		log_text(LOG_WARNING, "login", "the cookie that breaks login loops does not fit into the reply");
}

void login_bounce_forget(const struct call *call)
{
	struct str value;
	if (cookie_find(call->request->cookie, mark, &value) > 0)
		set_mark(call, STR(""), 0);
}

static bool has_token(const struct call *call)
{
	struct str value;
	size_t n;
	const struct str *names = cookies_with_tokens(call->worker, &n);
	for (size_t i = 0; names && i < n; i++)
		if (cookie_find(call->request->cookie, names[i], &value) > 0)
			return true;
	return false;
}

static const char *likely_cause(const struct call *call)
{
	const struct login_conf *login = call->worker->snapshot->login;
	struct cookie_attributes attributes = login_cookie_attributes(login, call->request->https, 0);
	bool only_https = attributes.secure || cookies_prefix_is_secure(login->cookie.value) ||
			  cookies_prefix_is_host(login->cookie.value);
	if (only_https && !call->request->https)
		return "The cookie of this site is sent over https only, but you came by http. Open the site by "
		       "https://, or tell its administrator: [login] cookie and cookie-secure decide this.";
	return "Your browser did not send back the cookie that keeps you signed in. Does it refuse cookies from "
	       "this site? If not, tell the administrator: [login] cookie-domain or cookie-path may not fit.";
}

bool login_bounce_show(const struct call *call)
{
	struct str value;
	if (cookie_find(call->request->cookie, mark, &value) == 0 || has_token(call))
		return false;
	struct page *page = page_open(call->worker, call->request, "message");
	page_text(page, "heading", STR("You are not signed in"));
	page_text(page, "text", str_of(likely_cause(call)));
	page_text(page, "link", STR("./login"));
	page_text(page, "link_text", STR("Try again"));
	event_act("login_loop", call->request, ERR_NO_TOKEN, STR_NONE, "a sign-in came back without its cookie");
	call_begin(call, 401);
	login_bounce_forget(call);
	page_send_body(page, call->reply);
	return true;
}
