/* SPDX-License-Identifier: Apache-2.0 */
/* One call to the service, and what its answer means: the table in fcgi-auth(7). */
#include "base/clock.h"
#include "policy/profile_internal.h"
#include "token/json.h"

/* A service that wants to be left alone is, but not for longer than a minute: its
 * admin may have no means to take it back. */
enum { PAUSE_LEAST_MS = 1000, PAUSE_MOST_MS = 60000 };

/* A text, or a whole number as it is printed: nothing else is an id. */
static bool is_user(const struct json *value, struct str user_id)
{
	char memory[24];
	struct buf printed = buf_over(memory, sizeof memory);
	struct str text;
	int64_t number;
	if (json_string(value, &text))
		return str_eq(text, user_id);
	if (!json_integer(value, &number))
		return false;
	buf_int(&printed, number);
	return str_eq(buf_str(&printed), user_id);
}

const char *profile_parse(struct arena *arena, const struct profile_source *source, struct str user_id,
			  struct str text, const struct json **out)
{
	const struct json *value;
	if (!json_parse(arena, text, &value) || value->type != JSON_OBJECT)
		return "the answer is no JSON object";
	if (!is_user(json_path(value, source->conf->id.value), user_id))
		return "the answer is of another user, or has no user's id where the option id says";
	*out = value;
	return NULL;
}

static enum profile_outcome take(struct arena *arena, struct profile_call *call, const struct fetch_answer *answer,
				 struct buf *why)
{
	struct profile_entry *entry = &call->entry;
	if (!fetch_type_is_json(answer->content_type)) {
		buf_printf(why, "the answer is of type \"%.*s\", not application/json", STR_ARGS(answer->content_type));
		return PROFILE_NO_GOOD;
	}
	const char *wrong = profile_parse(arena, call->source, call->user_id, answer->body, &entry->value);
	if (wrong) {
		buf_add(why, str_of(wrong));
		return PROFILE_NO_GOOD;
	}
	entry->kind = PROFILE_FOUND;
	entry->text = answer->body;
	return PROFILE_CAME;
}

static int64_t pause_for(int64_t seconds)
{
	if (seconds < PAUSE_LEAST_MS / 1000)
		return PAUSE_LEAST_MS;
	return seconds > PAUSE_MOST_MS / 1000 ? PAUSE_MOST_MS : seconds * 1000;
}

static enum profile_outcome judge(struct arena *arena, struct profile_call *call, const struct fetch_answer *answer,
				  struct buf *why)
{
	switch (answer->status) {
	case 200:
		return take(arena, call, answer, why);
	case 404:
	case 410:
		call->entry.kind = PROFILE_UNKNOWN;
		return PROFILE_CAME;
	case 401:
	case 403:
		buf_printf(why, "the service refuses our key (status %d): see api-key and api-key-header",
			   answer->status);
		return PROFILE_REFUSED;
	case 429:
		call->pause_ms = pause_for(answer->retry_after);
		buf_add(why, STR("the service is asked too often (status 429)"));
		return PROFILE_BUSY;
	default:
		buf_printf(why, "the answer has status %d%s", answer->status,
			   answer->status >= 300 && answer->status < 400 ? ", a redirect, which is not followed" : "");
		return PROFILE_NO_GOOD;
	}
}

enum profile_outcome profile_ask(struct worker *worker, struct profile_call *call, struct buf *why)
{
	const struct profile_source *source = call->source;
	struct fetch *fetch = worker_fetch(worker);
	struct fetch_answer answer;
	struct fetch_request request = {
		.headers = source->headers,
		.n_headers = source->n_headers,
		.timeout_ms = call->timeout_ms,
		/* Who is not there after half of the time will not answer in the other half. */
		.connect_timeout_ms = (call->timeout_ms + 1) / 2,
		.max_body = PROFILE_ANSWER_MAX,
		.allow_plain_http = source->conf->allow_plain_http,
	};
	call->entry = (struct profile_entry){0};
	call->status = 0;
	call->pause_ms = 0;
	if (!profile_url(worker->arena, source, call->user_id, &request.url)) {
		call->entry.kind = PROFILE_UNKNOWN;
		return PROFILE_CAME;
	}
	if (!fetch) {
		buf_add(why, STR("no memory for a call, or no libcurl: the log says more"));
		return PROFILE_AWAY;
	}
	if (!fetch_get(fetch, worker->arena, &request, &answer, why))
		return fetch_unanswered(fetch) ? PROFILE_AWAY : PROFILE_NO_GOOD;
	call->status = answer.status;
	return judge(worker->arena, call, &answer, why);
}
