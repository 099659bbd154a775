/* SPDX-License-Identifier: Apache-2.0 */
/* A table of counters in shared memory: sets of a few slots each, as in a cache of
 * a processor. A key belongs to one set; which one depends on a random number in
 * the file, so that nobody can choose keys that drive another one out. What is
 * read from the file never becomes an address or a length, and every wait ends:
 * whatever another process leaves behind when it is killed is overcome. */
#include "store/limiter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "store/state_dir.h"

enum { WAYS = 10, LEASE_MS = 20, OPEN_TRIES = 5, REASON_SIZE = 256, PATH_SIZE = PATH_MAX };

#define MAGIC UINT64_C(0x31746d6c2d666163) /* of this layout */

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a lock of this process is no use to another");

struct slot {
	_Atomic uint64_t tag;	/* 64 bits of the key; 0: free */
	_Atomic uint64_t count; /* see count.h */
	_Atomic int64_t last;	/* use, in seconds */
};

struct set {
	/* Whoever puts a new key in holds it: the moment it was taken, 0 for nobody. */
	_Alignas(64) _Atomic int64_t lease;
	struct slot slots[WAYS];
};

struct page {
	uint64_t magic, n_sets, seed;
	struct set sets[];
};

struct limiter {
	struct page *page;
	size_t size, n_sets;
	uint64_t seed;
};

/* The file ----------------------------------------------------------------- */

static bool fail_errno(const char *doing, const char *path, struct buf *why)
{
	char reason[REASON_SIZE];
	buf_printf(why, "cannot %s %s: %s", doing, path, strerror_r(errno, reason, sizeof reason));
	return false;
}

static struct page *map(int fd, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

/* With all its blocks: where the disk is full, a write to a mapped page kills. */
static bool fill(int fd, const struct limiter *l, const struct state_owner *owner)
{
	errno = posix_fallocate(fd, 0, (off_t)l->size);
	struct page *page = errno == 0 ? map(fd, l->size) : NULL;
	if (!page)
		return false;
	page->n_sets = l->n_sets;
	random_bytes(&page->seed, sizeof page->seed);
	page->magic = MAGIC;
	munmap(page, l->size);
	return state_file_adopt(fd, owner);
}

/* Whole before it has its name; of several processes one wins. */
static bool create(const char *path, const struct limiter *l, const struct state_owner *owner, struct buf *why)
{
	char beside[PATH_SIZE + 8];
	snprintf(beside, sizeof beside, "%s.XXXXXX", path);
	int fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return fail_errno("make", beside, why);
	bool made = fill(fd, l, owner) && (link(beside, path) == 0 || errno == EEXIST);
	if (!made)
		fail_errno("make", path, why);
	close(fd);
	unlink(beside);
	return made;
}

/* Another version's, or cut short: it goes, unless another process has just put a good one there. */
static void discard(const char *path, const struct stat *bad)
{
	struct stat now;
	log_text(LOG_WARNING, "limits", "%s is damaged or of another version: counting begins anew", path);
	if (lstat(path, &now) == 0 && now.st_dev == bad->st_dev && now.st_ino == bad->st_ino)
		unlink(path);
}

enum attempt { OPENED, RETRY, FAILED };

static enum attempt try_open(const char *path, struct limiter *l, const struct state_owner *owner, struct buf *why)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return create(path, l, owner, why) ? RETRY : FAILED;
	int error = errno;
	if (!state_file_check(path, why) || fd < 0 || fstat(fd, &st) != 0) {
		errno = fd < 0 ? error : errno;
		if (why->n == 0)
			fail_errno("open", path, why);
		if (fd >= 0)
			close(fd);
		return FAILED;
	}
	struct page *page = st.st_size == (off_t)l->size ? map(fd, l->size) : NULL;
	close(fd);
	if (page && page->magic == MAGIC && page->n_sets == l->n_sets) {
		l->page = page;
		l->seed = page->seed;
		return OPENED;
	}
	if (page)
		munmap(page, l->size);
	discard(path, &st);
	return RETRY;
}

bool limiter_open(const struct limiter_settings *settings, struct limiter **out, struct buf *why)
{
	char path[PATH_SIZE];
	struct state_owner owner;
	struct limiter *l = calloc(1, sizeof *l);
	int n = snprintf(path, sizeof path - 16, "%s/%s.limits", settings->state_dir, settings->name);
	if (!l || n < 0 || n >= (int)sizeof path - 16) {
		buf_add(why, l ? STR("state-dir has too long a name") : STR("no memory for limits"));
		free(l);
		return false;
	}
	l->n_sets = settings->keys / WAYS + 1;
	l->size = sizeof *l->page + l->n_sets * sizeof *l->page->sets;
	enum attempt attempt = state_dir_check(settings->state_dir, false, &owner, why) ? RETRY : FAILED;
	for (int i = 0; attempt == RETRY && i < OPEN_TRIES; i++)
		attempt = try_open(path, l, &owner, why);
	if (attempt == OPENED) {
		*out = l;
		return true;
	}
	if (attempt == RETRY)
		buf_printf(why, "%s does not stay: what removes it?", path);
	free(l);
	return false;
}

void limiter_close(struct limiter **limiter)
{
	if (!*limiter)
		return;
	munmap((*limiter)->page, (*limiter)->size);
	free(*limiter);
	*limiter = NULL;
}

/* Slots -------------------------------------------------------------------- */

static struct set *set_of(const struct limiter *l, const struct store_key *key, uint64_t *tag)
{
	uint64_t first;
	memcpy(&first, key->bytes, sizeof first);
	memcpy(tag, key->bytes + sizeof first, sizeof *tag);
	if (*tag == 0)
		*tag = 1;
	/* The finalizer of SplitMix64. */
	uint64_t z = first ^ l->seed;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return &l->page->sets[(z ^ z >> 31) % l->n_sets];
}

static struct slot *find(struct set *set, uint64_t tag)
{
	for (size_t i = 0; i < WAYS; i++)
		if (atomic_load(&set->slots[i].tag) == tag)
			return &set->slots[i];
	return NULL;
}

/* A lease of somebody who was killed, or from before the machine was started anew, runs out. After
 * LEASE_MS of waiting we go on without: then a key may get two slots, and count in both. */
static int64_t take_lease(struct set *set)
{
	int64_t begun = clock_monotonic_ms() + 1, now = begun;
	while (now - begun <= LEASE_MS) {
		int64_t held = atomic_load(&set->lease);
		bool free = held == 0 || held > now || now - held > LEASE_MS;
		if (free && atomic_compare_exchange_strong(&set->lease, &held, now))
			return now;
		sched_yield();
		now = clock_monotonic_ms() + 1;
	}
	return 0;
}

static void end_lease(struct set *set, int64_t lease)
{
	if (lease)
		atomic_compare_exchange_strong(&set->lease, &lease, 0);
}

/* Who goes: a free slot, else one whose window is over, else the one that counted
 * least; of equals the one that was used longest ago. */
static bool is_lesser(struct slot *a, struct slot *b, int64_t now_ms)
{
	struct slot *slots[] = {a, b};
	int64_t worth[2];
	for (size_t i = 0; i < 2; i++) {
		uint64_t count = atomic_load(&slots[i]->count);
		bool over = count_end(count) <= now_ms;
		worth[i] = !atomic_load(&slots[i]->tag) ? -1 : over ? 0 : count_uses(count);
	}
	return worth[0] < worth[1] || (worth[0] == worth[1] && atomic_load(&a->last) < atomic_load(&b->last));
}

static struct slot *claim(struct set *set, uint64_t tag, int64_t now_ms)
{
	int64_t lease = take_lease(set);
	struct slot *slot = find(set, tag);
	if (!slot) {
		slot = &set->slots[0];
		for (size_t i = 1; i < WAYS; i++)
			if (is_lesser(&set->slots[i], slot, now_ms))
				slot = &set->slots[i];
		/* Nobody finds it meanwhile, neither by the old key nor by the new one. */
		atomic_store(&slot->tag, 0);
		atomic_store(&slot->count, 0);
		atomic_store(&slot->last, now_ms / 1000);
		atomic_store(&slot->tag, tag);
	}
	end_lease(set, lease);
	return slot;
}

/* Use ---------------------------------------------------------------------- */

static struct slot *find_or_claim(struct limiter *limiter, const struct store_key *key, int64_t now_ms)
{
	uint64_t tag;
	struct set *set = set_of(limiter, key, &tag);
	struct slot *slot = find(set, tag);
	if (!slot)
		slot = claim(set, tag, now_ms);
	if (atomic_load_explicit(&slot->last, memory_order_relaxed) != now_ms / 1000)
		atomic_store_explicit(&slot->last, now_ms / 1000, memory_order_relaxed);
	return slot;
}

int64_t limiter_use(struct limiter *limiter, const struct store_key *key, const struct limiter_rate *rate,
		    int64_t now_ms)
{
	struct slot *slot = find_or_claim(limiter, key, now_ms);
	if (rate->most == 0)
		return 0;
	uint64_t old = atomic_load(&slot->count), new;
	do {
		int64_t left = count_left(old, rate, now_ms);
		if (left > 0)
			return left;
		new = count_next(old, rate, now_ms);
	} while (!atomic_compare_exchange_weak(&slot->count, &old, new));
	return 0;
}

uint64_t limiter_read(struct limiter *limiter, const struct store_key *key)
{
	uint64_t tag;
	struct set *set = set_of(limiter, key, &tag);
	struct slot *slot = find(set, tag);
	return slot ? atomic_load(&slot->count) : 0;
}

uint64_t limiter_raise(struct limiter *limiter, const struct store_key *key, const struct limiter_rate *rate,
		       uint64_t count, int64_t now_ms)
{
	struct slot *slot = find_or_claim(limiter, key, now_ms);
	uint64_t old = atomic_load(&slot->count), valid;
	do {
		valid = count_valid(old, rate, now_ms);
		if (valid >= count)
			return valid;
	} while (!atomic_compare_exchange_weak(&slot->count, &old, count));
	return count;
}

int64_t limiter_last(struct limiter *limiter, const struct store_key *key)
{
	uint64_t tag;
	struct set *set = set_of(limiter, key, &tag);
	struct slot *slot = find(set, tag);
	return slot ? atomic_load(&slot->last) : 0;
}

bool limiter_rate_parse(struct str text, struct limiter_rate *out)
{
	static const struct {
		char letter;
		int64_t window_ms;
	} units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
	size_t slash = str_find(text, '/');
	uint64_t most;
	if (str_eq(text, STR("none"))) {
		*out = (struct limiter_rate){0};
		return true;
	}
	if (text.n != slash + 2 || !str_to_uint((struct str){text.p, slash}, LIMITER_MOST_MAX, &most) || most == 0)
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (units[i].letter != text.p[slash + 1])
			continue;
		*out = (struct limiter_rate){.most = (int64_t)most, .window_ms = units[i].window_ms};
		return true;
	}
	return false;
}
