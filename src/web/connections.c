/* SPDX-License-Identifier: Apache-2.0 */
/* Free list, ownership and deadlines of connections, without locks. */
#include "web/connections.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Values of wait. What is greater than 0 is a deadline in microseconds, times
 * two, plus one when the connection is idle. */
enum { FREE = 0, OWNED = -1, SHUTTING = -2, EXPIRED = -3, RELEASED = -4 };

struct connections {
	unsigned n;
	_Atomic uint64_t free; /* index + 1 of the first free one; above it a counter against ABA */
	struct connection items[];
};

static bool is_idle(int64_t wait)
{
	return wait > 0 && (wait & 1);
}

bool connections_open(unsigned n, struct connections **out)
{
	size_t size = sizeof(struct connections) + n * sizeof(struct connection);
	/* aligned_alloc wants a multiple of the alignment, which both sizes are. */
	struct connections *table = aligned_alloc(_Alignof(struct connections), size);
	if (!table)
		return false;
	memset(table, 0, size);
	table->n = n;
	for (unsigned i = 0; i < n; i++)
		atomic_init(&table->items[i].next_free, i + 1 < n ? i + 2 : 0);
	atomic_init(&table->free, n > 0 ? 1 : 0);
	*out = table;
	return true;
}

void connections_close(struct connections **connections)
{
	free(*connections);
	*connections = NULL;
}

/* The fields of the owner, all behind the atomic ones. */
static void clear(struct connection *connection)
{
	size_t offset = offsetof(struct connection, fd);
	memset((char *)connection + offset, 0, sizeof *connection - offset);
	connection->fd = -1;
}

struct connection *connections_take(struct connections *connections)
{
	uint64_t head = atomic_load(&connections->free);
	struct connection *first;
	uint64_t next;
	do {
		if ((uint32_t)head == 0)
			return NULL;
		first = &connections->items[(uint32_t)head - 1];
		next = (head >> 32) + 1;
		next = next << 32 | atomic_load(&first->next_free);
	} while (!atomic_compare_exchange_weak(&connections->free, &head, next));
	clear(first);
	atomic_store(&first->wait, OWNED);
	return first;
}

void connections_give(struct connections *connections, struct connection *connection)
{
	atomic_store(&connection->wait, FREE);
	uint32_t index = (uint32_t)(connection - connections->items) + 1;
	uint64_t head = atomic_load(&connections->free);
	uint64_t next;
	do {
		atomic_store(&connection->next_free, (uint32_t)head);
		next = ((head >> 32) + 1) << 32 | index;
	} while (!atomic_compare_exchange_weak(&connections->free, &head, next));
}

bool connections_left(struct connections *connections)
{
	return (uint32_t)atomic_load(&connections->free) != 0;
}

void connection_wait(struct connection *connection, int64_t deadline_us, bool idle)
{
	atomic_store_explicit(&connection->wait, deadline_us * 2 + idle, memory_order_release);
}

enum connection_state connection_own(struct connection *connection)
{
	int64_t wait = atomic_load_explicit(&connection->wait, memory_order_acquire);
	for (;;) {
		/* The owner before us is about to let go, or somebody is within shutdown(). */
		if (wait == OWNED || wait == SHUTTING) {
			sched_yield();
			wait = atomic_load_explicit(&connection->wait, memory_order_acquire);
		} else if (atomic_compare_exchange_weak(&connection->wait, &wait, OWNED)) {
			break;
		}
	}
	if (wait > 0)
		return CONNECTION_READY;
	return wait == RELEASED ? CONNECTION_RELEASED : CONNECTION_EXPIRED;
}

/* Shut a waiting connection down unless its owner is faster. An idle one can
 * still send: a request that has arrived by now gets its answer. */
static bool shut(struct connection *connection, int64_t wait)
{
	bool idle = is_idle(wait);
	if (!atomic_compare_exchange_strong(&connection->wait, &wait, SHUTTING))
		return false;
	shutdown(connection->fd, idle ? SHUT_RD : SHUT_RDWR);
	atomic_store(&connection->wait, idle ? RELEASED : EXPIRED);
	return true;
}

void connections_expire(struct connections *connections, int64_t now_us)
{
	for (unsigned i = 0; i < connections->n; i++) {
		struct connection *c = &connections->items[i];
		int64_t wait = atomic_load_explicit(&c->wait, memory_order_acquire);
		if (wait > 0 && wait / 2 <= now_us)
			shut(c, wait);
	}
}

void connections_release_idle(struct connections *connections)
{
	for (unsigned i = 0; i < connections->n; i++) {
		struct connection *c = &connections->items[i];
		int64_t wait = atomic_load_explicit(&c->wait, memory_order_acquire);
		if (is_idle(wait))
			shut(c, wait);
	}
}

bool connections_evict_idle(struct connections *connections)
{
	for (;;) {
		struct connection *longest = NULL;
		int64_t least = INT64_MAX;
		for (unsigned i = 0; i < connections->n; i++) {
			int64_t wait = atomic_load_explicit(&connections->items[i].wait, memory_order_acquire);
			if (is_idle(wait) && wait < least) {
				least = wait;
				longest = &connections->items[i];
			}
		}
		if (!longest)
			return false;
		if (shut(longest, least))
			return true;
	}
}

unsigned connections_busy(struct connections *connections, bool with_idle)
{
	unsigned n = 0;
	for (unsigned i = 0; i < connections->n; i++) {
		int64_t wait = atomic_load(&connections->items[i].wait);
		n += wait != FREE && (with_idle || !is_idle(wait));
	}
	return n;
}

void connections_each(struct connections *connections, void (*call)(void *context, struct connection *connection),
		      void *context)
{
	for (unsigned i = 0; i < connections->n; i++)
		if (atomic_load(&connections->items[i].wait) != FREE)
			call(context, &connections->items[i]);
}
