/* SPDX-License-Identifier: Apache-2.0 */
#include "token/algorithm.h"

#include "unit.h"

static void exact_names(void)
{
	static const char *const wrong[] = {
		"",	 "none",   "None",   "NONE",   "HS",	"HS2",	 "HS25", "HS2566", "hs256",
		"Hs256", " HS256", "HS256 ", "HS-256", "RS256", "ES256", "HMAC", "dir",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		UNIT_ROW(algorithm_find(str_of(wrong[i]), ALGORITHM_ALL) == NULL, wrong[i]);
	CU_ASSERT_PTR_NULL(algorithm_find(((struct str){"HS256\0", 6}), ALGORITHM_ALL));
	CU_ASSERT_PTR_NULL(algorithm_find(STR_NONE, ALGORITHM_ALL));
	for (size_t i = 0; algorithm_at(i); i++)
		CU_ASSERT_PTR_EQUAL(algorithm_find(str_of(algorithm_at(i)->name), ALGORITHM_ALL), algorithm_at(i));
}

/* RFC 7518 section 3.2: a key of at least the size of the hash. */
static void sizes(void)
{
	static const struct {
		const char *name;
		size_t size;
	} rows[] = {{"HS256", 32}, {"HS384", 48}, {"HS512", 64}};
	for (size_t i = 0; i < 3; i++) {
		const struct algorithm *algorithm = algorithm_find(str_of(rows[i].name), ALGORITHM_ALL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(algorithm);
		CU_ASSERT_EQUAL(algorithm->family, KEY_HMAC);
		CU_ASSERT_EQUAL(algorithm->key_size, rows[i].size);
		CU_ASSERT_EQUAL(digest_size(algorithm->hash), rows[i].size);
	}
}

/* An allowed algorithm allows no other of its family. */
static void sets(void)
{
	for (size_t i = 0; algorithm_at(i); i++) {
		struct algorithm_set set = {0};
		CU_ASSERT_PTR_NULL(algorithm_find(str_of(algorithm_at(i)->name), set));
		CU_ASSERT_TRUE(algorithm_add(&set, algorithm_at(i)));
		CU_ASSERT_FALSE(algorithm_add(&set, algorithm_at(i)));
		for (size_t j = 0; algorithm_at(j); j++)
			CU_ASSERT((algorithm_find(str_of(algorithm_at(j)->name), set) != NULL) == (i == j));
	}
}

static void names(void)
{
	char memory[256];
	struct buf b = buf_over(memory, sizeof memory);
	algorithm_print_all(&b);
	UNIT_STR_EQ(buf_str(&b), STR("HS256, HS384, HS512"), "all");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"exact names", exact_names}, {"sizes", sizes}, {"sets", sets}, {"names", names}, {0},
	};
	return unit_main("algorithm", cases);
}
