/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the policy of a request and holding its user against the rules.
 * Compiling policies from the configuration is access_compile.c. */
#include "policy/access.h"

#include "http/negotiate.h"
#include "http/url.h"
#include "policy/cors.h"
#include "policy/route.h"
#include "policy/runtime.h"

static enum err find_named(const struct snapshot *snapshot, struct str name, const struct policy **out)
{
	for (size_t i = 0; i < snapshot->n_policies; i++)
		if (str_eq(snapshot->policies[i].name, name)) {
			*out = &snapshot->policies[i];
			return ERR_NONE;
		}
	return ERR_NO_POLICY;
}

enum err access_find(const struct snapshot *snapshot, const struct request *request, const struct policy **out)
{
	if (request->policy.n)
		return find_named(snapshot, request->policy, out);
	const struct policy *policy = route_table_find(snapshot->routes, request->host, request->path);
	/* "/admin;x/" is no "/admin/" to us, but it is to a Java server behind us. */
	if (request->bare_path.n != request->path.n &&
	    route_table_find(snapshot->routes, request->host, request->bare_path) != policy)
		return ERR_BAD_REQUEST;
	if (!policy)
		return ERR_NO_POLICY;
	*out = policy;
	return ERR_NONE;
}

enum err access_check_path(const struct policy *policy, struct str path, struct str user_id)
{
	const struct conf_list *patterns = &policy->conf->path_user;
	for (size_t i = 0; i < patterns->n; i++) {
		struct str owner;
		if (url_pattern_match(patterns->items[i].value, path, &owner) && !str_eq(owner, user_id))
			return ERR_USER_MISMATCH;
	}
	return ERR_NONE;
}

enum err access_check_paths(const struct policy *policy, const struct request *request, struct str user_id)
{
	const struct str paths[] = {request->path, request->bare_path, request->effective_path,
				    request->bare_effective_path};
	enum err err = ERR_NONE;
	for (size_t i = 0; !err && i < sizeof paths / sizeof *paths; i++)
		if (paths[i].p)
			err = access_check_path(policy, paths[i], user_id);
	return err;
}

enum err access_check_same_user(const struct claims *a, const struct claims *b)
{
	return str_eq(a->user_id, b->user_id) && str_eq(a->issuer, b->issuer) ? ERR_NONE : ERR_USER_MISMATCH;
}

enum err access_check_websocket(const struct policy *policy, const struct request *request, struct str *why)
{
	if (!request->websocket || negotiate_own_origin(request) || cors_lists(policy, request))
		return ERR_NONE;
	*why = STR("websocket from another origin");
	return ERR_RULE_FAILED;
}

static bool is_fresh(const struct policy *policy, const struct claims *claims, int64_t now)
{
	int64_t limit = policy->conf->max_age / 1000;
	if (policy->conf->max_age == 0)
		return true;
	/* Nor may it come from farther in the future than it may come from the past:
	 * such a token would be young for years. */
	int64_t since = claims_since(claims);
	return since != TIME_ABSENT && now - since <= limit && since - now <= limit;
}

enum err access_check_rules(const struct policy *policy, const struct subject *subject, int64_t now, struct str *why)
{
	*why = STR_NONE;
	for (size_t i = 0; i < policy->n_rules && !why->p; i++)
		if (!rule_holds(&policy->rules[i], subject))
			*why = policy->rules[i].text;
	if (!why->p && !is_fresh(policy, subject->claims, now))
		*why = STR("max-age");
	return why->p ? ERR_RULE_FAILED : ERR_NONE;
}
