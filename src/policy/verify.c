/* SPDX-License-Identifier: Apache-2.0 */
/* The decision, read from top to bottom in the table of steps. */
#include "policy/verify.h"

#include "base/clock.h"
#include "policy/api_key.h"
#include "policy/issuer_choice.h"
#include "policy/local_user.h"
#include "policy/opaque_session.h"
#include "policy/revocation.h"

static enum err step_policy(struct worker *worker, const struct request *request, struct verdict *verdict)
{
	return access_find(worker->snapshot, request, &verdict->policy);
}

static enum err step_credentials(struct worker *worker, const struct request *request, struct verdict *verdict)
{
	const struct token_sources *sources = &verdict->policy->sources;
	enum err err = credentials_find(sources, worker->arena, request, &verdict->credentials);
	if (err == ERR_NO_TOKEN)
		verdict->why = credentials_namesake(sources, worker->arena, request->cookie);
	else if (err == ERR_BAD_REQUEST)
		verdict->why = verdict->credentials.fault;
	return err;
}

/* The token of the credentials: parsed, its issuer found, and verified. */
static enum err check_token(struct worker *worker, const struct issuer_set *issuers,
			    const struct credentials *credentials, struct token *token, struct claims *claims)
{
	const struct verification with = {worker->token, worker->arena, clock_now()};
	struct issuer *issuer;
	enum err err = issuer_check_size(issuers, credentials->token);
	if (!err)
		err = token_parse(worker->arena, credentials->token, token);
	if (err)
		return err;
	token->cookie = credentials->cookie;
	err = issuer_choose(worker->arena, issuers, token, &issuer);
	if (!err)
		err = issuer_check_size(&(struct issuer_set){&issuer, 1}, credentials->token);
	if (err)
		return err;
	err = opaque_session_verify(worker, issuer, token, claims);
	if (err != ERR_NOT_FOUND)
		return err;
	err = issuer_verify(issuer, &with, token, claims);
	if (keys_refetch(worker->keys, issuer, token, &err))
		err = issuer_verify(issuer, &with, token, claims);
	return err;
}

static enum err step_token(struct worker *worker, const struct request *request, struct verdict *verdict)
{
	(void)request;
	if (verdict->credentials.carrier == CARRIER_API_KEY)
		return api_key_verify(worker, verdict->credentials.token, &verdict->claims, &verdict->retry_after);
	return check_token(worker, &verdict->policy->issuers, &verdict->credentials, &verdict->token,
			   &verdict->claims);
}

static enum err step_revocation(struct worker *worker, const struct request *request, struct verdict *verdict)
{
	(void)request;
	const struct profile_source *profile = verdict->policy->profile;
	struct store_key key;
	if (profile && !profile_key(worker, profile, verdict->claims.user_id, &key))
		return ERR_INTERNAL;
	return revocation_check(worker, &verdict->token, &verdict->claims, profile ? &key : NULL, &verdict->cached);
}

static enum err step_user(struct worker *worker, const struct request *request, struct verdict *verdict)
{
	(void)request;
	const struct policy *policy = verdict->policy;
	enum err err = ERR_NONE;
	verdict->subject.claims = &verdict->claims;
	if (policy->profile) {
		verdict->profile = (struct profile_lookup){
			.source = policy->profile, .claims = &verdict->claims, .cached = verdict->cached};
		err = profile_get(worker, &verdict->profile);
		verdict->subject.profile = verdict->profile.profile;
		verdict->why = verdict->profile.why;
	}
	if (!err && policy->conf->local_user)
		err = local_user_touch(worker, policy, &verdict->subject);
	return err;
}

/* Renewed, a token is as old as its login. */
static void read_auth_time(const struct worker *worker, struct claims *claims)
{
	const struct issuer *ours = worker->snapshot->login_issuer;
	if (ours && str_eq(claims->issuer, issuer_name(ours)))
		json_integer(json_member(claims->all, STR("auth_time")), &claims->auth_time);
}

static enum err step_rules(struct worker *worker, const struct request *request, struct verdict *verdict)
{
	if (verdict->policy->conf->max_age)
		read_auth_time(worker, &verdict->claims);
	enum err err = access_check_paths(verdict->policy, request, verdict->claims.user_id);
	if (!err && verdict->credentials.carrier == CARRIER_COOKIE)
		err = access_check_websocket(verdict->policy, request, &verdict->why);
	if (err)
		return err;
	return access_check_rules(verdict->policy, &verdict->subject, clock_now(), &verdict->why);
}

static const struct {
	enum verify_step step;
	const char *name;
	enum err (*run)(struct worker *worker, const struct request *request, struct verdict *verdict);
} steps[] = {
	{VERIFY_POLICY, "policy", step_policy},		    {VERIFY_CREDENTIALS, "credentials", step_credentials},
	{VERIFY_TOKEN, "token", step_token},		    {VERIFY_REVOCATION, "revocation", step_revocation},
	{VERIFY_USER, "user", step_user},		    {VERIFY_RULES, "rules", step_rules},
};

enum { STEPS = sizeof steps / sizeof *steps };

/* A page for everybody: no token is fine, and a browser's left-over cookie that
 * is no good counts as none. A program that shows a bad token is told so. */
static bool is_anonymous(const struct verdict *verdict)
{
	if (!verdict->policy || verdict->policy->conf->unauthenticated != UNAUTHENTICATED_ANONYMOUS)
		return false;
	return verdict->err == ERR_NO_TOKEN ||
	       (err_row(verdict->err)->status == 401 && verdict->credentials.carrier == CARRIER_COOKIE);
}

static void decide(struct worker *worker, const struct request *request, enum err request_err, const char *why,
		   struct verdict *out)
{
	*out = (struct verdict){.err = request_err, .step = VERIFY_REQUEST, .why = str_of(why)};
	for (size_t i = 0; i < STEPS && out->err == ERR_NONE; i++) {
		out->step = steps[i].step;
		out->err = steps[i].run(worker, request, out);
	}
	if (out->err == ERR_NONE)
		out->step = VERIFY_DONE;
	out->anonymous = out->err != ERR_NONE && is_anonymous(out);
	if (out->anonymous)
		out->err = ERR_NONE;
}

/* Allowed by what was asked for, the request must be allowed by what is served, too:
 * a rewrite to "/index.php" must not open "/admin/", nor an included file what lies
 * under another policy. Of two allows the one for what is served counts, unless it
 * alone knows no user. */
static void decide_effective(struct worker *worker, const struct request *request, struct verdict *out)
{
	const struct request effective = request_effective(request);
	const struct verdict first = *out;
	const struct policy *policy;
	if (access_find(worker->snapshot, &effective, &policy) == ERR_NONE && policy == first.policy)
		return;
	/* In place: parts of a verdict point to others. */
	decide(worker, &effective, ERR_NONE, NULL, out);
	out->two_policies = true;
	if (out->err != ERR_NONE || first.anonymous)
		return;
	if (out->anonymous) {
		*out = first;
		out->two_policies = true;
		return;
	}
	out->err = access_check_same_user(&first.claims, &out->claims);
	out->step = out->err ? VERIFY_RULES : VERIFY_DONE;
}

void verify_request(struct worker *worker, const struct request *request, enum err request_err, const char *why,
		    struct verdict *out)
{
	decide(worker, request, request_err, why, out);
	if (out->err == ERR_NONE && request->effective_path.p)
		decide_effective(worker, request, out);
}

enum err verify_token(struct worker *worker, const struct issuer_set *issuers, const struct credentials *credentials,
		      struct token *token, struct claims *claims)
{
	enum err err = check_token(worker, issuers, credentials, token, claims);
	return err ? err : revocation_check(worker, token, claims, NULL, NULL);
}

const char *verify_step_name(enum verify_step step)
{
	for (size_t i = 0; i < STEPS; i++)
		if (steps[i].step == step)
			return steps[i].name;
	return step == VERIFY_REQUEST ? "request" : "done";
}
