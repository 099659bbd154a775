/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl explain`: whose profile was had from where, and what it says of the account. */
#include "base/clock.h"
#include "bin/authctl_explain.h"
#include "token/json.h"

static struct str print_age(const struct explanation *e, const char *from, int64_t fetched_ms)
{
	int64_t age = (clock_unfrozen_ms() - fetched_ms) / 1000;
	return arena_printf(e->judgement->tool.worker.arena, "%s, fetched %lld second%s ago", from,
			    (long long)(age > 0 ? age : 0), age == 1 ? "" : "s");
}

static struct str print_origin(const struct explanation *e, const struct profile_lookup *lookup)
{
	switch (lookup->from) {
	case PROFILE_FROM_SERVICE:
		return STR("from the service, just now");
	case PROFILE_FROM_CACHE:
		return print_age(e, "from the cache", lookup->fetched_ms);
	case PROFILE_FROM_OLD:
		return print_age(e, "from the cache, older than ttl", lookup->fetched_ms);
	default:
		return lookup->why.n == 0 ? STR_NONE
					  : arena_printf(e->judgement->tool.worker.arena, "none: %.*s",
							 STR_ARGS(lookup->why));
	}
}

void explain_profile(struct explanation *e)
{
	const struct verdict *verdict = &e->judgement->verdict;
	const struct profile_lookup *lookup = &verdict->profile;
	struct arena *arena = e->judgement->tool.worker.arena;
	if (!lookup->source)
		return;
	const struct profile_conf *conf = profile_source_conf(lookup->source);
	explain_row(e, "profile", STR_NONE,
		    arena_printf(arena, "\"%.*s\", %.*s", STR_ARGS(profile_source_name(lookup->source)),
				 STR_ARGS(profile_source_shown(lookup->source))));
	explain_row(e, "answer", arena_printf(arena, "one about \"%.*s\"", STR_ARGS(verdict->claims.user_id)),
		    print_origin(e, lookup));
	if (verdict->err == ERR_USER_UNKNOWN)
		explain_row(e, "user", STR("one that the service knows"), STR("it knows no such user"));
	if (lookup->profile && conf->active.value.p) {
		const struct json *flag = json_path(lookup->profile, conf->active.value);
		explain_row(e, "active",
			    arena_printf(arena, "%.*s not false", STR_ARGS(conf->active.value)),
			    flag ? flag->raw : STR_NONE);
	}
}
