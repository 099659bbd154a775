/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is given back all at once: a request's, or a configuration's. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena;

/* An arena that hands out `size` bytes at most. One block, no growth: what a
 * request may use is bounded here. In sanitizer builds every object is an
 * allocation of its own, so that an overflow of one into the next is seen.
 * false: no memory. */
bool arena_open(size_t size, struct arena **out);
/* Wipes (the arena has held tokens and passwords) and frees. Sets *arena to NULL. */
void arena_close(struct arena **arena);
/* Forget everything handed out; the memory is kept. */
void arena_reset(struct arena *arena);
/* Zeroed, aligned for any type; NULL when the arena is used up. */
void *arena_alloc(struct arena *arena, size_t size);
/* n objects of the size each; NULL also when the product overflows. */
void *arena_array(struct arena *arena, size_t n, size_t size);
/* A copy of the slice; STR_NONE when the arena is used up. The copy is followed
 * by a NUL, so its p may go to C calls when the text has none inside. */
struct str arena_copy(struct arena *arena, struct str s);
/* An empty buffer of that capacity; its capacity is 0 and it is full when the arena is used up. */
struct buf arena_buf(struct arena *arena, size_t capacity);
__attribute__((format(printf, 2, 3))) struct str arena_printf(struct arena *arena, const char *format, ...);

#endif
