/* SPDX-License-Identifier: Apache-2.0 */
/* What a token says beside what its issuer wants. The values are shown as they
 * are written in the token, whether its signature is right or not; of an encrypted
 * one that could not be decrypted there are none. */
#include "base/clock.h"
#include "bin/authctl_explain.h"
#include "policy/issuer_choice.h"

static struct arena *arena_of(const struct explanation *e)
{
	return e->judgement->tool.worker.arena;
}

static struct str raw(const struct json *value)
{
	return value ? value->raw : STR_NONE;
}

static void list_row(struct explanation *e, const char *what, const struct conf_list *wanted, const struct json *came)
{
	if (wanted->n || came)
		explain_row(e, what, wanted->n ? explain_list(e, wanted) : STR("anything"), raw(came));
}

/* Which issuer ----------------------------------------------------------- */

/* Whose options the token is shown beside, or NULL. */
static const struct issuer *find_issuer(const struct explanation *e, const struct token *token)
{
	const struct issuer_set *issuers = &e->judgement->verdict.policy->issuers;
	struct issuer *issuer = NULL;
	if (issuers->n == 1)
		return issuers->items[0];
	return token->header && !issuer_choose(arena_of(e), issuers, token, &issuer) ? issuer : NULL;
}

/* "a" (iss https://a.test), "b" (any iss) */
static void explain_no_issuer(struct explanation *e, const struct token *token)
{
	const struct issuer_set *issuers = &e->judgement->verdict.policy->issuers;
	struct buf out = arena_buf(arena_of(e), 2048);
	for (size_t i = 0; i < issuers->n; i++) {
		const struct conf_list *iss = &issuer_wants(issuers->items[i]).rules->iss;
		struct str text = explain_list(e, iss);
		buf_printf(&out, "%s\"%.*s\" (%s%.*s)", i ? ", " : "", STR_ARGS(issuer_name(issuers->items[i])),
			   iss->n ? "iss " : "any iss", STR_ARGS(text));
	}
	explain_row(e, "issuer", buf_str(&out), STR("a token that is none's, or several could take"));
	if (token->header) {
		explain_row(e, "alg", STR_NONE, raw(json_member(token->header, STR("alg"))));
		explain_row(e, "kid", STR_NONE, raw(json_member(token->header, STR("kid"))));
	}
	if (token->payload)
		explain_row(e, "iss", STR_NONE, raw(json_member(token->payload, STR("iss"))));
}

/* Header and key --------------------------------------------------------- */

static void explain_algorithm(struct explanation *e, const struct issuer_wants *wants, const struct json *header)
{
	struct buf alg = arena_buf(arena_of(e), 256), enc = arena_buf(arena_of(e), 256);
	for (size_t i = 0; algorithm_at(i); i++)
		if (algorithm_has(wants->algorithms, algorithm_at(i)))
			buf_printf(&alg, "%s%s", alg.n ? ", " : "", algorithm_at(i)->name);
	for (size_t i = 0; encryption_at(i); i++)
		if (encryption_find(str_of(encryption_at(i)->name), wants->encryptions))
			buf_printf(&enc, "%s%s", enc.n ? ", " : "", encryption_at(i)->name);
	if (wants->forms & TOKEN_FORM(TOKEN_JWE))
		buf_printf(&alg, "%sdir", alg.n ? ", " : "");
	explain_row(e, "alg", buf_str(&alg), raw(json_member(header, STR("alg"))));
	if (enc.n || json_member(header, STR("enc")))
		explain_row(e, "enc", enc.n ? buf_str(&enc) : STR("none: signed tokens only"),
			    raw(json_member(header, STR("enc"))));
}

static void add_key(void *context, const struct issuer_key *key)
{
	struct buf *out = context;
	buf_printf(out, "%s", out->n ? ", " : "");
	if (key->kid.p)
		buf_printf(out, "\"%.*s\" (%s, %zu bits)", STR_ARGS(key->kid), key->algorithm, key->bits);
	else
		buf_printf(out, "any (%s, %zu bits)", key->algorithm, key->bits);
}

/* A token without kid is fine where one key fits. */
static void explain_kid(struct explanation *e, const struct issuer *issuer, const struct json *header)
{
	struct buf out = arena_buf(arena_of(e), 16 << 10);
	struct str url = issuer_jwks(issuer).url;
	if (!issuer_each_key(issuer, add_key, &out))
		buf_printf(&out, "%sthose at %.*s, which have not been fetched", out.n ? ", " : "", STR_ARGS(url));
	explain_row(e, "kid", buf_str(&out), raw(json_member(header, STR("kid"))));
}

/* What cryptography has said, where it came to that. */
static void explain_authentic(struct explanation *e, const struct token *token)
{
	switch (e->judgement->verdict.err) {
	case ERR_BAD_SIGNATURE:
		explain_row(e, "signature", STR("made with such a key, over these very bytes"),
			    STR("made with another one, or the token was changed"));
		break;
	case ERR_DECRYPT_FAILED:
		explain_row(e, "decryption", STR("encrypted with such a key"),
			    STR("encrypted with another one, cut or changed; its claims are not known"));
		break;
	case ERR_TOKEN_MALFORMED:
		if (token->form == TOKEN_JWE && !token->payload)
			explain_row(e, "encrypted", STR("no encrypted key, and a strict JSON object of claims"),
				    STR("something else"));
		break;
	default:
		break;
	}
}

static void explain_header(struct explanation *e, const struct issuer *issuer, const struct issuer_wants *wants,
			   const struct token *token)
{
	explain_algorithm(e, wants, token->header);
	explain_kid(e, issuer, token->header);
	explain_authentic(e, token);
	list_row(e, "typ", &wants->rules->typ, json_member(token->header, STR("typ")));
	for (const struct issuer_header *h = wants->headers; h && h->name; h++)
		explain_row(e, h->name, str_of(h->wanted), raw(json_member(token->header, str_of(h->name))));
}

/* Claims ----------------------------------------------------------------- */

/* "1767225600 (2026-01-01T00:00:00Z, 300 s ago)" */
static struct str print_date(const struct explanation *e, const struct json *value)
{
	char date[OUTPUT_DATE_SIZE];
	int64_t at, distance, now = clock_now();
	if (!value || !json_date(value, &at))
		return raw(value);
	bool past = at <= now;
	distance = past ? now - at : at - now;
	return arena_printf(arena_of(e), "%.*s (%s, %s%lld s%s)", STR_ARGS(value->raw), output_date(at, date),
			    past ? "" : "in ", (long long)distance, past ? " ago" : "");
}

static void explain_times(struct explanation *e, const struct claims_rules *rules, const struct json *payload)
{
	struct arena *arena = arena_of(e);
	char date[OUTPUT_DATE_SIZE];
	struct str now = arena_printf(arena, "%lld (%s)", (long long)clock_now(), output_date(clock_now(), date));
	const struct json *exp = json_member(payload, STR("exp")), *nbf = json_member(payload, STR("nbf")),
			  *iat = json_member(payload, STR("iat"));
	explain_row(e, "now", STR_NONE, now);
	if (iat || rules->max_lifetime)
		explain_row(e, "iat", rules->check_iat ? STR("a number, not later than now") : STR("a number"),
			    print_date(e, iat));
	if (nbf)
		explain_row(e, "nbf", STR("a number, not later than now"), print_date(e, nbf));
	if (exp || rules->require_exp)
		explain_row(e, "exp", STR("later than now"), print_date(e, exp));
	if (rules->leeway > 0)
		explain_row(e, "leeway", STR_NONE, arena_printf(arena, "%lld s", (long long)rules->leeway));
	if (rules->max_lifetime)
		explain_row(e, "lifetime", arena_printf(arena, "at most %lld s", (long long)rules->max_lifetime),
			    STR("exp - iat"));
}

static void explain_claims(struct explanation *e, const struct claims_rules *rules, const struct json *payload)
{
	const struct json *id = NULL;
	for (size_t i = 0; i < rules->user_id.n && !id; i++)
		id = json_path(payload, rules->user_id.items[i].value);
	list_row(e, "iss", &rules->iss, json_member(payload, STR("iss")));
	list_row(e, "aud", &rules->audience, json_member(payload, STR("aud")));
	list_row(e, "azp", &rules->authorized_parties, json_member(payload, STR("azp")));
	list_row(e, "user id", &rules->user_id, id);
	explain_times(e, rules, payload);
}

void explain_token(struct explanation *e)
{
	const struct token *token = &e->judgement->verdict.token;
	struct str text = e->judgement->verdict.credentials.token;
	explain_form(e, text);
	if (!token->text.p)
		return;
	const struct issuer *issuer = find_issuer(e, token);
	if (!issuer) {
		explain_no_issuer(e, token);
		return;
	}
	struct issuer_wants wants = issuer_wants(issuer);
	explain_row(e, "issuer", STR_NONE,
		    arena_printf(arena_of(e), "%.*s (type %s)", STR_ARGS(issuer_name(issuer)), wants.type));
	if (text.n > issuer_max_token(issuer))
		explain_row(e, "size",
			    arena_printf(arena_of(e), "at most %zu bytes (max-token)", issuer_max_token(issuer)),
			    arena_printf(arena_of(e), "%zu bytes", text.n));
	if (token->header)
		explain_header(e, issuer, &wants, token);
	if (token->payload)
		explain_claims(e, wants.rules, token->payload);
}
