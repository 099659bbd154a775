/* SPDX-License-Identifier: Apache-2.0 */
/* A set of keys that is replaced while threads verify with it. */
#include "token/key_source.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static const struct algorithm *hs256;

static void make_set(struct key_set *set)
{
	struct key *key;
	key_set_begin(set);
	CU_ASSERT_TRUE_FATAL(key_open_hmac(hs256, STR("0123456789abcdef0123456789abcdef"), STR("k"), &key));
	CU_ASSERT_TRUE_FATAL(key_set_add(set, key));
}

static bool verifies(const struct key_set *set)
{
	unsigned char out[KEY_SIGNATURE_MAX];
	size_t n;
	struct key_wanted wanted = {hs256, STR("k")};
	return key_sign(set->keys[0], NULL, STR("x"), out, &n) &&
	       key_set_verify(set, NULL, wanted, STR("x"), (struct str){(char *)out, n}) == ERR_NONE;
}

/* What was taken stays whole until it is given back, even when the source is gone. */
static void life(void)
{
	struct key_source *source, *held;
	struct key_set first, second;
	CU_ASSERT_TRUE_FATAL(key_source_open(&source));
	CU_ASSERT_PTR_NULL(key_source_take(source));
	key_source_give_back(source, NULL);
	make_set(&first);
	make_set(&second);
	uint64_t generations[] = {first.generation, second.generation};
	CU_ASSERT_TRUE(key_source_put(source, &first));
	CU_ASSERT(first.n == 0 && !first.keys);
	const struct key_set *old = key_source_take(source), *again = key_source_take(source);
	CU_ASSERT_PTR_EQUAL(old, again);
	CU_ASSERT_TRUE(key_source_put(source, &second));
	const struct key_set *current = key_source_take(source);
	CU_ASSERT(old->generation == generations[0] && current->generation == generations[1]);
	CU_ASSERT(verifies(old) && verifies(current));
	key_source_give_back(source, again);
	CU_ASSERT_TRUE(verifies(old));
	key_source_give_back(source, old);
	key_source_give_back(source, current);
	held = key_source_hold(source);
	CU_ASSERT_PTR_EQUAL(held, source);
	key_source_close(&source);
	CU_ASSERT_PTR_NULL(source);
	current = key_source_take(held);
	CU_ASSERT(current && verifies(current));
	key_source_give_back(held, current);
	key_source_close(&held);
	key_source_close(&held);
}

enum { READERS = 4, REPLACEMENTS = 500 };

static struct key_source *shared;
static atomic_bool is_over;

static void *read_often(void *argument)
{
	bool good = true;
	while (!atomic_load(&is_over) && good) {
		const struct key_set *set = key_source_take(shared);
		good = set && verifies(set);
		key_source_give_back(shared, set);
	}
	return good ? argument : NULL;
}

static void replaced_in_use(void)
{
	pthread_t threads[READERS];
	struct key_set set;
	CU_ASSERT_TRUE_FATAL(key_source_open(&shared));
	make_set(&set);
	CU_ASSERT_TRUE(key_source_put(shared, &set));
	for (size_t i = 0; i < READERS; i++)
		CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, read_often, &shared) == 0);
	for (int i = 0; i < REPLACEMENTS; i++) {
		make_set(&set);
		CU_ASSERT_TRUE(key_source_put(shared, &set));
	}
	atomic_store(&is_over, true);
	for (size_t i = 0; i < READERS; i++) {
		void *result = NULL;
		pthread_join(threads[i], &result);
		CU_ASSERT_PTR_NOT_NULL(result);
	}
	key_source_close(&shared);
}

int main(void)
{
	static const struct unit_case cases[] = {{"life", life}, {"replaced in use", replaced_in_use}, {0}};
	hs256 = algorithm_find(STR("HS256"), ALGORITHM_ALL);
	return unit_main("key_source", cases);
}
