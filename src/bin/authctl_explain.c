/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl explain`: the verdict of `token verify` for people, step by step. */
#include "bin/authctl_explain.h"

#include <stdio.h>

#include "base/clock.h"
#include "policy/local_user.h"
#include "policy/revocation.h"

static struct arena *arena_of(const struct explanation *e)
{
	return e->judgement->tool.worker.arena;
}

void explain_row(struct explanation *e, const char *what, struct str wanted, struct str came)
{
	if (e->json) {
		document_open(&e->document, NULL, "{}");
		document_text(&e->document, "what", str_of(what));
		document_text(&e->document, "wanted", wanted);
		document_text(&e->document, "came", came);
		document_close(&e->document, "{}");
		return;
	}
	printf("    %-12s ", what);
	if (wanted.p) {
		fputs("wanted ", stdout);
		output_text(wanted);
		fputs("; came ", stdout);
	}
	output_text(came.p ? came : STR("nothing"));
	putchar('\n');
}

struct str explain_list(const struct explanation *e, const struct conf_list *list)
{
	size_t n = 1;
	for (size_t i = 0; i < list->n; i++)
		n += list->items[i].value.n + 2;
	struct buf out = arena_buf(arena_of(e), n);
	for (size_t i = 0; i < list->n; i++) {
		if (i)
			buf_add(&out, STR(", "));
		buf_add(&out, list->items[i].value);
	}
	return list->n ? buf_str(&out) : STR_NONE;
}

/* Steps ------------------------------------------------------------------ */

static void explain_request(struct explanation *e)
{
	const struct request *request = &e->judgement->request;
	explain_row(e, "address", STR_NONE, e->judgement->address);
	if (request->host.n)
		explain_row(e, "host", STR_NONE, request->host);
	if (e->judgement->verdict.step == VERIFY_REQUEST)
		explain_row(e, "refused", STR_NONE, e->judgement->verdict.why);
}

static void explain_policy(struct explanation *e)
{
	const struct judgement *j = e->judgement;
	const struct policy *chosen = j->verdict.policy;
	if (chosen) {
		struct str paths = explain_list(e, &chosen->conf->path);
		explain_row(e, "policy", STR_NONE,
			    arena_printf(arena_of(e), "\"%.*s\" (%s), for %.*s", STR_ARGS(chosen->name), j->policy_from,
					 STR_ARGS(paths)));
		return;
	}
	for (size_t i = 0; i < j->tool.snapshot->n_policies; i++) {
		const struct policy *policy = &j->tool.snapshot->policies[i];
		struct str paths = explain_list(e, &policy->conf->path), hosts = explain_list(e, &policy->conf->host);
		explain_row(e, "there is", STR_NONE,
			    arena_printf(arena_of(e), "\"%.*s\" for %.*s on %.*s", STR_ARGS(policy->name),
					 STR_ARGS(paths), STR_ARGS(hosts.n ? hosts : STR("every host"))));
	}
}

static bool is_api_key(const struct judgement *j)
{
	return j->verdict.credentials.carrier == CARRIER_API_KEY;
}

static void add_names(struct buf *out, const char *what, const struct str *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s%s %.*s", out->n ? ", " : "", what, STR_ARGS(names[i]));
}

static void add_carrier(struct buf *out, const struct token_sources *sources, enum carrier carrier)
{
	static const char *const words[CARRIER_COUNT] = {
		[CARRIER_BEARER] = "bearer", [CARRIER_API_KEY] = "API key", [CARRIER_WEBSOCKET] = "WebSocket protocol"};
	if (carrier == CARRIER_COOKIE)
		add_names(out, "cookie", sources->cookies, sources->n_cookies);
	else if (carrier == CARRIER_QUERY)
		add_names(out, "query", sources->queries, sources->n_queries);
	else
		buf_printf(out, "%s%s", out->n ? ", " : "", words[carrier]);
}

static struct str explain_place(const struct explanation *e)
{
	const struct judgement *j = e->judgement;
	const char *cookie = arguments_value(j->tool.arguments, OPTION_COOKIE);
	const char *query = arguments_value(j->tool.arguments, OPTION_QUERY);
	if (cookie)
		return arena_printf(arena_of(e), "cookie %s", cookie);
	if (query)
		return arena_printf(arena_of(e), "query %s", query);
	if (arguments_value(j->tool.arguments, OPTION_WEBSOCKET))
		return STR("WebSocket protocol");
	return is_api_key(j) ? STR("API key") : STR("bearer");
}

static void explain_credentials(struct explanation *e)
{
	const struct judgement *j = e->judgement;
	const struct token_sources *sources = &j->verdict.policy->sources;
	char memory[1024];
	struct buf wanted = buf_over(memory, sizeof memory);
	for (size_t i = 0; i < sources->n_carriers; i++)
		add_carrier(&wanted, sources, sources->carriers[i]);
	struct str place = explain_place(e);
	explain_row(e, "token", buf_str(&wanted),
		    arena_printf(arena_of(e), "%.*s, %zu bytes", STR_ARGS(place), j->token.n));
	if (j->verdict.err == ERR_NO_TOKEN && j->verdict.why.p)
		explain_row(e, "prefix", STR("the same name, with or without __Secure- or __Host-"), j->verdict.why);
}

static void explain_revocation(struct explanation *e)
{
	const struct judgement *j = e->judgement;
	struct store_key key;
	char text[2 * STORE_KEY_SIZE];
	struct buf hex = buf_over(text, sizeof text);
	if (revocation_token_key(j->tool.worker.token, &j->verdict.token, &j->verdict.claims, &key)) {
		buf_hex(&hex, key.bytes, sizeof key.bytes);
		explain_row(e, "token key", STR("one that is not revoked"), buf_str(&hex));
	}
	hex = buf_over(text, sizeof text);
	if (revocation_user_key(j->tool.worker.token, j->verdict.claims.iss, j->verdict.claims.user_id, &key)) {
		buf_hex(&hex, key.bytes, sizeof key.bytes);
		explain_row(e, "user key", STR("one that is not revoked"), buf_str(&hex));
	}
	if (j->tool.store_why[0])
		explain_row(e, "store", STR("one that can be asked"), str_of(j->tool.store_why));
}

static void explain_record(struct explanation *e)
{
	const struct judgement *j = e->judgement;
	int64_t id = j->verdict.subject.local_user_id;
	if (!j->verdict.policy->conf->local_user)
		return;
	if (j->verdict.step == VERIFY_USER) {
		if (j->verdict.err == ERR_STORE)
			explain_row(e, "records", STR("a file that can be read"), STR_NONE);
		return;
	}
	struct str number = id ? arena_printf(arena_of(e), "number %lld", (long long)id)
			       : STR("no number yet: the first request makes one");
	struct str issuer = local_user_issuer(&j->tool.worker, &j->verdict.claims);
	explain_row(e, "record", STR_NONE,
		    arena_printf(arena_of(e), "user \"%.*s\" of \"%.*s\", %.*s", STR_ARGS(j->verdict.claims.user_id),
				 STR_ARGS(issuer), STR_ARGS(number)));
}

static void explain_user(struct explanation *e)
{
	explain_profile(e);
	explain_record(e);
}

/* What the rule looks at, an object as it is written. */
static struct str rule_value(const struct explanation *e, const struct rule *rule)
{
	struct json memory;
	const struct json *value = value_source_find(&rule->source, &e->judgement->verdict.subject, &memory);
	struct str text = json_text(arena_of(e), value);
	return text.p || !value ? text : value->raw;
}

/* What the application gets; a variable that is left out is what people wonder about. */
static void explain_attributes(struct explanation *e)
{
	const struct policy *policy = e->judgement->verdict.policy;
	for (size_t i = 0; i < policy->n_attributes; i++) {
		const struct attribute *attribute = &policy->attributes[i];
		const struct subject *subject = &e->judgement->verdict.subject;
		struct str value = attribute_value(arena_of(e), attribute, subject);
		const char *why = attribute_left_out(arena_of(e), attribute, subject);
		if (value.p)
			value = arena_printf(arena_of(e), "\"%.*s\"", STR_ARGS(value));
		else if (why)
			value = arena_printf(arena_of(e), "left out: the value %s", why);
		explain_row(e, "attribute", attribute->text, value);
	}
}

static void explain_rules(struct explanation *e)
{
	const struct judgement *j = e->judgement;
	const struct policy *policy = j->verdict.policy;
	for (size_t i = 0; i < policy->conf->path_user.n; i++)
		explain_row(e, "path-user", policy->conf->path_user.items[i].value,
			    arena_printf(arena_of(e), "%.*s by user \"%.*s\"", STR_ARGS(j->request.path),
					 STR_ARGS(j->verdict.claims.user_id)));
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct rule *rule = &policy->rules[i];
		bool holds = rule_holds(rule, &j->verdict.subject);
		struct str came = rule_value(e, rule);
		explain_row(e, "require", rule->text,
			    arena_printf(arena_of(e), "%s%.*s%s (%s)", came.p ? "\"" : "nothing", STR_ARGS(came),
					 came.p ? "\"" : "", holds ? "holds" : "does NOT hold"));
	}
	if (policy->conf->max_age)
		explain_row(e, "max-age",
			    arena_printf(arena_of(e), "%lld s", (long long)(policy->conf->max_age / 1000)),
			    j->verdict.claims.iat == TIME_ABSENT
				    ? STR_NONE
				    : arena_printf(arena_of(e), "%lld s",
						   (long long)(clock_now() - j->verdict.claims.iat)));
	if (j->verdict.step == VERIFY_DONE)
		explain_attributes(e);
}

/* Why, in a sentence that says where to look; NULL when the rows say it. */
static const char *hint(const struct judgement *j)
{
	if (is_api_key(j) && explain_api_key_hint(j->verdict.err))
		return explain_api_key_hint(j->verdict.err);
	switch (j->verdict.err) {
	case ERR_NO_POLICY:
		return "no policy has a path for this address and host: add one, or correct AUTH_POLICY or --policy";
	case ERR_NO_TOKEN:
		return "the policy does not look for a token there: see token-from, and cookie of its issuers and of "
		       "[login]";
	case ERR_AMBIGUOUS_TOKEN:
		return "two different tokens came at once: which one counts cannot be told";
	case ERR_TOKEN_MALFORMED:
		return "a signed token is HEADER.PAYLOAD.SIGNATURE in base64url, of strict JSON; an encrypted one has "
		       "five parts";
	case ERR_BAD_ALGORITHM:
		return "the token is signed or encrypted in a way that its issuer does not allow: see algorithms and "
		       "encryption";
	case ERR_UNKNOWN_KEY:
		return "the issuer has no key of that kid and alg: was it changed on the other side?";
	case ERR_KEYS:
		return "the keys have to be fetched, which the running programs do; authctl keys list shows what there "
		       "is";
	case ERR_BAD_SIGNATURE:
		return "signature does not match: same secret on both sides?";
	case ERR_DECRYPT_FAILED:
		return "same secret on both sides? and the same name of the cookie, where it goes into the key";
	case ERR_BAD_ISSUER:
		return "iss must be one of the issuer's iss, byte by byte: a slash at the end counts";
	case ERR_BAD_PARTY:
		return "azp must be one of the issuer's authorized-parties, byte by byte";
	case ERR_BAD_CLAIM:
		return "a row above differs from what is wanted: typ, the user id (text, or a whole number), a time "
		       "that is missing or no number";
	case ERR_BAD_AUDIENCE:
		return "aud must have one of the issuer's audience, byte by byte; is the token for another service?";
	case ERR_NOT_YET_VALID:
		return "do the clocks of both hosts agree? see leeway";
	case ERR_TOKEN_EXPIRED:
		return "the user must log in again; if the token is new, do the clocks of both hosts agree?";
	case ERR_TOKEN_REVOKED:
		return "authctl revocations show KEY says when and why, with one of the keys above";
	case ERR_USER_MISMATCH:
		return "the path belongs to another user: see path-user";
	case ERR_USER_UNKNOWN:
		return "the service that knows the users does not know this one: see not-found and url of [profile]";
	case ERR_USER_INACTIVE:
		return "the account is not active there; once it is again: authctl cache flush --profile NAME --user "
		       "ID";
	case ERR_PROFILE:
		return "the service that knows the users cannot be asked: authctl check says more";
	case ERR_STORE:
		return "without the store nobody is let in: authctl check says more";
	default:
		return NULL;
	}
}

/* Frame ------------------------------------------------------------------ */

static void explain_token_or_key(struct explanation *e)
{
	if (is_api_key(e->judgement))
		explain_api_key(e);
	else
		explain_token(e);
}

static const struct {
	enum verify_step step;
	void (*explain)(struct explanation *explanation);
} steps[] = {
	{VERIFY_REQUEST, explain_request},	   {VERIFY_POLICY, explain_policy},
	{VERIFY_CREDENTIALS, explain_credentials}, {VERIFY_TOKEN, explain_token_or_key},
	{VERIFY_REVOCATION, explain_revocation},   {VERIFY_USER, explain_user},
	{VERIFY_RULES, explain_rules},
};

static void explain_step(struct explanation *e, size_t i)
{
	enum verify_step failed = e->judgement->verdict.step, step = steps[i].step;
	const char *result = step < failed ? "ok" : step == failed ? "failed" : "not_reached";
	if (e->json) {
		document_open(&e->document, NULL, "{}");
		document_text(&e->document, "step", str_of(verify_step_name(step)));
		document_text(&e->document, "result", str_of(result));
		document_open(&e->document, "rows", "[]");
	} else {
		printf("%-12s %s\n", verify_step_name(step),
		       step < failed	? "ok"
		       : step == failed ? "FAILED"
					: "not reached");
	}
	if (step <= failed)
		steps[i].explain(e);
	if (e->json) {
		document_close(&e->document, "[]");
		document_close(&e->document, "{}");
	}
}

static void print_answer(struct explanation *e)
{
	const struct judgement *j = e->judgement;
	const struct err_row *row = err_row(j->verdict.err);
	if (e->json) {
		document_close(&e->document, "[]");
		document_text(&e->document, "decision", str_of(judge_decision(j)));
		document_text(&e->document, "reason", str_of(judge_reason(j)));
		document_number(&e->document, "status", row->status);
		document_text(&e->document, "hint", str_of(hint(j)));
		document_end(&e->document);
		return;
	}
	printf("answer       %s, %d %s\n", judge_decision(j), row->status, judge_reason(j));
	if (hint(j))
		printf("hint         %s\n", hint(j));
}

int authctl_explain(const struct arguments *arguments)
{
	struct judgement j;
	int status = judge_open(arguments, &j);
	if (status)
		return status;
	struct explanation e = {.judgement = &j, .json = arguments->json};
	if (e.json) {
		document_begin(&e.document);
		document_open(&e.document, "steps", "[]");
	}
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		explain_step(&e, i);
	print_answer(&e);
	status = j.verdict.err == ERR_NONE ? EX_OK : EXIT_FAILED;
	judge_close(&j);
	return status;
}
