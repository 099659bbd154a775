/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict is kept where the credentials alone decide, and for as long as nothing of
 * what it was made of gets old. What is not named here as fit is not kept. */
#include "policy/verdict_cache.h"

#include "base/clock.h"
#include "policy/session_renew.h"

/* Other requests are judged alike; of these two more is asked than the credentials say. */
static bool is_plain(const struct request *request)
{
	return !str_eq(request->method, STR("OPTIONS")) && !request->websocket;
}

/* Does it look at nothing but what the web server's key has? With cors-origin an allow
 * says which origin asked. */
static bool is_plain_policy(const struct policy *policy)
{
	const struct token_sources *sources = &policy->sources;
	for (size_t i = 0; i < sources->n_carriers; i++)
		if (sources->carriers[i] != CARRIER_BEARER && sources->carriers[i] != CARRIER_COOKIE)
			return false;
	return policy->conf->cors_origin.n == 0;
}

/* With memcached another host may have revoked the token: only who asks learns of it. And
 * who wants a line for each allow is to have it. */
static bool may_be_kept(const struct snapshot *snapshot, const struct request *request,
			const struct verdict *verdict)
{
	return request->cache_wanted && verdict->err == ERR_NONE && !verdict->anonymous && !verdict->two_policies &&
	       is_plain(request) &&
	       is_plain_policy(verdict->policy) && snapshot->store->memcached.n == 0 &&
	       !snapshot->server->log_allow && verdict->profile.from != PROFILE_FROM_OLD;
}

static void bound(int64_t *ms, int64_t most)
{
	if (most < *ms)
		*ms = most;
}

/* until: seconds of the wall clock. Whole seconds that have not quite passed do not count. */
static void bound_until(int64_t *ms, int64_t until)
{
	int64_t until_ms;
	if (!__builtin_mul_overflow(until, 1000, &until_ms))
		bound(ms, until_ms - clock_now_ms());
}

static int64_t milliseconds(const struct snapshot *snapshot, const struct verdict *verdict)
{
	const struct policy_conf *conf = verdict->policy->conf;
	const struct claims *claims = &verdict->claims;
	int64_t ms = conf->verdict_ttl, end;
	/* Without the leeway: that is for clocks that differ, and for requests under way. */
	if (claims->exp != TIME_ABSENT)
		bound_until(&ms, claims->exp);
	if (conf->max_age && !__builtin_add_overflow(claims_since(claims), conf->max_age / 1000, &end))
		bound_until(&ms, end);
	/* From then on each answer may bring the next token. */
	int64_t renewal = session_renewal_of(snapshot, verdict);
	if (renewal != TIME_ABSENT)
		bound_until(&ms, renewal);
	if (claims->ask_again_ms)
		bound(&ms, claims->ask_again_ms - clock_monotonic_ms());
	if (verdict->profile.source)
		bound(&ms, verdict->profile.new_until_ms - clock_unfrozen_ms());
	/* Somebody who is there is seen so often, at least. */
	if (conf->local_user)
		bound(&ms, conf->local_user_refresh);
	return ms;
}

struct verdict_hold verdict_cache_hold(const struct snapshot *snapshot, const struct request *request,
				       const struct verdict *verdict)
{
	if (!may_be_kept(snapshot, request, verdict))
		return (struct verdict_hold){0};
	int64_t ms = milliseconds(snapshot, verdict);
	return (struct verdict_hold){
		.seconds = ms > 0 ? ms / 1000 : 0,
		/* A policy that is found by the path says nothing of other paths. */
		.every_path = request->policy.n > 0 && verdict->policy->conf->path_user.n == 0,
	};
}
