/* SPDX-License-Identifier: Apache-2.0 */
/* Whose logout token is it, is it good, and what it ends. Nothing is written for one
 * without a good signature. */
#include "policy/logout_backchannel.h"

#include "base/clock.h"
#include "policy/event.h"
#include "policy/form.h"
#include "policy/issuer_choice.h"
#include "policy/revocation.h"
#include "token/logout_token.h"

enum { ANSWER_MAX = 512, RETRY_AFTER = 5 };

struct job {
	struct token token;
	struct issuer *issuer;
	struct logout_token logout;
	const char *why; /* with an error: for the issuer's admin */
};

static enum err find_issuer(const struct call *call, struct str text, struct job *job)
{
	struct worker *worker = call->worker;
	const struct issuer_set *issuers = &worker->snapshot->issuers;
	struct str iss;
	bool has_list;
	job->why = "logout_token is no signed token";
	enum err err = issuer_check_size(issuers, text);
	if (err == ERR_NONE)
		err = token_parse(worker->arena, text, &job->token);
	if (err)
		return err;
	if (job->token.form != TOKEN_JWS)
		return ERR_BAD_REQUEST;
	job->why = "iss is not known here";
	err = issuer_choose(worker->arena, issuers, &job->token, &job->issuer);
	if (err)
		return err;
	/* An issuer without a list takes tokens of any iss: nobody's word for a logout. */
	bool known = json_string(json_member(job->token.payload, STR("iss")), &iss) &&
		     issuer_claims_iss(job->issuer, iss, &has_list);
	return known ? ERR_NONE : ERR_BAD_REQUEST;
}

static enum err authenticate(const struct call *call, struct job *job)
{
	struct worker *worker = call->worker;
	const struct verification with = {worker->token, worker->arena, clock_now()};
	enum err err = issuer_authenticate(job->issuer, &with, &job->token);
	if (keys_refetch(worker->keys, job->issuer, &job->token, &err))
		err = issuer_authenticate(job->issuer, &with, &job->token);
	job->why = "the signature is not one of the issuer's keys and algorithms";
	if (err)
		return err;
	const struct claims_rules *rules = issuer_wants(job->issuer).rules;
	return logout_token_check(rules, &job->token, with.now, &job->logout, &job->why) ? ERR_NONE : ERR_BAD_REQUEST;
}

/* The jti is kept last: what could not be ended must not be taken for a repetition
 * when it is sent again. */
static enum err end(const struct call *call, struct job *job)
{
	struct worker *worker = call->worker;
	const struct logout_token *logout = &job->logout;
	static const struct str note = {"back-channel logout", 19};
	job->why = "this logout token came before";
	enum err err = revocation_check_logout(worker, logout);
	if (err)
		return err;
	job->why = "the logout could not be made durable for all hosts, try again";
	err = logout->sid.p ? revocation_add_session(worker, logout->iss, logout->sid, note)
			    : revocation_add_user(worker, logout->iss, logout->user_id, note);
	return err ? err : revocation_add_logout(worker, logout);
}

/* Section 2.8. */
static void refuse(const struct call *call, enum err err, const char *why)
{
	bool ours = err_row(err)->status >= 500;
	struct buf b = arena_buf(call->worker->arena, ANSWER_MAX);
	buf_add(&b, ours ? STR("{\"error\":\"temporarily_unavailable\"") : STR("{\"error\":\"invalid_request\""));
	buf_add(&b, STR(",\"error_description\":"));
	buf_json(&b, str_of(why));
	buf_add(&b, STR("}\n"));
	call_begin(call, ours ? 503 : 400);
	if (ours)
		reply_header_int(call->reply, "Retry-After", RETRY_AFTER);
	call_json(call, buf_str(&b));
}

void logout_backchannel(const struct call *call)
{
	struct job job = {0};
	struct form form;
	struct str text = STR_NONE;
	enum err err = form_read(call->worker->arena, call->request, &form);
	if (err == ERR_NONE && form.kind == FORM_FIELDS)
		text = form_text(call->worker->arena, &form, "logout_token");
	job.why = "send a form with the field logout_token";
	err = text.n ? find_issuer(call, text, &job) : ERR_BAD_REQUEST;
	if (err == ERR_NONE)
		err = authenticate(call, &job);
	if (err == ERR_NONE)
		err = end(call, &job);
	if (err) {
		event_act("backchannel_refused", call->request, err, job.logout.user_id, job.why);
		refuse(call, err, job.why);
		return;
	}
	event_act("backchannel_logout", call->request, ERR_NONE, job.logout.user_id,
		  job.logout.sid.p ? "one session" : "everywhere");
	call_begin(call, 200);
	reply_header(call->reply, "Content-Length", STR("0"));
	reply_end(call->reply);
}
