/* SPDX-License-Identifier: Apache-2.0 */
/* The page of GET /profile: who the token says somebody is, and the own sessions. */
#include "http/url.h"
#include "policy/agent.h"
#include "policy/login_routes.h"
#include "policy/pages.h"
#include "policy/session.h"
#include "token/timestamp.h"

enum { ROLES_MAX = 1024 };

/* A list with blanks between commas and names, or one text. */
static struct str print_roles(struct arena *arena, const struct json *roles)
{
	struct buf b = arena_buf(arena, ROLES_MAX);
	if (!roles || roles->type != JSON_ARRAY)
		return json_scalar(roles);
	for (const struct json *role = roles->child; role; role = role->next) {
		struct str name = json_scalar(role);
		if (name.n == 0)
			continue;
		buf_add(&b, b.n ? STR(", ") : STR(""));
		buf_add(&b, name);
	}
	return b.full ? STR_NONE : buf_str(&b);
}

/* What people know the account by: an id that is a number they have never seen. */
static struct str name_of_user(const struct claims *claims)
{
	static const char *const names[] = {"username", "preferred_username"};
	struct str text;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (json_string(json_member(claims->all, str_of(names[i])), &text) && text.n)
			return text;
	return claims->user_id;
}

static void add_person(struct page *page, struct arena *arena, const struct claims *claims)
{
	page_text(page, "user", name_of_user(claims));
	page_text(page, "email", json_scalar(json_member(claims->all, STR("email"))));
	page_text(page, "name", json_scalar(json_member(claims->all, STR("name"))));
	page_text(page, "roles", print_roles(arena, json_member(claims->all, STR("roles"))));
}

static struct str minute(struct arena *arena, int64_t seconds)
{
	struct buf b = arena_buf(arena, 32);
	return timestamp_print_minute(seconds, &b) ? buf_str(&b) : STR_NONE;
}

static void add_sessions(struct page *page, struct arena *arena, const struct sessions *sessions, struct str own)
{
	page_flag(page, "has_sessions", sessions->n > 0);
	page_flag(page, "has_others", sessions->n > 1);
	for (size_t i = 0; i < sessions->n; i++) {
		const struct session *session = &sessions->items[i];
		struct page *item = page_item(page, "sessions");
		page_text(item, "id", session->sid);
		page_flag(item, "current", str_eq(session->sid, own));
		page_text(item, "created", minute(arena, session->created));
		page_text(item, "seen", minute(arena, session->seen));
		page_text(item, "address", session->address);
		page_text(item, "agent", agent_name(arena, session->agent));
	}
}

/* What the page was come back to for: POST /sessions leads here. */
static void say_what_was_done(struct page *page, const struct call *call)
{
	struct str done = url_field(call->worker->arena, call->request->query, "done");
	if (str_eq(done, STR("others")))
		page_say_good(page, N_("You are signed out everywhere else"));
	else if (str_eq(done, STR("session")))
		page_say_good(page, N_("That session has ended"));
	else if (str_eq(done, STR("password")))
		page_say_good(page, N_("Your password is changed. All your other sessions have ended."));
	else if (str_eq(done, STR("gone")))
		page_say_good(page, N_("That session had ended before"));
}

void login_profile_page(const struct call *call, const struct claims *claims)
{
	struct arena *arena = call->worker->arena;
	struct sessions sessions = {0};
	struct csrf csrf;
	bool ours = call->worker->snapshot->login->backend == LOGIN_LOCAL && session_is_ours(call->worker, claims);
	enum err err = ours ? session_list(call, claims, &sessions) : ERR_NONE;
	if (err == ERR_NONE && ours)
		err = csrf_open(call, LOGIN_SESSIONS_PURPOSE, &csrf);
	if (err) {
		call_refuse(call, err);
		return;
	}
	struct page *page = page_open(call->worker, call->request, "profile");
	page_base(page, call->mount);
	add_person(page, arena, claims);
	page_flag(page, "can_change_password", ours);
	if (ours) {
		add_sessions(page, arena, &sessions, claims->sid);
		page_form(call, page, &csrf);
	}
	say_what_was_done(page, call);
	page_send(page, call->reply, 200);
}
