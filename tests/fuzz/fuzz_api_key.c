/* SPDX-License-Identifier: Apache-2.0 */
/* An Authorization header (the first line), the header of an API key (the second),
 * and the record of one (the rest). A key that is taken has the form that is made,
 * and a record is printed and taken again. */
#include <string.h>

#include "base/log.h"
#include "fuzz.h"
#include "policy/api_key.h"
#include "policy/credentials.h"

enum { ARENA = 1 << 20 };

static struct arena *arena;

static bool is_inside(struct str part, struct str whole)
{
	return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

static void check_key(struct str text)
{
	static const struct str prefixes[] = {{"fak", 3}, {"f", 1}, {"sixteen123456789", 16}};
	for (size_t i = 0; i < 3; i++) {
		struct api_key key;
		if (!api_key_parse(prefixes[i], text, &key))
			continue;
		FUZZ_CHECK(api_key_is(prefixes[i], text) && is_inside(key.id, text) && is_inside(key.secret, text));
		FUZZ_CHECK(key.id.n == API_KEY_ID_SIZE && key.secret.n == API_KEY_SECRET_SIZE);
		FUZZ_CHECK(text.n == prefixes[i].n + 2 + key.id.n + key.secret.n + API_KEY_CHECK_SIZE);
		FUZZ_CHECK(str_find(key.id, '_') == key.id.n && str_find(key.secret, '_') == key.secret.n);
	}
}

static void check_headers(struct str authorization, struct str key)
{
	static const struct token_sources sources = {
		.carriers = {CARRIER_API_KEY, CARRIER_BEARER},
		.n_carriers = 2,
		.api_key_prefix = {"fak", 3},
		.api_key_parameter = {"HTTP_X_API_KEY", 14},
	};
	const struct param params[] = {{sources.api_key_parameter, key}};
	struct request request = {.authorization = authorization, .params = params, .n_params = 1};
	struct credentials found;
	enum err err = credentials_find(&sources, arena, &request, &found);
	FUZZ_CHECK(err == ERR_NONE || err == ERR_NO_TOKEN || err == ERR_AMBIGUOUS_TOKEN || err == ERR_TOKEN_MALFORMED);
	if (key.n > 0)
		FUZZ_CHECK(err != ERR_NO_TOKEN && found.carrier == CARRIER_API_KEY);
	if (err)
		return;
	FUZZ_CHECK(found.token.n > 0 && str_find(found.token, ',') == found.token.n);
	FUZZ_CHECK(key.n == 0 || str_eq(found.token, key));
	FUZZ_CHECK(found.carrier == CARRIER_API_KEY || !api_key_is(sources.api_key_prefix, found.token));
	check_key(found.token);
}

static void check_record(struct str text)
{
	/* '<' becomes six characters. */
	static char memory[6 * STORE_RECORD_MAX + 512];
	struct buf printed = buf_over(memory, sizeof memory);
	struct api_key_record record, again;
	struct claims claims;
	if (!api_key_record_parse(arena, text, &record))
		return;
	FUZZ_CHECK(text.n <= STORE_RECORD_MAX && record.id.n == API_KEY_ID_SIZE && claims_user_id_valid(record.owner));
	FUZZ_CHECK(record.iat >= 0 && (record.exp == TIME_ABSENT || record.exp >= 0));
	FUZZ_CHECK(api_key_claims(arena, &record, &claims));
	FUZZ_CHECK(!json_member(claims.all, STR("sha256")) && str_eq(claims.iss, STR(API_KEY_ISS)));
	struct str iss = STR_NONE;
	FUZZ_CHECK(json_string(json_member(claims.all, STR("iss")), &iss) && str_eq(iss, claims.iss));
	api_key_record_print(&record, &printed);
	FUZZ_CHECK(!printed.full);
	if (printed.n > STORE_RECORD_MAX)
		return;
	FUZZ_CHECK(api_key_record_parse(arena, buf_str(&printed), &again));
	FUZZ_CHECK(str_eq(again.id, record.id) && str_eq(again.owner, record.owner) &&
		   str_eq(again.scope, record.scope) && str_eq(again.name, record.name) &&
		   memcmp(again.hash, record.hash, DIGEST_SIZE) == 0 && again.iat == record.iat &&
		   again.exp == record.exp && again.has_rate == record.has_rate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data, size}, authorization = STR_NONE, key = STR_NONE;
	if (!arena) {
		log_open("fuzz", &(struct log_settings){.level = LOG_EMERG});
		FUZZ_CHECK(token_start() && arena_open(ARENA, &arena));
	}
	arena_reset(arena);
	if (size == 0 || size > 8 << 10)
		return 0;
	str_split(&rest, '\n', &authorization);
	if (rest.p)
		str_split(&rest, '\n', &key);
	check_headers(authorization, key);
	check_key(authorization);
	check_record(rest);
	return 0;
}
