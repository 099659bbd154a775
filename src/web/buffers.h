/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for requests that arrive in pieces: a bounded list of free blocks, so
 * that slow peers cost no malloc each and a burst of them is given back. */
#ifndef WEB_BUFFERS_H
#define WEB_BUFFERS_H

#include <stdbool.h>
#include <stddef.h>

enum { BUFFERS_BLOCK = 8192, BUFFERS_SPARE_MAX = 64 };

struct buffers;

bool buffers_open(struct buffers **out);
void buffers_close(struct buffers **buffers);
/* At least `least` bytes, rounded up to a power of two or to most; *size says how
 * many. NULL: no memory. */
char *buffers_take(struct buffers *buffers, size_t least, size_t most, size_t *size);
/* Wipes: it may have held a token or a password. */
void buffers_give(struct buffers *buffers, char *memory, size_t size);

#endif
