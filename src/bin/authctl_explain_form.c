/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a token that cannot even be read: its size, its parts, their
 * base64url and JSON, and what no header may have here. */
#include "base/codec.h"
#include "bin/authctl_explain.h"
#include "policy/issuer_choice.h"

enum { PARTS_MAX = 5 };

static size_t split(struct str text, struct str parts[PARTS_MAX])
{
	struct str part;
	size_t n = 0;
	for (; str_split(&text, '.', &part); n++)
		if (n < PARTS_MAX)
			parts[n] = part;
	return n;
}

static bool decode(struct arena *arena, struct str part, struct str *out)
{
	struct buf bytes = arena_buf(arena, BASE64URL_DECODED(part.n) + 1);
	if (bytes.full || !base64url_decode(part, (unsigned char *)bytes.p, &bytes.n))
		return false;
	*out = buf_str(&bytes);
	return true;
}

/* A part that has to be a strict JSON object; NULL, and a row that says so. */
static const struct json *explain_object(struct explanation *e, const char *what, struct str part)
{
	struct arena *arena = e->judgement->tool.worker.arena;
	struct str bytes;
	const struct json *object;
	if (!decode(arena, part, &bytes))
		explain_row(e, what, STR("base64url without padding (RFC 7515 section 2)"),
			    STR("other bytes, or loose bits at its end"));
	else if (!json_parse(arena, bytes, &object))
		explain_row(e, what,
			    STR("strict JSON (RFC 8259), each name once in an object, and not too deep or large"),
			    STR("something else"));
	else if (object->type != JSON_OBJECT)
		explain_row(e, what, STR("a JSON object"), STR("another value"));
	else
		return object;
	return NULL;
}

static void explain_header(struct explanation *e, const struct json *header)
{
	static const char *const refused[] = {"crit", "b64", "zip", NULL};
	static const char *const strings[] = {"kid", "typ", NULL};
	for (size_t i = 0; refused[i]; i++)
		if (json_member(header, str_of(refused[i])))
			explain_row(e, refused[i], STR("no such member of the header"),
				    json_member(header, str_of(refused[i]))->raw);
	for (size_t i = 0; strings[i]; i++) {
		const struct json *value = json_member(header, str_of(strings[i]));
		if (value && value->type != JSON_STRING)
			explain_row(e, strings[i], STR("a string, or none"), value->raw);
	}
}

static void explain_bytes(struct explanation *e, const char *what, struct str part)
{
	struct str bytes;
	if (!decode(e->judgement->tool.worker.arena, part, &bytes))
		explain_row(e, what, STR("base64url without padding (RFC 7515 section 2)"),
			    STR("other bytes, or loose bits at its end"));
}

static void explain_parts(struct explanation *e, const struct str parts[PARTS_MAX], size_t n)
{
	static const char *const encrypted[] = {"key", "iv", "ciphertext", "tag"};
	const struct json *header = explain_object(e, "header", parts[0]);
	if (header)
		explain_header(e, header);
	if (n == 3) {
		if (header && json_member(header, STR("enc")))
			explain_row(e, "enc", STR("no such member of a signed token's header"),
				    json_member(header, STR("enc"))->raw);
		explain_object(e, "payload", parts[1]);
		explain_bytes(e, "signature", parts[2]);
	}
	for (size_t i = 1; n == 5 && i < 5; i++)
		explain_bytes(e, encrypted[i - 1], parts[i]);
}

/* "3 parts (signed)", as far as an issuer of the policy takes it. */
static struct str wanted_form(const struct explanation *e)
{
	static const struct {
		enum token_form form;
		const char *name;
	} forms[] = {
		{TOKEN_JWS, "3 parts (signed)"},
		{TOKEN_JWE, "5 parts (encrypted)"},
		{TOKEN_OTHER, "a token of Better Auth's own form"},
	};
	const struct issuer_set *issuers = &e->judgement->verdict.policy->issuers;
	struct buf out = arena_buf(e->judgement->tool.worker.arena, 128);
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		bool taken = false;
		for (size_t k = 0; k < issuers->n; k++)
			taken = taken || issuer_takes(issuers->items[k], forms[i].form);
		if (taken)
			buf_printf(&out, "%s%s", out.n ? ", or " : "", forms[i].name);
	}
	return buf_str(&out);
}

void explain_form(struct explanation *e, struct str text)
{
	const struct judgement *j = e->judgement;
	struct arena *arena = j->tool.worker.arena;
	struct str parts[PARTS_MAX];
	size_t n = split(text, parts), longest = issuer_longest_token(&j->verdict.policy->issuers);
	explain_row(e, "form", wanted_form(e), arena_printf(arena, "%zu part%s", n, n == 1 ? "" : "s"));
	if (text.n > longest)
		explain_row(e, "size", arena_printf(arena, "at most %zu bytes (max-token)", longest),
			    arena_printf(arena, "%zu bytes", text.n));
	else if (j->verdict.err == ERR_TOKEN_MALFORMED && (n == 3 || n == 5))
		explain_parts(e, parts, n);
}
