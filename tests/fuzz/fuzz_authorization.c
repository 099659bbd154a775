/* SPDX-License-Identifier: Apache-2.0 */
/* The headers Authorization, Cookie and Sec-WebSocket-Protocol and a query (a line
 * each, in the order Authorization, Cookie, query, protocols), from the token that is
 * found in them to what an issuer that takes every form says of it. Nobody knows its
 * secret, so nothing may be accepted; and what is handed on has no token in it. */
#include "base/log.h"
#include "fuzz.h"
#include "policy/credentials.h"
#include "policy/runtime.h"

enum { ARENA = 2 << 20, NOW = 1767225600 };

#define SECRET "fuzz-Dw8fQm2LrXk5Zs9TbVy3Hc6Np1Jg4Ea7Ui0Oo"

static struct arena *arena;
static struct token_thread *thread;
static struct issuer *issuer;

static const struct conf_text secret = {.value = {"text:" SECRET, 47}, .file = "fuzz", .line = 1};
static const struct str parameters[] = {{"access_token", 12}, {"t", 1}};
static const struct token_sources query = {.carriers = {CARRIER_QUERY}, .n_carriers = 1,
	.queries = parameters, .n_queries = 2};
static const struct token_sources websocket = {.carriers = {CARRIER_WEBSOCKET}, .n_carriers = 1};
static const struct str names[] = {{"better-auth.session_data", 24}, {"better-auth.session_token", 25}, {"a", 1}};

static void open_all(void)
{
	static struct issuer_conf conf = {
		.type = {.value = {"better-auth", 11}},
		.secret = {&secret, 1},
		.require_exp = true,
		.leeway = -1,
		.max_token = TOKEN_MAX,
		.session_url = {.value = {"http://127.0.0.1/get-session", 28}},
	};
	static const struct conf_section section = {.kind = &issuer_kind, .name = {"fuzz", 4}, .values = &conf};
	struct conf_error error;
	log_open("fuzz", &(struct log_settings){.level = LOG_EMERG});
	FUZZ_CHECK(token_start() && arena_open(ARENA, &arena) && token_thread_open(0, &thread));
	FUZZ_CHECK(issuer_open(&section, 1, &issuer, &error));
}

static void check_token(const struct credentials *found)
{
	struct token token;
	struct issuer_session session;
	struct claims claims;
	if (token_parse(arena, found->token, &token) != ERR_NONE)
		return;
	token.cookie = found->cookie;
	(void)issuer_fits(issuer, &token);
	enum err err = issuer_session(issuer, arena, &token, &session);
	if (err == ERR_NONE) {
		/* What was signed by nobody has no signature. */
		FUZZ_CHECK(!token.cookie.p && token.canonical.n == 32);
		FUZZ_CHECK(!str_has_control(session.header) && str_starts(session.header, STR("Authorization: ")));
	} else if (err == ERR_NOT_FOUND) {
		FUZZ_CHECK(issuer_verify(issuer, &(struct verification){thread, arena, NOW}, &token, &claims) !=
			   ERR_NONE);
	}
}

static void check_source(const struct token_sources *sources, const struct request *request)
{
	struct credentials found;
	enum err err = credentials_find(sources, arena, request, &found);
	FUZZ_CHECK(err == ERR_NONE || err == ERR_NO_TOKEN || err == ERR_AMBIGUOUS_TOKEN ||
		   err == ERR_TOKEN_MALFORMED || (err == ERR_BAD_REQUEST && found.fault.p));
	if (err)
		return;
	FUZZ_CHECK(found.token.n > 0 && (found.cookie.p != NULL) == (found.carrier == CARRIER_COOKIE));
	if (found.carrier == CARRIER_BEARER) {
		struct str header = request->authorization;
		FUZZ_CHECK(header.n == found.token.n + 7 && str_eq_nocase((struct str){header.p, 7}, STR("Bearer ")));
		FUZZ_CHECK(found.token.p[0] != ' ' && str_find(found.token, ',') == found.token.n);
	}
	check_token(&found);
}

/* In an address for the login no token is left, and nothing else is gone. */
static void check_hidden(const struct request *request)
{
	struct policy policy = {.sources = query};
	const struct snapshot snapshot = {.policies = &policy, .n_policies = 1};
	struct str target = arena_printf(arena, "/x?%.*s", STR_ARGS(request->query)), hidden, again;
	struct credentials found;
	if (!target.p || str_find(request->query, '\0') < request->query.n)
		return;
	hidden = credentials_hide(&snapshot, arena, target);
	FUZZ_CHECK(str_starts(hidden, STR("/x")) && hidden.n <= target.n);
	struct request address = {.query = hidden.n > 2 ? str_skip(hidden, 3) : STR_NONE};
	FUZZ_CHECK(credentials_find(&query, arena, &address, &found) == ERR_NO_TOKEN);
	again = credentials_hide(&snapshot, arena, hidden);
	FUZZ_CHECK(str_eq(hidden, again));
}

/* What the application chooses from is never empty, and has no token. */
static void check_protocols(const struct request *request)
{
	struct credentials found;
	if (credentials_find(&websocket, arena, request, &found) != ERR_NONE)
		return;
	struct request left = {.websocket = true,
			       .websocket_protocol = credentials_websocket_rest(&websocket, arena, request)};
	FUZZ_CHECK(left.websocket_protocol.n > 0);
	FUZZ_CHECK(credentials_find(&websocket, arena, &left, &found) == ERR_NO_TOKEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct token_sources both = {.carriers = {CARRIER_BEARER, CARRIER_COOKIE}, .n_carriers = 2,
		.cookies = names, .n_cookies = 3};
	static const struct token_sources cookie = {.carriers = {CARRIER_COOKIE}, .n_carriers = 1,
		.cookies = names, .n_cookies = 3};
	struct str rest = {(const char *)data, size};
	struct request request = {.websocket = true};
	if (!arena)
		open_all();
	arena_reset(arena);
	if (size == 0 || size > 64 << 10)
		return 0;
	str_split(&rest, '\n', &request.authorization);
	str_split(&rest, '\n', &request.cookie);
	str_split(&rest, '\n', &request.query);
	request.websocket_protocol = rest;
	check_source(&both, &request);
	check_source(&cookie, &request);
	check_source(&query, &request);
	check_source(&websocket, &request);
	check_hidden(&request);
	check_protocols(&request);
	return 0;
}
