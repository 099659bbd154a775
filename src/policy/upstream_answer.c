/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer of the auth server means. Its refusals are the client's; all that
 * is no clear yes or no is our 502, 503 or 504, of which the log says more. */
#include <string.h>

#include "http/url.h"
#include "policy/upstream_internal.h"

enum { TEXT_MAX = 300, ITEMS_MAX = 5, RETRY_MAX = 86400 };

void upstream_fail(struct upstream_outcome *out, enum err err)
{
	*out = (struct upstream_outcome){.err = err, .status = err_row(err)->status};
}

const struct json *upstream_find(const struct conf_list *paths, const struct json *json)
{
	for (size_t i = 0; i < paths->n; i++) {
		const struct json *found = json_path(json, paths->items[i].value);
		if (found && found->type != JSON_NULL)
			return found;
	}
	return NULL;
}

/* Texts ------------------------------------------------------------------ */

/* A sentence for people: one line, of a sane length. A stack trace has more lines. */
static bool is_sentence(struct str text)
{
	return text.n > 0 && text.n <= TEXT_MAX && !str_has_control(text) && !memchr(text.p, '<', text.n);
}

static void add_sentence(struct buf *b, struct str text)
{
	text = str_trim(text);
	if (!is_sentence(text))
		return;
	if (b->n)
		buf_add(b, STR("; "));
	buf_add(b, text);
}

/* {"loc": ["body", "email"], "msg": "field required"} as "email: field required" */
static void add_item(struct buf *b, struct arena *arena, const struct json *item)
{
	struct str text = STR_NONE, place = STR_NONE;
	const struct json *loc = json_member(item, STR("loc"));
	for (const struct json *part = loc && loc->type == JSON_ARRAY ? loc->child : NULL; part; part = part->next)
		json_string(part, &place);
	if (!json_string(json_member(item, STR("msg")), &text))
		json_string(json_member(item, STR("message")), &text);
	if (text.p && place.p && !str_eq(place, STR("body")) && is_sentence(place))
		text = arena_printf(arena, "%.*s: %.*s", STR_ARGS(place), STR_ARGS(text));
	add_sentence(b, text);
}

struct str upstream_error_text(struct arena *arena, const struct upstream *upstream, const struct json *json)
{
	const struct json *error = upstream_find(&upstream->conf->error, json);
	struct buf b = arena_buf(arena, (size_t)ITEMS_MAX * (TEXT_MAX + 2) + 1);
	struct str text;
	size_t n = 0;
	if (json_string(error, &text))
		add_sentence(&b, text);
	else if (error && error->type == JSON_OBJECT)
		add_item(&b, arena, error);
	for (const struct json *item = error && error->type == JSON_ARRAY ? error->child : NULL; item && n < ITEMS_MAX;
	     item = item->next, n++) {
		if (json_string(item, &text))
			add_sentence(&b, text);
		else
			add_item(&b, arena, item);
	}
	/* It goes to C calls as well. */
	return b.n == 0 ? STR_NONE : arena_copy(arena, (struct str){b.p, b.n});
}

/* Refusals ---------------------------------------------------------------- */

static void fail(const struct upstream_visit *visit, const struct fetch_answer *answer, enum err err, const char *hint,
		 struct upstream_outcome *out)
{
	upstream_complain(visit->call, visit->asked, err, "it answers with status %d%s", answer->status, hint);
	upstream_fail(out, err);
}

static bool says(struct str text, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i + n <= text.n; i++)
		if (str_eq_nocase((struct str){text.p + i, n}, (struct str){word, n}))
			return true;
	return false;
}

/* A refusal that is about our request, not about the client's. */
static const char *our_fault(int status, struct str text)
{
	switch (status) {
	case 403:
		if (says(text, "origin") || says(text, "csrf"))
			return ": it wants another Origin: see [upstream] origin";
		return text.p ? NULL : ": does it know the Host that it is asked for? see [upstream] host";
	case 404:
		/* A user who is not there has a text of its own. */
		return text.p && !says(text, "not found") ? NULL : ": there is nothing at this path";
	case 405:
		return ": this path is no action";
	case 415:
		return ": it wants another encoding: see [upstream] request and login-request";
	case 400:
	case 402:
	case 409:
	case 410:
	case 422:
		return text.p ? NULL : ", without a text at one of the paths of [upstream] error";
	case 401:
	case 423:
	case 429:
		return NULL;
	default:
		return "";
	}
}

static enum err refusal_of(int status)
{
	switch (status) {
	case 401: return ERR_BAD_CREDENTIALS;
	case 423: return ERR_ACCOUNT_LOCKED;
	case 429: return ERR_RATE_LIMITED;
	case 402:
	case 403: return ERR_UPSTREAM_REFUSED;
	default: return ERR_BAD_REQUEST;
	}
}

/* Better Auth has a name of its own for it. */
static int64_t retry_of(const struct fetch_answer *answer)
{
	uint64_t seconds;
	if (answer->retry_after == 0 &&
	    str_to_uint(fetch_header(answer->head, STR("x-retry-after")), RETRY_MAX, &seconds))
		return (int64_t)seconds;
	return answer->retry_after < 0 || answer->retry_after > RETRY_MAX ? RETRY_MAX : answer->retry_after;
}

static void refuse(const struct upstream_visit *visit, const struct fetch_answer *answer, struct upstream_outcome *out)
{
	struct arena *arena = visit->call->worker->arena;
	const struct json *json = NULL;
	struct str text = STR_NONE;
	if (fetch_type_is_json(answer->content_type) && json_parse(arena, answer->body, &json))
		text = upstream_error_text(arena, visit->upstream, json);
	const char *hint = our_fault(answer->status, text);
	if (hint) {
		fail(visit, answer, ERR_UPSTREAM_ANSWER, hint, out);
		return;
	}
	*out = (struct upstream_outcome){.err = refusal_of(answer->status), .status = answer->status, .text = text,
					 .retry_after = retry_of(answer)};
}

/* Redirects ---------------------------------------------------------------- */

/* Auth.js answers a login with a redirect, whatever comes of it: to a page with "error="
 * in its address, or to the site. It is read, and goes no further. */
static void judge_redirect(const struct upstream_visit *visit, const struct fetch_answer *answer,
			   struct upstream_outcome *out)
{
	struct str location = fetch_header(answer->head, STR("location"));
	struct str query = location.p ? str_skip(location, str_find(location, '?')) : STR_NONE;
	struct str error = query.n ? url_field(visit->call->worker->arena, str_skip(query, 1), "error") : STR_NONE;
	if (!error.p) {
		*out = (struct upstream_outcome){.status = 200};
	} else if (str_eq(error, STR("CredentialsSignin"))) {
		*out = (struct upstream_outcome){.err = ERR_BAD_CREDENTIALS, .status = 401};
	} else if (str_eq(error, STR("AccessDenied"))) {
		*out = (struct upstream_outcome){.err = ERR_UPSTREAM_REFUSED, .status = 403};
	} else {
		upstream_complain(visit->call, visit->asked, ERR_UPSTREAM_ANSWER, "it answers with the error \"%.*s\"",
				  (int)(error.n < 40 ? error.n : 40), error.p);
		upstream_fail(out, ERR_UPSTREAM_ANSWER);
	}
}

/* All ---------------------------------------------------------------------- */

static bool is_success(const struct upstream *upstream, int status)
{
	for (size_t i = 0; i < upstream->n_success; i++)
		if (upstream->success[i] == status)
			return true;
	return false;
}

static void judge_success(const struct upstream_visit *visit, const struct fetch_answer *answer,
			  struct upstream_outcome *out)
{
	const struct json *json = NULL;
	/* Who is told something need not say more than that it has heard. */
	bool needed = visit->asked != UPSTREAM_LOGOUT && visit->asked != UPSTREAM_HEALTH;
	if (!fetch_type_is_json(answer->content_type) || !json_parse(visit->call->worker->arena, answer->body, &json) ||
	    (json->type != JSON_OBJECT && json->type != JSON_NULL))
		json = NULL;
	if (!json && needed) {
		fail(visit, answer, ERR_UPSTREAM_ANSWER, ", but with no JSON object", out);
		return;
	}
	struct str message = STR_NONE;
	*out = (struct upstream_outcome){.status = answer->status,
					 .json = json && json->type == JSON_OBJECT ? json : NULL};
	if (json_string(json_member(out->json, STR("message")), &message) && is_sentence(message))
		out->text = arena_copy(visit->call->worker->arena, message);
}

void upstream_judge(const struct upstream_visit *visit, const struct fetch_answer *answer,
		    struct upstream_outcome *out)
{
	int status = answer->status;
	bool success = is_success(visit->upstream, status);
	if (success && status >= 300)
		judge_redirect(visit, answer, out);
	else if (success)
		judge_success(visit, answer, out);
	else if (status >= 300 && status < 400)
		fail(visit, answer, ERR_UPSTREAM_ANSWER, ", a redirect, which is not followed", out);
	else if (status >= 400 && status < 500)
		refuse(visit, answer, out);
	else if (status == 502 || status == 503)
		fail(visit, answer, ERR_UPSTREAM, "", out);
	else if (status == 504)
		fail(visit, answer, ERR_UPSTREAM_TIMEOUT, "", out);
	else
		fail(visit, answer, ERR_UPSTREAM_ANSWER, "", out);
	if (out->err == ERR_UPSTREAM)
		out->retry_after = retry_of(answer);
}
