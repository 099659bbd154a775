/* SPDX-License-Identifier: Apache-2.0 */
/* Where the token is looked for, and what is never tried. */
#include "policy/credentials.h"

#include <stdio.h>

#include "policy/runtime.h"
#include "unit.h"

static struct arena *arena;
static const struct str names[] = {{"sso", 3}, {"__Host-auth", 11}};
static const struct token_sources both = {.carriers = {CARRIER_BEARER, CARRIER_COOKIE}, .n_carriers = 2,
	.cookies = names, .n_cookies = 2};

static void finds(void)
{
	static const struct {
		const char *authorization, *cookie;
		enum err err;
		const char *token;
	} rows[] = {
		{NULL, NULL, ERR_NO_TOKEN, NULL},
		{"Bearer T", NULL, ERR_NONE, "T"},
		{"bearer T", NULL, ERR_NONE, "T"},
		{"BEARER T", NULL, ERR_NONE, "T"},
		{"Bearer", NULL, ERR_TOKEN_MALFORMED, NULL},
		{"Bearer ", NULL, ERR_TOKEN_MALFORMED, NULL},
		{"Bearer  T", NULL, ERR_TOKEN_MALFORMED, NULL},
		{"Bearer\tT", NULL, ERR_TOKEN_MALFORMED, NULL},
		{"BearerT", NULL, ERR_NO_TOKEN, NULL},
		{"Basic dXNlcjpwYXNz", NULL, ERR_NO_TOKEN, NULL},
		{"Bearer A, Bearer B", NULL, ERR_AMBIGUOUS_TOKEN, NULL},
		{"Bearer A,", NULL, ERR_AMBIGUOUS_TOKEN, NULL},
		{NULL, "sso=C", ERR_NONE, "C"},
		{NULL, "__Host-auth=D", ERR_NONE, "D"},
		{NULL, "__Host-auth=D; sso=C", ERR_NONE, "C"},
		{NULL, "sso=C; sso=E", ERR_AMBIGUOUS_TOKEN, NULL},
		{NULL, "sso=; __Host-auth=D", ERR_NONE, "D"},
		{NULL, "sso=", ERR_NO_TOKEN, NULL},
		/* chunks: behind the cookie of the name itself */
		{NULL, "sso.1=b; sso.0=a", ERR_NONE, "ab"},
		{NULL, "sso.0=a; sso=C", ERR_NONE, "C"},
		{NULL, "sso.0=a; sso=", ERR_NONE, "a"},
		{NULL, "__Host-auth=D; sso.0=a", ERR_NONE, "a"},
		{NULL, "sso.0=; __Host-auth=D", ERR_NONE, "D"},
		{NULL, "sso.1=b; __Host-auth=D", ERR_TOKEN_MALFORMED, NULL},
		{NULL, "sso.0=a; sso.0=b", ERR_AMBIGUOUS_TOKEN, NULL},
		{NULL, "sso.x=a; sso.-1=b; sso-0=c", ERR_NO_TOKEN, NULL},
		/* percent-encoding is nothing to us */
		{NULL, "sso=%41", ERR_NONE, "%41"},
		/* a bad bearer token is not made good by a cookie */
		{"Bearer  T", "sso=C", ERR_TOKEN_MALFORMED, NULL},
		{"Bearer A", "sso=C", ERR_NONE, "A"},
		{"Basic x", "sso=C", ERR_NONE, "C"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request r = {.authorization = str_of(rows[i].authorization), .cookie = str_of(rows[i].cookie)};
		struct credentials c;
		enum err err = credentials_find(&both, arena, &r, &c);
		const char *row = rows[i].authorization ? rows[i].authorization
				  : rows[i].cookie	? rows[i].cookie
							: "none";
		UNIT_ROW(err == rows[i].err, row);
		if (err == ERR_NONE)
			UNIT_STR_EQ(c.token, str_of(rows[i].token), row);
		arena_reset(arena);
	}
}

static void bounds_what_is_joined(void)
{
	static char memory[TOKEN_MAX + 4096];
	static const size_t last[] = {TOKEN_MAX % 40, TOKEN_MAX % 40 + 1};
	for (size_t i = 0; i < sizeof last / sizeof *last; i++) {
		struct buf header = buf_over(memory, sizeof memory);
		for (unsigned chunk = 0; chunk <= 40; chunk++) {
			buf_printf(&header, ";sso.%u=", chunk);
			for (size_t n = chunk < 40 ? TOKEN_MAX / 40 : last[i]; n > 0; n--)
				buf_char(&header, 'x');
		}
		struct request r = {.cookie = buf_str(&header)};
		struct credentials c;
		enum err err = credentials_find(&both, arena, &r, &c);
		CU_ASSERT_EQUAL(err, i == 0 ? ERR_NONE : ERR_TOKEN_MALFORMED);
		CU_ASSERT(err || c.token.n == TOKEN_MAX);
		UNIT_STR_EQ(c.cookie, STR("sso"), "its name");
		arena_reset(arena);
	}
}

static void looks_only_where_told(void)
{
	static const struct token_sources cookie_first = {.carriers = {CARRIER_COOKIE, CARRIER_BEARER}, .n_carriers = 2,
		.cookies = names, .n_cookies = 2};
	static const struct token_sources bearer = {.carriers = {CARRIER_BEARER}, .n_carriers = 1,
		.cookies = names, .n_cookies = 2};
	static const struct token_sources no_names = {.carriers = {CARRIER_COOKIE}, .n_carriers = 1};
	struct request r = {.authorization = STR("Bearer A"), .cookie = STR("sso=C")};
	struct credentials c;
	CU_ASSERT_EQUAL(credentials_find(&cookie_first, NULL, &r, &c), ERR_NONE);
	UNIT_STR_EQ(c.token, STR("C"), "the cookie comes first");
	UNIT_STR_EQ(c.cookie, STR("sso"), "its name");
	CU_ASSERT_EQUAL(credentials_find(&bearer, NULL, &r, &c), ERR_NONE);
	UNIT_STR_EQ(c.token, STR("A"), "bearer alone");
	CU_ASSERT_EQUAL(credentials_find(&no_names, NULL, &r, &c), ERR_NO_TOKEN);
}

/* A site that moved to https, or a name that lacks the prefix. */
static void names_what_came_instead(void)
{
	static const struct str wanted[] = {{"__Secure-authjs.session-token", 29}, {"sso", 3}, {"__Host-auth", 11}};
	static const struct token_sources cookies = {.carriers = {CARRIER_COOKIE}, .n_carriers = 1,
		.cookies = wanted, .n_cookies = 3};
	static const struct token_sources bearer = {.carriers = {CARRIER_BEARER}, .n_carriers = 1,
		.cookies = wanted, .n_cookies = 3};
	static const struct {
		const char *header, *want;
	} rows[] = {
		{"authjs.session-token=x",
		 "cookie authjs.session-token came, but __Secure-authjs.session-token is looked for"},
		{"a=1; authjs.session-token.0=x; authjs.session-token.1=y",
		 "cookie authjs.session-token came, but __Secure-authjs.session-token is looked for"},
		{"__Secure-sso=x", "cookie __Secure-sso came, but sso is looked for"},
		{"__Host-sso=x", "cookie __Host-sso came, but sso is looked for"},
		{"auth=x", "cookie auth came, but __Host-auth is looked for"},
		{"__Secure-auth=x", "cookie __Secure-auth came, but __Host-auth is looked for"},
		{"authjs.csrf-token=x; authjs.session-tokenx=y", NULL},
		{"", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		UNIT_STR_EQ(credentials_namesake(&cookies, arena, str_of(rows[i].header)), str_of(rows[i].want),
			    rows[i].header);
		UNIT_STR_EQ(credentials_namesake(&bearer, arena, str_of(rows[i].header)), STR_NONE, rows[i].header);
		arena_reset(arena);
	}
}

/* F6, H8: which header of a program counts, and when nobody could tell. */
static void finds_api_keys(void)
{
	static const struct token_sources first = {.carriers = {CARRIER_API_KEY, CARRIER_BEARER}, .n_carriers = 2,
		.api_key_prefix = {"fak", 3}, .api_key_parameter = {"HTTP_KEY", 8}};
	static const struct token_sources last = {.carriers = {CARRIER_BEARER, CARRIER_API_KEY}, .n_carriers = 2,
		.api_key_prefix = {"fak", 3}, .api_key_parameter = {"HTTP_KEY", 8}};
	static const struct token_sources none = {.carriers = {CARRIER_BEARER}, .n_carriers = 1,
		.api_key_prefix = {"fak", 3}, .api_key_parameter = {"HTTP_KEY", 8}};
	static const struct {
		const struct token_sources *sources;
		const char *authorization, *key, *twin;
		enum err err;
		enum carrier carrier;
		const char *token;
	} rows[] = {
		{&first, NULL, NULL, NULL, ERR_NO_TOKEN, CARRIER_BEARER, NULL},
		{&first, NULL, "", NULL, ERR_NO_TOKEN, CARRIER_BEARER, NULL},
		{&first, NULL, "K", NULL, ERR_NONE, CARRIER_API_KEY, "K"},
		{&first, NULL, "K", "K", ERR_NONE, CARRIER_API_KEY, "K"},
		{&first, NULL, "K", "L", ERR_BAD_REQUEST, CARRIER_API_KEY, NULL},
		{&first, NULL, "K", "", ERR_BAD_REQUEST, CARRIER_API_KEY, NULL},
		{&first, NULL, "", "K", ERR_BAD_REQUEST, CARRIER_API_KEY, NULL},
		{&first, NULL, "K, L", NULL, ERR_AMBIGUOUS_TOKEN, CARRIER_API_KEY, NULL},
		{&first, "Bearer fak_1", NULL, NULL, ERR_NONE, CARRIER_API_KEY, "fak_1"},
		{&first, "bearer fak_1", NULL, NULL, ERR_NONE, CARRIER_API_KEY, "fak_1"},
		{&first, "Bearer FAK_1", NULL, NULL, ERR_NONE, CARRIER_BEARER, "FAK_1"},
		{&first, "Bearer fak", NULL, NULL, ERR_NONE, CARRIER_BEARER, "fak"},
		{&first, "Bearer fakx_1", NULL, NULL, ERR_NONE, CARRIER_BEARER, "fakx_1"},
		{&first, "Bearer  fak_1", NULL, NULL, ERR_TOKEN_MALFORMED, CARRIER_BEARER, NULL},
		{&first, "Bearer\tfak_1", NULL, NULL, ERR_TOKEN_MALFORMED, CARRIER_BEARER, NULL},
		{&first, "Bearer fak_1, Bearer fak_2", NULL, NULL, ERR_AMBIGUOUS_TOKEN, CARRIER_API_KEY, NULL},
		{&first, "Bearer fak_1", "fak_1", NULL, ERR_NONE, CARRIER_API_KEY, "fak_1"},
		{&first, "Bearer fak_1", "fak_2", NULL, ERR_AMBIGUOUS_TOKEN, CARRIER_API_KEY, NULL},
		{&first, "Bearer T", "K", NULL, ERR_NONE, CARRIER_API_KEY, "K"},
		{&first, "Basic x", "K", NULL, ERR_NONE, CARRIER_API_KEY, "K"},
		{&last, "Bearer T", "K", "L", ERR_NONE, CARRIER_BEARER, "T"},
		{&last, "Bearer fak_1", "K", "L", ERR_NONE, CARRIER_API_KEY, "fak_1"},
		{&last, "Basic x", "K", NULL, ERR_NONE, CARRIER_API_KEY, "K"},
		{&none, NULL, "K", "L", ERR_NO_TOKEN, CARRIER_BEARER, NULL},
		{&none, "Bearer fak_1", NULL, NULL, ERR_NONE, CARRIER_BEARER, "fak_1"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct param params[] = {{STR("HTTP_OTHER"), STR("x")},
					       {STR("HTTP_KEY"), str_of(rows[i].key)},
					       {STR("HTTP_KEY"), str_of(rows[i].twin)}};
		struct request r = {.authorization = str_of(rows[i].authorization), .params = params,
				    .n_params = rows[i].twin ? 3 : rows[i].key ? 2 : 1};
		struct credentials c;
		char row[32];
		enum err err = credentials_find(rows[i].sources, arena, &r, &c);
		snprintf(row, sizeof row, "row %zu", i);
		UNIT_ROW(err == rows[i].err && (err == ERR_TOKEN_MALFORMED || c.carrier == rows[i].carrier), row);
		if (err == ERR_NONE)
			UNIT_STR_EQ(c.token, str_of(rows[i].token), row);
	}
}

static void finds_query_parameters(void)
{
	static const struct str queries[] = {{"access_token", 12}, {"t", 1}};
	static const struct token_sources query = {.carriers = {CARRIER_QUERY}, .n_carriers = 1,
		.queries = queries, .n_queries = 2};
	static const struct {
		const char *query;
		enum err err;
		const char *token;
	} rows[] = {
		{NULL, ERR_NO_TOKEN, NULL},
		{"", ERR_NO_TOKEN, NULL},
		{"access_token", ERR_NO_TOKEN, NULL},
		{"access_token=", ERR_NO_TOKEN, NULL},
		{"access_token=T", ERR_NONE, "T"},
		{"a=1&access_token=T&b", ERR_NONE, "T"},
		{"&&access_token=T&&", ERR_NONE, "T"},
		{"ACCESS_TOKEN=T", ERR_NO_TOKEN, NULL},
		{"xaccess_token=T;access_token=T", ERR_NO_TOKEN, NULL},
		{"access%5Ftoken=T", ERR_NONE, "T"},
		{"access_token=a%2Eb%2B+=", ERR_NONE, "a.b+ ="},
		{"t=U", ERR_NONE, "U"},
		{"t=U&access_token=T", ERR_NONE, "T"},
		{"t=U&access_token=", ERR_NONE, "U"},
		/* Twice is once, unless nobody could tell which counts. */
		{"access_token=T&access_token=T", ERR_NONE, "T"},
		{"access_token=T&access_token=%54", ERR_NONE, "T"},
		{"access_token=T&access_token=U", ERR_BAD_REQUEST, NULL},
		{"access_token=&access_token=U", ERR_BAD_REQUEST, NULL},
		{"access_token=T&access%5ftoken=U", ERR_BAD_REQUEST, NULL},
		{"access_token=%zz", ERR_TOKEN_MALFORMED, NULL},
		{"access_token=a%00b", ERR_TOKEN_MALFORMED, NULL},
		{"access_token=a%0d%0ab", ERR_TOKEN_MALFORMED, NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request r = {.query = str_of(rows[i].query)};
		struct credentials c;
		const char *row = rows[i].query ? rows[i].query : "none";
		UNIT_ROW(credentials_find(&query, arena, &r, &c) == rows[i].err, row);
		UNIT_STR_EQ(c.token, str_of(rows[i].token), row);
		UNIT_STR_EQ(c.fault, rows[i].err == ERR_BAD_REQUEST ? STR("access_token") : STR_NONE, row);
		UNIT_ROW(rows[i].err == ERR_NO_TOKEN || c.carrier == CARRIER_QUERY, row);
		UNIT_ROW(credentials_find(&both, arena, &r, &c) == ERR_NO_TOKEN, row);
		arena_reset(arena);
	}
}

static void finds_websocket_protocols(void)
{
	static const struct token_sources websocket = {.carriers = {CARRIER_WEBSOCKET}, .n_carriers = 1};
	static const struct {
		const char *protocols;
		enum err err;
		const char *token, *rest;
	} rows[] = {
		{NULL, ERR_NO_TOKEN, NULL, ""},
		{"", ERR_NO_TOKEN, NULL, ""},
		{"chat", ERR_NO_TOKEN, NULL, "chat"},
		{"bearer.T", ERR_BAD_REQUEST, "T", ""},
		{" , bearer.T,", ERR_BAD_REQUEST, "T", ""},
		{"chat, bearer.T", ERR_NONE, "T", "chat"},
		{"bearer.a.b.c,chat , \tv2", ERR_NONE, "a.b.c", "chat, v2"},
		{"bearer.T, chat, bearer.T", ERR_NONE, "T", "chat"},
		{"bearer.T, bearer.U", ERR_AMBIGUOUS_TOKEN, NULL, ""},
		{"bearer., chat", ERR_TOKEN_MALFORMED, NULL, "chat"},
		{"Bearer.T, xbearer.T, bearer", ERR_NO_TOKEN, NULL, "Bearer.T, xbearer.T, bearer"},
		{",,chat,", ERR_NO_TOKEN, NULL, "chat"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request r = {.websocket = true, .websocket_protocol = str_of(rows[i].protocols)};
		struct credentials c;
		const char *row = rows[i].protocols ? rows[i].protocols : "none";
		UNIT_ROW(credentials_find(&websocket, arena, &r, &c) == rows[i].err, row);
		UNIT_STR_EQ(c.token, str_of(rows[i].token), row);
		UNIT_ROW(!c.token.p || c.carrier == CARRIER_WEBSOCKET, row);
		UNIT_STR_EQ(c.fault, rows[i].err == ERR_BAD_REQUEST ? STR("HTTP_SEC_WEBSOCKET_PROTOCOL") : STR_NONE,
			    row);
		UNIT_STR_EQ(credentials_websocket_rest(&websocket, arena, &r), str_of(rows[i].rest), row);
		/* Only a handshake has one; and where no token is looked for, it is the application's. */
		UNIT_ROW(credentials_find(&both, arena, &r, &c) == ERR_NO_TOKEN, row);
		r.websocket = false;
		UNIT_ROW(credentials_find(&websocket, arena, &r, &c) == ERR_NO_TOKEN, row);
		arena_reset(arena);
	}
	/* Nor may it stay where the token came in another way. */
	static const struct token_sources also = {.carriers = {CARRIER_BEARER, CARRIER_WEBSOCKET}, .n_carriers = 2};
	struct request r = {.websocket = true, .websocket_protocol = STR("bearer.T"), .authorization = STR("Bearer A")};
	struct credentials c;
	CU_ASSERT_EQUAL(credentials_find(&also, arena, &r, &c), ERR_BAD_REQUEST);
	r.websocket_protocol = STR("chat,bearer.T");
	CU_ASSERT_EQUAL(credentials_find(&also, arena, &r, &c), ERR_NONE);
	UNIT_STR_EQ(credentials_websocket_rest(&both, arena, &r), STR("chat, bearer.T"), "not ours");
	arena_reset(arena);
}

/* What goes into an address that is shown or handed on. */
static void hides_tokens(void)
{
	static const struct str one[] = {{"t", 1}}, two[] = {{"access_token", 12}, {"k", 1}};
	struct policy policies[] = {{.sources = {.queries = one, .n_queries = 1}}, {.sources = {.n_queries = 0}},
				    {.sources = {.queries = two, .n_queries = 2}}};
	const struct snapshot snapshot = {.policies = policies, .n_policies = 3};
	static const struct {
		const char *target, *want;
	} rows[] = {
		{"/x", "/x"},
		{"/x?", "/x?"},
		{"/x?a=1&b", "/x?a=1&b"},
		{"/x?t=T", "/x"},
		{"/x?a=1&t=T", "/x?a=1"},
		{"/x?t=T&a=1", "/x?a=1"},
		{"/x?a&access_token=T&b&access_token=U&k=K", "/x?a&b"},
		{"/x?access%5ftoken=T&%74=T&T=1", "/x?T=1"},
		{"/x?a=b?t=1", "/x?a=b?t=1"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_STR_EQ(credentials_hide(&snapshot, arena, str_of(rows[i].target)), str_of(rows[i].want),
			    rows[i].target);
	arena_reset(arena);
}

int main(void)
{
	static const struct unit_case cases[] = {{"finds", finds},
						 {"bounds what is joined", bounds_what_is_joined},
						 {"looks only where told", looks_only_where_told},
						 {"names what came instead", names_what_came_instead},
						 {"finds API keys", finds_api_keys},
						 {"finds query parameters", finds_query_parameters},
						 {"finds WebSocket protocols", finds_websocket_protocols},
						 {"hides tokens", hides_tokens},
						 {NULL, NULL}};
	if (!arena_open(2 * TOKEN_MAX, &arena))
		return 1;
	int status = unit_main("credentials", cases);
	arena_close(&arena);
	return status;
}
