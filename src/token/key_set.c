/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of keys, and which of them are tried for a token. */
#include <stdlib.h>

#include "base/secret.h"
#include "token/key.h"

void key_set_begin(struct key_set *set)
{
	*set = (struct key_set){0};
	random_bytes(&set->generation, sizeof set->generation);
}

bool key_set_add(struct key_set *set, struct key *key)
{
	if (set->n == KEY_SET_MAX)
		return false;
	if (set->n == set->cap) {
		size_t cap = set->cap ? 2 * set->cap : 4;
		struct key **keys = realloc(set->keys, cap * sizeof *keys);
		if (!keys)
			return false;
		set->keys = keys;
		set->cap = cap;
	}
	set->keys[set->n++] = key;
	return true;
}

void key_set_close(struct key_set *set)
{
	while (set->n > 0)
		key_close(&set->keys[--set->n]);
	free(set->keys);
	*set = (struct key_set){0};
}

/* Is there exactly one key with a kid for the algorithm? */
static bool is_only_one(const struct key_set *set, const struct algorithm *algorithm)
{
	size_t n = 0;
	for (size_t i = 0; i < set->n; i++)
		n += key_algorithm(set->keys[i]) == algorithm && key_kid(set->keys[i]).p;
	return n == 1;
}

/* The next key that is for the token, from *at on, or NULL. */
static const struct key *next_key(const struct key_set *set, struct key_wanted wanted, size_t *at)
{
	while (*at < set->n) {
		const struct key *key = set->keys[(*at)++];
		struct str own = key_kid(key);
		if (key_algorithm(key) != wanted.algorithm)
			continue;
		if (!own.p || (wanted.kid.p ? str_eq(own, wanted.kid) : is_only_one(set, wanted.algorithm)))
			return key;
	}
	return NULL;
}

enum err key_set_verify(const struct key_set *set, struct token_thread *thread, struct key_wanted wanted,
			struct str input, struct str signature)
{
	enum err result = ERR_UNKNOWN_KEY;
	size_t at = 0;
	for (int tries = 0; tries < KEY_TRIES_MAX; tries++) {
		const struct key *key = next_key(set, wanted, &at);
		if (!key)
			break;
		result = key_verify(key, thread, input, signature);
		if (result != ERR_BAD_SIGNATURE)
			break;
	}
	return result;
}

bool key_set_has(const struct key_set *set, struct key_wanted wanted)
{
	size_t at = 0;
	return next_key(set, wanted, &at);
}
