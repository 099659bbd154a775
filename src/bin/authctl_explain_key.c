/* SPDX-License-Identifier: Apache-2.0 */
/* What an API key says beside what is known of it. The key itself is not shown. */
#include "base/clock.h"
#include "bin/authctl_explain.h"

static void time_row(struct explanation *e, const char *what, const char *wanted, int64_t at)
{
	char date[OUTPUT_DATE_SIZE];
	explain_row(e, what, str_of(wanted), at == TIME_ABSENT ? STR("never") : str_of(output_date(at, date)));
}

void explain_api_key(struct explanation *e)
{
	const struct judgement *j = e->judgement;
	const struct claims *claims = &j->verdict.claims;
	struct arena *arena = j->tool.worker.arena;
	struct str prefix = j->tool.snapshot->api_keys.prefix, text = j->verdict.credentials.token, scope = STR_NONE;
	struct api_key key;
	bool whole = api_key_parse(prefix, text, &key);
	explain_row(e, "form",
		    arena_printf(arena, "%.*s_ID_SECRET of %zu letters and digits, the last six of which check the "
					"others", STR_ARGS(prefix),
				 prefix.n + 2 + API_KEY_ID_SIZE + API_KEY_SECRET_SIZE + API_KEY_CHECK_SIZE),
		    whole ? STR("that") : arena_printf(arena, "%zu bytes that are none", text.n));
	if (!whole)
		return;
	explain_row(e, "id", STR_NONE, key.id);
	if (!claims->all)
		return;
	json_string(json_member(claims->all, STR("scope")), &scope);
	explain_row(e, "owner", STR_NONE, claims->user_id);
	explain_row(e, "scope", STR_NONE, scope);
	time_row(e, "now", NULL, clock_now());
	time_row(e, "issued", NULL, claims->iat);
	time_row(e, "expires", "later than now", claims->exp);
}

const char *explain_api_key_hint(enum err err)
{
	switch (err) {
	case ERR_TOKEN_MALFORMED:
		return "was the key copied whole, and has prefix of [api-keys] been changed since it was made?";
	case ERR_UNKNOWN_KEY:
		return "there is no key with this id: it was revoked, or expired long ago (all: authctl api-keys list)";
	case ERR_BAD_SIGNATURE:
		return "the key of this id has another secret";
	case ERR_TOKEN_EXPIRED:
		return "make a new one: authctl api-keys add";
	default:
		return NULL;
	}
}
