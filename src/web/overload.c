/* SPDX-License-Identifier: Apache-2.0 */
/* How long does what is ready wait for a worker? When no worker is waiting, a
 * probe is put at the end of epoll's list of ready descriptors, and the workers
 * see how long it stays there. From the moment that this is longer than a
 * request may wait until there is nothing ready any more, requests are answered
 * 503: work on them would come too late for their servers and keep later ones
 * waiting too. */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "web/engine.h"

enum { BUDGET_US = 1000000 };

bool overload_open(struct transport *t)
{
	t->probe = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct epoll_event event = {.events = EPOLLONESHOT, .data.ptr = ENGINE_PROBE(t)};
	return t->probe >= 0 && epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->probe, &event) == 0;
}

static bool somebody_waits(struct transport *t)
{
	for (unsigned i = 0; i < t->n_workers; i++)
		if (atomic_load_explicit(&t->workers[i].waiting, memory_order_relaxed))
			return true;
	return false;
}

void overload_probe(struct transport *t, int64_t now_us)
{
	if (atomic_load(&t->probed_us) != 0 || somebody_waits(t))
		return;
	atomic_store(&t->probed_us, now_us);
	/* An eventfd can always be written: it is ready as soon as it is asked for that. */
	struct epoll_event event = {.events = EPOLLOUT | EPOLLONESHOT, .data.ptr = ENGINE_PROBE(t)};
	epoll_ctl(t->epoll, EPOLL_CTL_MOD, t->probe, &event);
}

bool overload_is(struct transport *t)
{
	int64_t probed_us = atomic_load_explicit(&t->probed_us, memory_order_relaxed);
	/* Late already, wherever in the list it stands? */
	if (probed_us != 0 && clock_monotonic_us() - probed_us > BUDGET_US)
		atomic_store(&t->shedding, true);
	return atomic_load_explicit(&t->shedding, memory_order_relaxed);
}

void overload_measure(struct transport *t)
{
	overload_is(t);
	atomic_store(&t->probed_us, 0);
}
