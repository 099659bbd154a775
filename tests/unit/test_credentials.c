/* SPDX-License-Identifier: Apache-2.0 */
/* Where the token is looked for, and what is never tried. */
#include "policy/credentials.h"

#include "unit.h"

static const struct str names[] = {{"sso", 3}, {"__Host-auth", 11}};
static const struct token_sources both = {{CARRIER_BEARER, CARRIER_COOKIE}, 2, names, 2};

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
		{NULL, "sso=C; sso=E", ERR_AMBIGUOUS_TOKEN, "C"},
		{NULL, "sso=; __Host-auth=D", ERR_NONE, "D"},
		{NULL, "sso=", ERR_NO_TOKEN, NULL},
		/* a bad bearer token is not made good by a cookie */
		{"Bearer  T", "sso=C", ERR_TOKEN_MALFORMED, NULL},
		{"Bearer A", "sso=C", ERR_NONE, "A"},
		{"Basic x", "sso=C", ERR_NONE, "C"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request r = {.authorization = str_of(rows[i].authorization), .cookie = str_of(rows[i].cookie)};
		struct credentials c;
		enum err err = credentials_find(&both, &r, &c);
		const char *row = rows[i].authorization ? rows[i].authorization
				  : rows[i].cookie	? rows[i].cookie
							: "none";
		UNIT_ROW(err == rows[i].err, row);
		if (err == ERR_NONE)
			UNIT_STR_EQ(c.token, str_of(rows[i].token), row);
	}
}

static void looks_only_where_told(void)
{
	static const struct token_sources cookie_first = {{CARRIER_COOKIE, CARRIER_BEARER}, 2, names, 2};
	static const struct token_sources bearer = {{CARRIER_BEARER}, 1, names, 2};
	static const struct token_sources no_names = {{CARRIER_COOKIE}, 1, NULL, 0};
	struct request r = {.authorization = STR("Bearer A"), .cookie = STR("sso=C")};
	struct credentials c;
	CU_ASSERT_EQUAL(credentials_find(&cookie_first, &r, &c), ERR_NONE);
	UNIT_STR_EQ(c.token, STR("C"), "the cookie comes first");
	UNIT_STR_EQ(c.cookie, STR("sso"), "its name");
	CU_ASSERT_EQUAL(credentials_find(&bearer, &r, &c), ERR_NONE);
	UNIT_STR_EQ(c.token, STR("A"), "bearer alone");
	CU_ASSERT_EQUAL(credentials_find(&no_names, &r, &c), ERR_NO_TOKEN);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"finds", finds}, {"looks only where told", looks_only_where_told}, {NULL, NULL}};
	return unit_main("credentials", cases);
}
