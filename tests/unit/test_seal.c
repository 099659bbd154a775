/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed text: only what was sealed comes out again, and only with its key. */
#include "token/seal.h"

#include <string.h>

#include "unit.h"

static struct arena *arena;
static unsigned char key[SEAL_KEY_SIZE];

static struct str seal(struct str plain)
{
	struct buf b = arena_buf(arena, SEAL_SIZE(plain.n));
	CU_ASSERT(seal_close(arena, key, plain, &b));
	return buf_str(&b);
}

static void round_trip(void)
{
	static char large[300000];
	const struct str plains[] = {STR(""), STR("a"), STR("two\r\nlines"), {large, sizeof large}};
	memset(large, 'x', sizeof large);
	for (size_t i = 0; i < sizeof plains / sizeof *plains; i++) {
		struct str plain;
		arena_reset(arena);
		struct str first = seal(plains[i]), second = seal(plains[i]);
		CU_ASSERT_FALSE(str_eq(first, second));
		CU_ASSERT_FATAL(seal_open(arena, key, first, &plain));
		CU_ASSERT(str_eq(plain, plains[i]));
	}
}

/* Made by the Python package cryptography, with IV 100 … 111. */
static void known_answer(void)
{
	struct str plain;
	arena_reset(arena);
	CU_ASSERT_FATAL(seal_open(
		arena, key, STR("ZGVmZ2hpamtsbW5vO36_ChyNdvtSETqfsgAYmHq8E52Q_dS2LoO23lBkL0Q"), &plain));
	UNIT_STR_EQ(plain, STR("sealed elsewhere"), "plaintext");
}

static void refuses(void)
{
	unsigned char other[SEAL_KEY_SIZE] = {1};
	struct str plain, text = seal(STR("some text"));
	CU_ASSERT_FALSE(seal_open(arena, other, text, &plain));
	CU_ASSERT_FALSE(seal_open(arena, key, STR(""), &plain));
	CU_ASSERT_FALSE(seal_open(arena, key, STR("AAAA"), &plain));
	for (size_t n = 0; n < text.n; n++)
		CU_ASSERT_FALSE(seal_open(arena, key, (struct str){text.p, n}, &plain));
	for (size_t i = 0; i < text.n; i++) {
		char changed[128];
		memcpy(changed, text.p, text.n);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		CU_ASSERT_FALSE(seal_open(arena, key, (struct str){changed, text.n}, &plain));
	}
	struct buf small = arena_buf(arena, text.n - 1);
	CU_ASSERT_FALSE(seal_close(arena, key, STR("some text"), &small));
}

int main(void)
{
	static const struct unit_case cases[] = {{"what is sealed comes out", round_trip},
						 {"sealed by another implementation", known_answer},
						 {"what was changed does not", refuses},
						 {NULL, NULL}};
	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (unsigned char)i;
	if (!arena_open(4 << 20, &arena))
		return 1;
	int status = unit_main("seal", cases);
	arena_close(&arena);
	return status;
}
