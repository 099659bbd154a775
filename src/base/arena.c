/* SPDX-License-Identifier: Apache-2.0 */
/* The arena: one block handed out from the front; in sanitizer builds a list of
 * single allocations, because a sanitizer can't see into a block. */
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#if defined __SANITIZE_ADDRESS__
#define ARENA_SEPARATE 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define ARENA_SEPARATE 1
#endif
#endif
#ifndef ARENA_SEPARATE
#define ARENA_SEPARATE 0
#endif

enum { ALIGNMENT = 16 };

struct object {
	struct object *next;
	size_t size;
	_Alignas(ALIGNMENT) char bytes[];
};

struct arena {
	size_t size, used;
	char *block;
	struct object *objects;
};

bool arena_open(size_t size, struct arena **out)
{
	struct arena *arena = calloc(1, sizeof *arena);
	if (!arena)
		return false;
	arena->size = size;
	if (!ARENA_SEPARATE) {
		arena->block = malloc(size);
		if (!arena->block) {
			free(arena);
			return false;
		}
	}
	*out = arena;
	return true;
}

void arena_reset(struct arena *arena)
{
	while (arena->objects) {
		struct object *object = arena->objects;
		arena->objects = object->next;
		secret_wipe(object->bytes, object->size);
		free(object);
	}
	arena->used = 0;
}

void arena_close(struct arena **arena)
{
	if (!*arena)
		return;
	if ((*arena)->block)
		secret_wipe((*arena)->block, (*arena)->used);
	arena_reset(*arena);
	free((*arena)->block);
	free(*arena);
	*arena = NULL;
}

static void *separate_alloc(struct arena *arena, size_t size)
{
	struct object *object = calloc(1, sizeof *object + size);
	if (!object)
		return NULL;
	object->size = size;
	object->next = arena->objects;
	arena->objects = object;
	return object->bytes;
}

/* Not zeroed where the arena is a block. */
static void *take(struct arena *arena, size_t size)
{
	if (size > arena->size)
		return NULL;
	size_t aligned = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (aligned > arena->size - arena->used)
		return NULL;
	void *memory = ARENA_SEPARATE ? separate_alloc(arena, size) : arena->block + arena->used;
	if (memory)
		arena->used += aligned;
	return memory;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *memory = take(arena, size);
	if (memory)
		memset(memory, 0, size);
	return memory;
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
	size_t total;
	return __builtin_mul_overflow(n, size, &total) ? NULL : arena_alloc(arena, total);
}

struct str arena_copy(struct arena *arena, struct str s)
{
	char *copy = s.n < SIZE_MAX ? take(arena, s.n + 1) : NULL;
	if (!copy)
		return STR_NONE;
	if (s.n)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return (struct str){copy, s.n};
}

struct buf arena_buf(struct arena *arena, size_t capacity)
{
	void *memory = take(arena, capacity);
	return buf_over(memory, memory ? capacity : 0);
}

struct str arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *text = n < 0 ? NULL : take(arena, (size_t)n + 1);
	if (text)
		vsnprintf(text, (size_t)n + 1, format, again);
	va_end(again);
	return text ? (struct str){text, (size_t)n} : STR_NONE;
}
