/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of one size are kept; larger ones are rare and go back to the system. */
#include "web/buffers.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/secret.h"

struct buffers {
	pthread_mutex_t lock;
	unsigned n;
	char *spare[BUFFERS_SPARE_MAX];
};

bool buffers_open(struct buffers **out)
{
	struct buffers *buffers = calloc(1, sizeof *buffers);
	if (!buffers)
		return false;
	pthread_mutex_init(&buffers->lock, NULL);
	*out = buffers;
	return true;
}

void buffers_close(struct buffers **buffers)
{
	if (!*buffers)
		return;
	for (unsigned i = 0; i < (*buffers)->n; i++)
		free((*buffers)->spare[i]);
	pthread_mutex_destroy(&(*buffers)->lock);
	free(*buffers);
	*buffers = NULL;
}

static char *take_spare(struct buffers *buffers)
{
	char *memory = NULL;
	pthread_mutex_lock(&buffers->lock);
	if (buffers->n > 0)
		memory = buffers->spare[--buffers->n];
	pthread_mutex_unlock(&buffers->lock);
	return memory;
}

char *buffers_take(struct buffers *buffers, size_t least, size_t most, size_t *size)
{
	size_t capacity = BUFFERS_BLOCK;
	while (capacity < least)
		capacity *= 2;
	if (capacity > most && most >= least && capacity > BUFFERS_BLOCK)
		capacity = most;
	char *memory = capacity == BUFFERS_BLOCK ? take_spare(buffers) : NULL;
	if (!memory)
		memory = malloc(capacity);
	if (memory)
		*size = capacity;
	return memory;
}

void buffers_give(struct buffers *buffers, char *memory, size_t size)
{
	secret_wipe(memory, size);
	pthread_mutex_lock(&buffers->lock);
	bool kept = size == BUFFERS_BLOCK && buffers->n < BUFFERS_SPARE_MAX;
	if (kept)
		buffers->spare[buffers->n++] = memory;
	pthread_mutex_unlock(&buffers->lock);
	if (!kept)
		free(memory);
}
