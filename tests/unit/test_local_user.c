/* SPDX-License-Identifier: Apache-2.0 */
/* Whose user a token's user is: what a record is found by. */
#include "policy/local_user.h"

#include "folder.h"
#include "policy/api_key.h"
#include "policy/runtime.h"
#include "unit.h"

#define SECRET "secret = text:0123456789abcdef0123456789abcdef0123456789abcdef\n"

static void issuers(void)
{
	static const struct {
		const char *name, *issuer, *iss; /* of the claims */
		const char *want;
	} rows[] = {
		{"one of the list", "two", "https://b.example", "https://b.example"},
		{"no iss in the token: the first of the list", "two", NULL, "https://a.example"},
		{"no list: the claim is not looked at", "none", "https://b.example", "none"},
		{"neither", "none", NULL, "none"},
		{"an API key", NULL, API_KEY_ISS, API_KEY_ISS},
	};
	struct folder folder;
	struct snapshot *snapshot;
	struct conf_error error = {""};
	folder_open(&folder);
	folder_write(&folder, "conf",
		     STR("[issuer \"two\"]\nalgorithms = HS256\niss = https://a.example, https://b.example\n" SECRET
			 "[issuer \"none\"]\nalgorithms = HS256\n" SECRET));
	CU_ASSERT_FATAL(snapshot_open(folder_file(&folder, "conf"), 1, &snapshot, &error));
	const struct worker worker = {.snapshot = snapshot};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct claims claims = {.issuer = str_of(rows[i].issuer), .iss = str_of(rows[i].iss)};
		UNIT_STR_EQ(local_user_issuer(&worker, &claims), str_of(rows[i].want), rows[i].name);
	}
	snapshot_close(&snapshot);
	folder_close(&folder);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"issuers", issuers},
		{NULL, NULL},
	};
	return unit_main("local_user", cases);
}
