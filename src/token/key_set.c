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

enum err key_set_verify(const struct key_set *set, struct token_thread *thread, const struct algorithm *algorithm,
			struct str kid, struct str input, struct str signature)
{
	enum err result = ERR_UNKNOWN_KEY;
	(void)kid;
	for (size_t i = 0; i < set->n; i++) {
		if (key_algorithm(set->keys[i]) != algorithm)
			continue;
		result = key_verify(set->keys[i], thread, input, signature);
		if (result != ERR_BAD_SIGNATURE)
			break;
	}
	return result;
}
