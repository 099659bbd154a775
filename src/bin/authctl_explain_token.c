/* SPDX-License-Identifier: Apache-2.0 */
/* What a token says beside what its issuer's options want. The values are shown
 * as they are written in the token, whether its signature is right or not. */
#include "base/clock.h"
#include "bin/authctl_explain.h"

static struct str raw(const struct json *value)
{
	return value ? value->raw : STR_NONE;
}

static bool has_list(const struct issuer *issuer)
{
	bool has;
	issuer_claims_iss(issuer, STR(""), &has);
	return has;
}

/* Whose options the token is shown beside: the policy's only issuer, else the one
 * that has its iss, else the one that takes any. NULL: none. */
static const struct issuer *find_issuer(const struct judgement *j)
{
	const struct policy *policy = j->verdict.policy;
	const struct issuer *any = NULL;
	struct str iss = STR_NONE;
	bool has;
	if (policy->issuers.n == 1)
		return policy->issuers.items[0];
	json_string(json_member(j->verdict.token.payload, STR("iss")), &iss);
	for (size_t i = 0; i < policy->issuers.n; i++) {
		if (iss.p && issuer_claims_iss(policy->issuers.items[i], iss, &has) && has)
			return policy->issuers.items[i];
		if (!has_list(policy->issuers.items[i]))
			any = policy->issuers.items[i];
	}
	return any;
}

static void list_row(struct explanation *e, const char *what, const struct conf_list *wanted, const struct json *came)
{
	if (wanted->n || came)
		explain_row(e, what, wanted->n ? explain_list(e, wanted) : STR("anything"), raw(came));
}

/* "1767225600 (2026-01-01T00:00:00Z, 300 s ago)" */
static struct str print_date(const struct explanation *e, const struct json *value)
{
	char date[OUTPUT_DATE_SIZE];
	int64_t at, distance, now = clock_now();
	if (!value || !json_date(value, &at))
		return raw(value);
	bool past = at <= now;
	distance = past ? now - at : at - now;
	return arena_printf(e->judgement->tool.worker.arena, "%.*s (%s, %s%lld s%s)", STR_ARGS(value->raw),
			    output_date(at, date), past ? "" : "in ", (long long)distance, past ? " ago" : "");
}

static void explain_times(struct explanation *e, const struct issuer_conf *conf)
{
	const struct json *payload = e->judgement->verdict.token.payload;
	struct arena *arena = e->judgement->tool.worker.arena;
	char date[OUTPUT_DATE_SIZE];
	struct str now = arena_printf(arena, "%lld (%s)", (long long)clock_now(), output_date(clock_now(), date));
	const struct json *exp = json_member(payload, STR("exp")), *nbf = json_member(payload, STR("nbf"));
	explain_row(e, "now", STR_NONE, now);
	if (json_member(payload, STR("iat")))
		explain_row(e, "iat", STR_NONE, print_date(e, json_member(payload, STR("iat"))));
	if (nbf)
		explain_row(e, "nbf", STR("not later than now"), print_date(e, nbf));
	if (exp || !conf || conf->require_exp)
		explain_row(e, "exp", STR("later than now"), print_date(e, exp));
	if (conf && conf->leeway > 0)
		explain_row(e, "leeway", STR_NONE, arena_printf(arena, "%lld s", (long long)(conf->leeway / 1000)));
	if (conf && conf->max_lifetime)
		explain_row(e, "lifetime",
			    arena_printf(arena, "at most %lld s", (long long)(conf->max_lifetime / 1000)),
			    STR("exp - iat"));
}

static void explain_user(struct explanation *e, const struct conf_list *paths)
{
	const struct json *came = NULL;
	for (size_t i = 0; i < paths->n && !came; i++)
		came = json_path(e->judgement->verdict.token.payload, paths->items[i].value);
	list_row(e, "user id", paths, came);
}

void explain_token(struct explanation *e)
{
	const struct judgement *j = e->judgement;
	const struct token *token = &j->verdict.token;
	if (!token->header || !token->payload) {
		size_t parts = 1;
		for (size_t i = 0; i < j->token.n; i++)
			parts += j->token.p[i] == '.';
		explain_row(e, "form", STR("3 parts joined by dots"),
			    arena_printf(j->tool.worker.arena, "%zu parts, %zu bytes", parts, j->token.n));
		return;
	}
	const struct issuer *issuer = find_issuer(j);
	const struct issuer_conf *conf =
		issuer ? conf_find(j->tool.snapshot->conf, &issuer_kind, issuer_name(issuer)) : NULL;
	static const struct issuer_conf nothing;
	const struct issuer_conf *wanted = conf ? conf : &nothing;
	explain_row(e, "issuer", STR_NONE, issuer ? issuer_name(issuer) : STR("none of the policy's has this iss"));
	list_row(e, "alg", &wanted->algorithms, json_member(token->header, STR("alg")));
	list_row(e, "typ", &wanted->typ, json_member(token->header, STR("typ")));
	if (json_member(token->header, STR("kid")))
		explain_row(e, "kid", STR_NONE, raw(json_member(token->header, STR("kid"))));
	list_row(e, "iss", &wanted->iss, json_member(token->payload, STR("iss")));
	list_row(e, "aud", &wanted->audience, json_member(token->payload, STR("aud")));
	list_row(e, "azp", &wanted->authorized_parties, json_member(token->payload, STR("azp")));
	explain_user(e, &wanted->user_id);
	explain_times(e, conf);
}
