/* SPDX-License-Identifier: Apache-2.0 */
/* The index of patterns against what it stands for: a look at each policy. */
#include "policy/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "http/url.h"
#include "unit.h"

enum { POLICIES = 40, PATTERNS = 3, HOSTS = 2, ROUNDS = 300, ASKED = 60, TEXT = 64 };

static bool host_matches(const struct policy *policy, struct str host)
{
	const struct conf_list *hosts = &policy->conf->host;
	for (size_t i = 0; i < hosts->n; i++)
		if (str_eq_nocase(hosts->items[i].value, host))
			return true;
	return hosts->n == 0;
}

/* What route.h promises, word by word. */
static const struct policy *look_at_each(const struct policy *policies, size_t n, struct str host, struct str path)
{
	const struct policy *best = NULL;
	struct str best_pattern = STR_NONE;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < policies[i].conf->path.n; j++) {
			struct str pattern = policies[i].conf->path.items[j].value;
			if (!host_matches(&policies[i], host) || !url_pattern_match(pattern, path, NULL))
				continue;
			int order = best ? url_pattern_compare(pattern, best_pattern) : 1;
			if (order > 0 || (order == 0 && policies[i].conf->host.n > 0 && best->conf->host.n == 0)) {
				best = &policies[i];
				best_pattern = pattern;
			}
		}
	return best;
}

static uint64_t state;

/* xorshift64: any numbers will do, the same for the same seed. */
static size_t below(size_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (size_t)(state >> 11) % n;
}

/* Few words, so that much begins alike, matches, and is equally specific. */
static struct str random_pattern(char memory[TEXT], bool wild)
{
	static const char *const words[] = {"a", "b", "ab", "*", "{user}"};
	struct buf b = buf_over(memory, TEXT);
	for (size_t i = 0, n = below(4); i < n; i++)
		buf_printf(&b, "/%s", words[below(wild ? 5 : 3)]);
	if (wild && below(2))
		buf_add(&b, STR("/**"));
	else if (b.n == 0 || below(4) == 0)
		buf_char(&b, '/');
	return buf_str(&b);
}

static struct conf_text paths[POLICIES][PATTERNS], hosts[POLICIES][HOSTS];
static char texts[POLICIES][PATTERNS][TEXT];
static struct policy_conf confs[POLICIES];
static struct policy policies[POLICIES];

static void make_policies(void)
{
	static const struct str names[] = {{"a.test", 6}, {"B.test", 6}, {"c.test", 6}};
	for (size_t i = 0; i < POLICIES; i++) {
		confs[i] = (struct policy_conf){.path = {paths[i], 1 + below(PATTERNS)},
						.host = {hosts[i], below(HOSTS + 1)}};
		for (size_t j = 0; j < PATTERNS; j++)
			paths[i][j].value = random_pattern(texts[i][j], true);
		for (size_t j = 0; j < HOSTS; j++)
			hosts[i][j].value = names[(i + j) % 3];
		policies[i] = (struct policy){.conf = &confs[i]};
	}
}

static void finds_what_a_look_at_each_finds(void)
{
	static const struct str asked[] = {{"a.test", 6}, {"b.TEST", 6}, {"d.test", 6}, {NULL, 0}};
	const char *given = getenv("TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	size_t found = 0, by_host = 0;
	printf(" (TEST_SEED=%llu) ", (unsigned long long)seed);
	state = seed * 2 + 1;
	for (size_t round = 0; round < ROUNDS; round++) {
		struct arena *arena;
		size_t n = below(POLICIES + 1);
		make_policies();
		CU_ASSERT_FATAL(arena_open(1 << 20, &arena));
		const struct route_table *table = route_table_make(arena, policies, n);
		CU_ASSERT_PTR_NOT_NULL_FATAL(table);
		for (size_t i = 0; i < ASKED; i++) {
			char memory[TEXT];
			struct str path = random_pattern(memory, false), host = asked[below(4)];
			const struct policy *want = look_at_each(policies, n, host, path);
			CU_ASSERT_PTR_EQUAL(route_table_find(table, host, path), want);
			found += want != NULL;
			by_host += want && want->conf->host.n > 0;
		}
		arena_close(&arena);
	}
	/* The random ones were worth asking about. */
	CU_ASSERT(found > ROUNDS * ASKED / 4 && by_host > ROUNDS * ASKED / 20);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"finds what a look at each finds", finds_what_a_look_at_each_finds},
		{NULL, NULL},
	};
	return unit_main("route", cases);
}
