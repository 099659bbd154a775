/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "policy/password.h"

/* Made by htpasswd of apache2-utils 2.4 (-m, -s, -B, -2, -5, -d), `openssl passwd`
 * 3.0 (-apr1 -1 -5 -6) and Python's crypt module over libxcrypt 4.4 (the rest). */
static const struct known {
	const char *form, *password, *hash;
} known[] = {
	{"htpasswd -B", "correct horse", "$2y$05$7SYb6e2cTOCIY9VlyYjkm.bDHRCL7Ld34MLd1jMczQepBrHzIslZ6"},
	{"htpasswd -B -C 4", "secret", "$2y$04$YYXiWqNLNuVK87ytKKvcaeGYQEcYxTS3xhOa7PguKKtwremTDLlYC"},
	{"htpasswd -m", "correct horse", "$apr1$PVaaaL0b$mETL3cY6iRBLgm2kCNfp90"},
	{"htpasswd -m, long", "a long pass phrase of more than thirty-two bytes",
	 "$apr1$C3kcuSVT$PGUm/MsXdkrZK/Xk4dfzs."},
	{"htpasswd -m, UTF-8", "gr\xc3\xbcn\xf0\x9f\x98\x80", "$apr1$NgrLJwG5$RHvlR1d5u4ueOWi.Tq7zA0"},
	{"htpasswd -s", "correct horse", "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A="},
	{"htpasswd -s, empty", "", "{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
	{"htpasswd -2", "secret", "$5$EQZ7ZFRRF2WeiTDE$JxOU7wSJff89hBeHuYagTtvXZwMqLkRxtEnVUvE6a36"},
	{"htpasswd -5", "secret",
	 "$6$L0BmegDO6/95cLsJ$R5DAQDiuE2x8lnK002K.st5YArUJzMSSseqAjhE/xZU35MIRXpmmL1boGKgtcFXY1stKBgo78remn.BDjXlVF."},
	{"htpasswd -d", "secret", "HSd9IQIwpB8tw"},
	{"openssl -apr1", "secret", "$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/"},
	{"openssl -apr1, short salt", "secret", "$apr1$q$44INoucjsEwJoiksKYYOq0"},
	{"openssl -apr1, empty", "", "$apr1$Zz./09aA$OqpN.2bgSsXDTaPObMfnO/"},
	{"openssl -apr1, 1 byte", "x", "$apr1$Zz./09aA$oV.mB/IX2qbNS6SLVqRNR0"},
	{"openssl -apr1, 16 bytes", "0123456789abcdef", "$apr1$Zz./09aA$fTepXaHv2l8jdGX5abylm."},
	{"openssl -apr1, 17 bytes", "0123456789abcdefg", "$apr1$Zz./09aA$Z8FvDgBUipCrmoGEmKWgH/"},
	{"openssl -1", "secret", "$1$saltsalt$9xy1btjgzLYfb7hivXtC//"},
	{"openssl -5", "secret", "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA"},
	{"openssl -6", "secret",
	 "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1"},
	{"bcrypt 2a", "secret", "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"},
	{"bcrypt 2b", "secret", "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"},
	{"bcrypt 2x", "secret", "$2x$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"},
	{"yescrypt", "secret", "$y$j9T$abcdefghijklmnop$3dL1LkYnZM.OVXuVdnnaKVDlLYT92dRwOzDZ5XiVCe."},
	{"gost-yescrypt", "secret", "$gy$j9T$abcdefghijklmnop$mixfBgwqRYkgJa0E4eWmDF3HC/BbYXm8ztA717oxvqD"},
	{"scrypt", "secret", "$7$7U..../....abcdefgh$Q75kTVHYftPl/2B2zlJz6thmBGyg2NR.WC1MdLP9jl5"},
	{"sha1crypt", "secret", "$sha1$100$abcdefgh$PDbaHBCBtu/8IoQflE4F3u0HOeIM"},
	{"sunmd5", "secret", "$md5$abcdefgh$$TFWU.dlIfuoAjNld5IaX3."},
	{"NT", "secret", "$3$$878d8014606cda29677a44efa1353fc7"},
	{"DES", "secret", "abNANd1rDfiNc"},
	{"extended DES", "secret", "_J9..abcd/H6HLCcf7nw"},
};

#define TEXT(literal) {literal, sizeof(literal) - 1}

enum { ARENA_SIZE = 16384 };

static struct arena *arena;

static void known_hashes(void)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		const struct known *k = &known[i];
		char other[128];
		snprintf(other, sizeof other, "%sx", k->password);
		UNIT_ROW(password_is_supported(str_of(k->hash)), k->form);
		UNIT_ROW(password_verify(arena, str_of(k->password), str_of(k->hash)), k->form);
		/* DES reads eight bytes alone, so the change comes first. */
		memmove(other + 1, other, strlen(other));
		struct str wrong = {other, strlen(k->password) + 1};
		UNIT_ROW(!password_verify(arena, wrong, str_of(k->hash)), k->form);
		arena_reset(arena);
	}
}

/* Every single character of the digest counts, and the hash must be whole. */
static void changed_hashes(void)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		const struct known *k = &known[i];
		char hash[128];
		size_t n = strlen(k->hash);
		memcpy(hash, k->hash, n + 1);
		/* Not the last one: some of its bits may be padding. */
		hash[n - 3] = hash[n - 3] == 'a' ? 'b' : 'a';
		UNIT_ROW(!password_verify(arena, str_of(k->password), str_of(hash)), k->form);
		UNIT_ROW(!password_is_supported((struct str){k->hash, n - 1}), k->form);
		UNIT_ROW(!password_verify(arena, str_of(k->password), (struct str){k->hash, n - 1}), k->form);
		memcpy(hash, k->hash, n);
		hash[n] = '.';
		UNIT_ROW(!password_verify(arena, str_of(k->password), (struct str){hash, n + 1}), k->form);
		arena_reset(arena);
	}
}

static void no_hashes(void)
{
	static const struct {
		const char *name;
		struct str hash;
	} rows[] = {
		{"nothing", {NULL, 0}},
		{"empty", TEXT("")},
		{"plain text", TEXT("secret")},
		{"plain text, long", TEXT("correct horse battery staple")},
		{"plain text of 13 with a blank", TEXT("correct horse")},
		{"locked", TEXT("!")},
		{"locked hash", TEXT("!HSd9IQIwpB8tw")},
		{"star", TEXT("*")},
		{"crypt's failure", TEXT("*0")},
		{"a setting alone", TEXT("$6$saltsalt$")},
		{"bcrypt without digest", TEXT("$2b$04$abcdefghijklmnopqrstuu")},
		{"bcrypt, costs too much", TEXT("$2b$31$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW")},
		{"bcrypt, no cost", TEXT("$2b$xx$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW")},
		{"bcrypt, cost 03", TEXT("$2b$03$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW")},
		{"bcrypt of a later kind", TEXT("$2z$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW")},
		{"unknown form", TEXT("$9$saltsalt$9xy1btjgzLYfb7hivXtC//")},
		{"argon2", TEXT("$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA")},
		{"{SSHA}", TEXT("{SSHA}L55TUjtiq8FBorTWAZ0jy6g129A=")},
		{"{SHA}, short", TEXT("{SHA}L55TUjtiq8FBorTWAZ0jy6g1")},
		{"{SHA}, no base64", TEXT("{SHA}L55TUjtiq8FBorTW*Z0jy6g129A=")},
		{"apr1, no digest", TEXT("$apr1$abcdefgh$")},
		{"apr1, no salt end", TEXT("$apr1$abcdefgh")},
		{"apr1, long salt", TEXT("$apr1$abcdefghi$h9FWgUz3n9YxylKLlR5SQ/")},
		{"apr1, other alphabet", TEXT("$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ!")},
		{"a NUL inside", TEXT("$1$salt\0alt$9xy1btjgzLYfb7hivXtC//")},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		UNIT_ROW(!password_is_supported(rows[i].hash), rows[i].name);
		UNIT_ROW(!password_verify(arena, STR("secret"), rows[i].hash), rows[i].name);
		UNIT_ROW(!password_verify(arena, rows[i].hash, rows[i].hash), rows[i].name);
		arena_reset(arena);
	}
}

static void hashing(void)
{
	struct str first = STR_NONE, second = STR_NONE;
	CU_ASSERT(password_hash(arena, STR("secret"), PASSWORD_COST_MIN, &first));
	CU_ASSERT(password_hash(arena, STR("secret"), PASSWORD_COST_MIN, &second));
	UNIT_ROW(str_starts(first, STR("$2b$04$")) && first.n == 60, "form");
	UNIT_ROW(!str_eq(first, second), "each has a salt of its own");
	CU_ASSERT(password_is_supported(first));
	CU_ASSERT(password_verify(arena, STR("secret"), first));
	CU_ASSERT(password_verify(arena, STR("secret"), second));
	CU_ASSERT(!password_verify(arena, STR("Secret"), first));
	CU_ASSERT(!password_verify(arena, STR(""), first));
	CU_ASSERT(!password_verify(arena, STR_NONE, first));
	CU_ASSERT(password_hash(arena, STR("secret"), PASSWORD_COST_DEFAULT, &first));
	UNIT_ROW(str_starts(first, STR("$2b$12$")), "default cost");
	struct str untouched = STR("untouched");
	CU_ASSERT(!password_hash(arena, STR("secret"), PASSWORD_COST_MIN - 1, &untouched));
	CU_ASSERT(!password_hash(arena, STR("secret"), PASSWORD_COST_MAX + 1, &untouched));
	UNIT_STR_EQ(untouched, STR("untouched"), "written on success alone");
	struct arena *small;
	CU_ASSERT(arena_open(40, &small));
	CU_ASSERT(!password_hash(small, STR("secret"), PASSWORD_COST_MIN, &untouched));
	UNIT_ROW(!password_verify(small, STR("secret"), first), "an arena without room lets nobody in");
	arena_close(&small);
	arena_reset(arena);
}

static void bounds(void)
{
	char text[600];
	memset(text, 'x', sizeof text);
	struct str hash = STR_NONE;
	struct str longest = {text, PASSWORD_MAX}, too_long = {text, PASSWORD_MAX + 1};
	CU_ASSERT_PTR_NULL(password_problem(longest));
	CU_ASSERT(password_hash(arena, longest, PASSWORD_COST_MIN, &hash));
	CU_ASSERT(password_verify(arena, longest, hash));
	UNIT_ROW(!password_verify(arena, (struct str){text, PASSWORD_MAX - 1}, hash), "the 72nd byte counts");
	CU_ASSERT_PTR_NOT_NULL(password_problem(too_long));
	UNIT_ROW(!password_hash(arena, too_long, PASSWORD_COST_MIN, &hash), "73 bytes are refused, not cut");
	CU_ASSERT_PTR_NOT_NULL(password_problem(STR("")));
	CU_ASSERT(!password_hash(arena, STR(""), PASSWORD_COST_MIN, &hash));
	CU_ASSERT_PTR_NOT_NULL(password_problem(STR("sec\0ret")));
	CU_ASSERT(!password_hash(arena, STR("sec\0ret"), PASSWORD_COST_MIN, &hash));
	/* By htpasswd -B from 80 and 72 times "x". */
	struct str imported = STR("$2y$04$jd0QIZ.ALF7YH7rNzzqMgeUCxSEDNZkmvI3oCtBWcFJ9x/uJdyBmq");
	UNIT_ROW(password_verify(arena, (struct str){text, 80}, imported), "an imported user gets in as before");
	imported = STR("$2y$04$NjwFKrYUFdOfHgVSHLFzyO29M0S7u7bBM6jVCulXhzZzevT/pUdgu");
	CU_ASSERT(password_verify(arena, longest, imported));
	UNIT_ROW(!password_verify(arena, (struct str){text, sizeof text}, imported), "longer than crypt(3) reads");
	struct str secret = STR("$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW");
	UNIT_ROW(!password_verify(arena, STR("secret\0x"), secret), "nothing hides behind a NUL");
	arena_reset(arena);
}

static void outdated(void)
{
	static const struct {
		const char *name, *hash;
		unsigned cost;
		bool outdated;
	} rows[] = {
		{"as wanted", "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", 4, false},
		{"less than wanted", "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", 5, true},
		{"more than wanted", "$2b$12$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", 11, false},
		{"of htpasswd, as wanted", "$2y$04$jd0QIZ.ALF7YH7rNzzqMgeUCxSEDNZkmvI3oCtBWcFJ9x/uJdyBmq", 4, false},
		{"MD5", "$1$saltsalt$9xy1btjgzLYfb7hivXtC//", 4, true},
		{"SHA-1", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", 4, true},
		{"yescrypt", "$y$j9T$abcdefgh$0123456789012345678901234567890123456789012", 4, true},
		{"none", "", 4, true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_ROW(password_is_outdated(str_of(rows[i].hash), rows[i].cost) == rows[i].outdated, rows[i].name);
}

static void nobody(void)
{
	/* What it computes lets nobody in; here it only has to run at every cost. */
	static const unsigned costs[] = {PASSWORD_COST_MIN, PASSWORD_COST_MIN + 1, 0, 99};
	for (size_t i = 0; i < sizeof costs / sizeof *costs; i++)
		password_verify_nobody(arena, STR("secret"), costs[i]);
	UNIT_ROW(password_is_supported(STR("$2b$04$abcdefghijklmnopqrstuu...............................")),
		 "the hash of nobody is one that is worked on");
	arena_reset(arena);
}

int main(void)
{
	if (!arena_open(ARENA_SIZE, &arena))
		return 99;
	static const struct unit_case cases[] = {
		{"known hashes", known_hashes}, {"changed hashes", changed_hashes}, {"no hashes", no_hashes},
		{"hashing", hashing},		{"bounds", bounds},		    {"nobody", nobody},
		{"outdated", outdated},
		{NULL, NULL},
	};
	int status = unit_main("password", cases);
	arena_close(&arena);
	return status;
}
