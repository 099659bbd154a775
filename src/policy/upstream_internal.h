/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by upstream_call.c (one call, within bounds), upstream_answer.c (what an
 * answer means), upstream_body.c (what is sent), upstream_cookie.c (cookies of the
 * server), upstream_session.c (login and registration), upstream_actions.c (the
 * others), upstream_gate.c (how many are at it). */
#ifndef POLICY_UPSTREAM_INTERNAL_H
#define POLICY_UPSTREAM_INTERNAL_H

#include "policy/upstream.h"

enum { UPSTREAM_COOKIES_MAX = 128, UPSTREAM_VALUES_MAX = 8 };

/* One action, with all the calls it takes. */
struct upstream_visit {
	const struct call *call;
	const struct upstream *upstream;
	int64_t deadline_ms; /* monotonic, for all of them */
	enum upstream_action asked; /* the last one */
	struct upstream_cookie *cookies; /* what the server has set meanwhile */
	size_t n_cookies;
};

struct upstream_question {
	enum upstream_action action;
	struct str url;	 /* STR_NONE: that of the action */
	struct str body; /* of a POST; STR_NONE: GET */
	enum upstream_request encoding;
	struct str bearer;     /* or STR_NONE */
	bool clients_cookies;  /* pass-cookies of the client go with it */
};

/* Bounds ----------------------------------------------------------------- */

/* A place among `most` (0: a quarter of the workers). While the server answers, up to
 * half of the workers wait for one, each up to wait_ms. NULL gates (tools) have room. */
bool upstream_gate_enter(struct upstream_gate *gate, unsigned most, int64_t wait_ms);
void upstream_gate_leave(struct upstream_gate *gate);
/* A logout found nobody there: the next ones do not wait for that again for a moment. */
void upstream_gate_rest(struct upstream_gate *gate, int64_t ms);
bool upstream_gate_rests(struct upstream_gate *gate);

/* Enter, and begin to count the time. ERR_OVERLOADED; ERR_INTERNAL: no memory. */
enum err upstream_begin(const struct call *call, int64_t timeout_ms, int64_t wait_ms, struct upstream_visit *out);
void upstream_end(struct upstream_visit *visit);
/* One call. Cookies that come are added to the visit's, and go with the next call.
 * ERR_UPSTREAM, ERR_UPSTREAM_TIMEOUT, ERR_UPSTREAM_ANSWER: no answer that could be
 * read, which has been logged. */
enum err upstream_ask(struct upstream_visit *visit, const struct upstream_question *question,
		      struct fetch_answer *out);
/* A line in the log about the server: what is wrong, and for the admin. */
__attribute__((format(printf, 4, 5))) void upstream_complain(const struct call *call, enum upstream_action action,
							     enum err err, const char *format, ...);

/* The csrfToken that goes with the next body; STR_NONE: the server wants none. */
enum err upstream_csrf(struct upstream_visit *visit, struct str *out);

/* Answers ---------------------------------------------------------------- */

/* What the answer to the last question means, but for its token. What is no good is logged. */
void upstream_judge(const struct upstream_visit *visit, const struct fetch_answer *answer,
		    struct upstream_outcome *out);
void upstream_fail(struct upstream_outcome *out, enum err err);
/* The first of the paths that is there and not null; NULL: none is. */
const struct json *upstream_find(const struct conf_list *paths, const struct json *json);
/* What the answer says is wrong: a text, or FastAPI's list of {loc, msg}; without what
 * is not for people. STR_NONE: nothing. */
struct str upstream_error_text(struct arena *arena, const struct upstream *upstream, const struct json *json);

/* Bodies ----------------------------------------------------------------- */

/* STR_NONE: no memory. */
struct str upstream_body(struct arena *arena, const struct upstream *upstream, enum upstream_action action,
			 const struct upstream_values *values);

/* Cookies ---------------------------------------------------------------- */

/* false: no cookie that could be used. */
bool upstream_cookie_parse(struct str line, struct upstream_cookie *out);
/* Is it one of pass-cookies, or a chunk of one? */
bool upstream_cookie_passes(const struct upstream *upstream, struct str name);
/* The line for our client. */
void upstream_cookie_print(const struct call *call, const struct upstream_cookie *cookie, struct buf *out);
/* A Cookie header of what the visit has (pass: pass-cookies alone), and, with client,
 * of the client's own. STR_NONE: it would be empty, or no memory. */
struct str upstream_cookie_header(const struct upstream_visit *visit, bool pass, bool client);

#endif
