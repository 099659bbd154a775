/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that hang, die, come back empty or lie. Threats F5, L8. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "folder.h"
#include "real_memcached.h"
#include "store/memcache.h"
#include "unit.h"

/* BOUND_MS: what a call may take beyond its timeout on a machine that is busy. */
enum { TIMEOUT_MS = 200, BOUND_MS = 600, BREAKER_CALLS = 3 };

struct bed {
	struct folder folder;
	struct real_memcached server, other;
	struct memcache *memcache, *second;
	struct arena *arena;
};

static struct memcache *open_memcache(const char *address, int64_t timeout_ms)
{
	struct memcache *memcache;
	if (!memcache_open(str_of(address), timeout_ms, &memcache))
		exit(99);
	return memcache;
}

static void open_bed(struct bed *bed, int64_t timeout_ms)
{
	folder_open(&bed->folder);
	real_memcached_start(&bed->server, bed->folder.path, "a", NULL);
	real_memcached_start(&bed->other, bed->folder.path, "b", NULL);
	bed->memcache = open_memcache(bed->server.address, timeout_ms);
	bed->second = open_memcache(bed->other.address, timeout_ms);
	if (!arena_open(1 << 20, &bed->arena))
		exit(99);
}

static void close_bed(struct bed *bed)
{
	memcache_close(&bed->memcache);
	memcache_close(&bed->second);
	arena_close(&bed->arena);
	real_memcached_kill(&bed->server);
	real_memcached_kill(&bed->other);
	folder_close(&bed->folder);
}

static enum memcache_result set(struct memcache *memcache, const char *key, const char *value)
{
	return memcache_put(memcache, MEMCACHE_SET, str_of(key), str_of(value), 0);
}

static enum memcache_result get(struct bed *bed, struct memcache *memcache, const char *key, struct str *out)
{
	struct memcache_item item = {str_of(key), STR("not asked"), 0};
	enum memcache_result result = memcache_get(memcache, bed->arena, &item, 1, false);
	*out = item.value;
	return result;
}

/* It must fail, and soon. */
static void expect_failure(struct bed *bed, int64_t bound_ms)
{
	struct str value;
	int64_t begin = clock_monotonic_ms();
	CU_ASSERT(get(bed, bed->memcache, "k", &value) == MEMCACHE_FAILED);
	CU_ASSERT(!value.p);
	CU_ASSERT(clock_monotonic_ms() - begin < bound_ms);
}

static void hanging_server(void)
{
	struct bed bed;
	struct str value;
	char memory[200];
	open_bed(&bed, TIMEOUT_MS);
	CU_ASSERT(set(bed.memcache, "k", "v") == MEMCACHE_OK);
	real_memcached_stop(&bed.server);
	for (int i = 0; i < BREAKER_CALLS; i++) {
		CU_ASSERT(memcache_is_ready(bed.memcache));
		int64_t begin = clock_monotonic_ms();
		expect_failure(&bed, TIMEOUT_MS + BOUND_MS);
		CU_ASSERT(clock_monotonic_ms() - begin >= TIMEOUT_MS - 1);
	}
	struct buf why = buf_over(memory, sizeof memory);
	memcache_explain(bed.memcache, &why);
	UNIT_STR_EQ(buf_str(&why), STR("A TIMEOUT OCCURRED"), "explained");
	CU_ASSERT(!memcache_is_ready(bed.memcache));
	int64_t begin = clock_monotonic_ms();
	for (int i = 0; i < 100 && !memcache_is_ready(bed.memcache); i++) {
		expect_failure(&bed, BOUND_MS);
		CU_ASSERT(set(bed.memcache, "k", "w") == MEMCACHE_FAILED);
		CU_ASSERT(memcache_delete(bed.memcache, STR("k")) == MEMCACHE_FAILED);
	}
	CU_ASSERT(clock_monotonic_ms() - begin < BOUND_MS);
	real_memcached_go_on(&bed.server);
	begin = clock_monotonic_ms();
	while (get(&bed, bed.memcache, "k", &value) != MEMCACHE_OK && clock_monotonic_ms() - begin < 10000)
		usleep(5000);
	CU_ASSERT(clock_monotonic_ms() - begin < 2000);
	UNIT_STR_EQ(value, STR("v"), "what it had");
	CU_ASSERT(memcache_is_ready(bed.memcache));
	close_bed(&bed);
}

/* A probe that fails opens the breaker again at once. */
static void probes_are_single(void)
{
	struct bed bed;
	open_bed(&bed, TIMEOUT_MS);
	real_memcached_stop(&bed.server);
	for (int i = 0; i < BREAKER_CALLS; i++)
		expect_failure(&bed, TIMEOUT_MS + BOUND_MS);
	int64_t begin = clock_monotonic_ms();
	while (!memcache_is_ready(bed.memcache) && clock_monotonic_ms() - begin < 10000)
		usleep(5000);
	CU_ASSERT(memcache_is_ready(bed.memcache));
	CU_ASSERT(clock_monotonic_ms() - begin > 800);
	expect_failure(&bed, TIMEOUT_MS + BOUND_MS);
	CU_ASSERT(!memcache_is_ready(bed.memcache));
	close_bed(&bed);
}

/* A large value fills the socket of a server that hangs. */
static void hanging_server_is_written_to(void)
{
	static char large[MEMCACHE_VALUE_MAX];
	struct bed bed;
	struct str value;
	open_bed(&bed, TIMEOUT_MS);
	CU_ASSERT(set(bed.memcache, "k", "v") == MEMCACHE_OK);
	real_memcached_stop(&bed.server);
	int64_t begin = clock_monotonic_ms();
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_SET, STR("k"), (struct str){large, sizeof large}, 0) ==
		  MEMCACHE_FAILED);
	CU_ASSERT(clock_monotonic_ms() - begin < 2 * TIMEOUT_MS + BOUND_MS);
	real_memcached_go_on(&bed.server);
	CU_ASSERT(get(&bed, bed.memcache, "k", &value) == MEMCACHE_OK);
	UNIT_STR_EQ(value, STR("v"), "half a value is none");
	close_bed(&bed);
}

/* Started anew between two calls: that is noticed, and the call succeeds. */
static void restarted_server(void)
{
	struct bed bed;
	struct str value;
	open_bed(&bed, 2000);
	CU_ASSERT(set(bed.memcache, "k", "v") == MEMCACHE_OK);
	real_memcached_restart(&bed.server);
	CU_ASSERT(get(&bed, bed.memcache, "k", &value) == MEMCACHE_OK && !value.p);
	real_memcached_restart(&bed.server);
	CU_ASSERT(set(bed.memcache, "k", "v") == MEMCACHE_OK);
	real_memcached_restart(&bed.server);
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_ADD, STR("k"), STR("w"), 0) == MEMCACHE_OK);
	real_memcached_restart(&bed.server);
	CU_ASSERT(memcache_put(bed.memcache, MEMCACHE_REPLACE, STR("k"), STR("w"), 0) == MEMCACHE_REFUSED);
	real_memcached_restart(&bed.server);
	CU_ASSERT(memcache_swap(bed.memcache, STR("k"), STR("w"), 0, 1) == MEMCACHE_REFUSED);
	real_memcached_restart(&bed.server);
	CU_ASSERT(memcache_delete(bed.memcache, STR("k")) == MEMCACHE_REFUSED);
	real_memcached_restart(&bed.server);
	CU_ASSERT(memcache_statistic(bed.memcache, bed.arena, STR(""), STR("curr_items"), &value) == MEMCACHE_OK);
	real_memcached_restart(&bed.server);
	CU_ASSERT(memcache_clear(bed.memcache) == MEMCACHE_OK);
	struct memcache_item item = {STR("k"), STR_NONE, 0};
	CU_ASSERT(memcache_get_begin(bed.memcache, &item, 1, false) == MEMCACHE_OK);
	real_memcached_restart(&bed.server);
	CU_ASSERT(memcache_get_end(bed.memcache, bed.arena, &item, 1) == MEMCACHE_OK && !item.value.p);
	CU_ASSERT(memcache_is_ready(bed.memcache));
	close_bed(&bed);
}

static void dead_server(void)
{
	struct bed bed;
	struct str value;
	char memory[200];
	open_bed(&bed, 2000);
	CU_ASSERT(set(bed.memcache, "k", "v") == MEMCACHE_OK);
	real_memcached_kill(&bed.server);
	for (int i = 0; i < BREAKER_CALLS; i++) {
		CU_ASSERT(memcache_is_ready(bed.memcache));
		expect_failure(&bed, BOUND_MS);
	}
	CU_ASSERT(!memcache_is_ready(bed.memcache));
	struct buf why = buf_over(memory, sizeof memory);
	memcache_explain(bed.memcache, &why);
	CU_ASSERT(strstr(buf_z(&why), "No such file or directory") != NULL);
	real_memcached_restart(&bed.server);
	int64_t begin = clock_monotonic_ms();
	while (get(&bed, bed.memcache, "k", &value) != MEMCACHE_OK && clock_monotonic_ms() - begin < 10000)
		usleep(5000);
	CU_ASSERT(clock_monotonic_ms() - begin < 2000);
	CU_ASSERT(!value.p);
	close_bed(&bed);
}

static void two_halves(void)
{
	struct bed bed;
	struct memcache_item a[] = {{STR("k"), STR_NONE, 0}, {STR("l"), STR_NONE, 0}};
	struct memcache_item b[] = {{STR("l"), STR_NONE, 0}, {STR("k"), STR_NONE, 0}};
	open_bed(&bed, 300);
	set(bed.memcache, "k", "of a");
	set(bed.second, "k", "of b");
	CU_ASSERT(memcache_get_begin(bed.memcache, a, 2, false) == MEMCACHE_OK);
	CU_ASSERT(memcache_get_begin(bed.second, b, 2, true) == MEMCACHE_OK);
	CU_ASSERT(memcache_get_end(bed.second, bed.arena, b, 2) == MEMCACHE_OK);
	CU_ASSERT(memcache_get_end(bed.memcache, bed.arena, a, 2) == MEMCACHE_OK);
	UNIT_STR_EQ(a[0].value, STR("of a"), "first");
	UNIT_STR_EQ(b[1].value, STR("of b"), "second");
	CU_ASSERT(!a[1].value.p && !b[0].value.p && a[0].cas == 0 && b[1].cas != 0);
	/* An answer that nobody takes is not the next question's: that has a connection of
	 * its own. (Counting takes one too.) */
	uint64_t before = real_memcached_count(&bed.server, "total_connections");
	CU_ASSERT(memcache_get_begin(bed.memcache, a, 1, false) == MEMCACHE_OK);
	CU_ASSERT(memcache_delete(bed.memcache, STR("k")) == MEMCACHE_OK);
	CU_ASSERT(real_memcached_count(&bed.server, "total_connections") == before + 2);
	CU_ASSERT(memcache_get_end(bed.memcache, bed.arena, a, 1) == MEMCACHE_FAILED && !a[0].value.p);
	CU_ASSERT(memcache_get_begin(bed.memcache, a, 1, false) == MEMCACHE_OK);
	CU_ASSERT(memcache_get_begin(bed.memcache, b, 1, false) == MEMCACHE_OK);
	CU_ASSERT(memcache_get_end(bed.memcache, bed.arena, b, 1) == MEMCACHE_OK);
	CU_ASSERT(memcache_get_begin(bed.memcache, a, 1, false) == MEMCACHE_OK);
	close_bed(&bed);
}

/* Two servers that hang cost one timeout. */
static void two_halves_hang(void)
{
	struct bed bed;
	struct memcache_item item = {STR("k"), STR_NONE, 0};
	open_bed(&bed, 1000);
	set(bed.memcache, "k", "v");
	set(bed.second, "k", "v");
	real_memcached_stop(&bed.server);
	real_memcached_stop(&bed.other);
	int64_t begin = clock_monotonic_ms();
	CU_ASSERT(memcache_get_begin(bed.memcache, &item, 1, false) == MEMCACHE_OK);
	CU_ASSERT(memcache_get_begin(bed.second, &item, 1, false) == MEMCACHE_OK);
	CU_ASSERT(memcache_get_end(bed.memcache, bed.arena, &item, 1) == MEMCACHE_FAILED);
	CU_ASSERT(memcache_get_end(bed.second, bed.arena, &item, 1) == MEMCACHE_FAILED);
	CU_ASSERT(clock_monotonic_ms() - begin < 1000 + BOUND_MS);
	close_bed(&bed);
}

/* A server that says the same to whatever it is asked first. */
struct liar {
	int listener;
	const char *answer;
	atomic_int connections, closed;
};

static void *lie(void *context)
{
	struct liar *liar = context;
	int fd;
	while ((fd = accept(liar->listener, NULL, NULL)) >= 0) {
		char question[1000];
		atomic_fetch_add(&liar->connections, 1);
		if (recv(fd, question, sizeof question, 0) > 0)
			send(fd, liar->answer, strlen(liar->answer), MSG_NOSIGNAL);
		while (recv(fd, question, sizeof question, 0) > 0)
			;
		atomic_fetch_add(&liar->closed, 1);
		close(fd);
	}
	return NULL;
}

static void expect_disbelief(struct bed *bed, const char *answer)
{
	struct liar liar = {.listener = socket(AF_UNIX, SOCK_STREAM, 0), .answer = answer};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = folder_file(&bed->folder, "liar");
	char text[120];
	pthread_t thread;
	snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
	snprintf(text, sizeof text, "unix:%.100s", path);
	if (bind(liar.listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(liar.listener, 5) != 0 ||
	    pthread_create(&thread, NULL, lie, &liar) != 0)
		exit(99);
	struct memcache *memcache = open_memcache(text, 300);
	struct memcache_item items[] = {{STR("k1"), STR_NONE, 0}, {STR("k2"), STR_NONE, 0}};
	enum memcache_result result = memcache_get(memcache, bed->arena, items, 2, false);
	UNIT_ROW(result == MEMCACHE_FAILED, answer);
	UNIT_ROW(!items[0].value.p && !items[1].value.p, answer);
	int64_t begin = clock_monotonic_ms();
	while (atomic_load(&liar.closed) < 1 && clock_monotonic_ms() - begin < 10000)
		usleep(1000);
	UNIT_ROW(atomic_load(&liar.connections) == 1 && atomic_load(&liar.closed) == 1, answer);
	memcache_close(&memcache);
	shutdown(liar.listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(liar.listener);
	unlink(path);
}

/* Lines VALUE without all their numbers are left out: the library reads on behind them. */
static void lies_are_not_believed(void)
{
	static const char *const answers[] = {
		"VALUE k3 0 1\r\nx\r\nEND\r\n",			     /* a key that was not asked for */
		"VALUE k1 0 1\r\nx\r\nVALUE k3 0 1\r\nx\r\nEND\r\n", /* one too many */
		"VALUE k1 0 1\r\nx\r\nVALUE k1 0 1\r\ny\r\nEND\r\n", /* twice */
		"VALUE k 0 1\r\nx\r\nEND\r\n",
		"VALUE k11 0 1\r\nx\r\nEND\r\n",
		"VALUE k1 0 1\r\nx\r\nERROR\r\n",
		"VALUE k1 0 1\r\nx\r\nSERVER_ERROR out of memory writing get response\r\n",
		"VALUE k1 0 1\r\nx\r\n", /* and no more */
		"VALUE k1 0 5\r\nx\r\n",
		"ERROR\r\n",
		"CLIENT_ERROR line too long\r\n",
		"SERVER_ERROR out of memory writing get response\r\n",
		"SERVER_ERROR object too large for cache\r\n",
		"STORED\r\n",
		"NOT_STORED\r\n",
		"EXISTS\r\n",
		"DELETED\r\n",
		"OK\r\n",
		"17\r\n",
		"HTTP/1.1 400 Bad Request\r\n\r\n",
		"\r\n",
		"",
	};
	struct bed bed;
	open_bed(&bed, 300);
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
		expect_disbelief(&bed, answers[i]);
	close_bed(&bed);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"hanging server", hanging_server},
		{"probes are single", probes_are_single},
		{"hanging server is written to", hanging_server_is_written_to},
		{"restarted server", restarted_server},
		{"dead server", dead_server},
		{"two halves", two_halves},
		{"two halves hang", two_halves_hang},
		{"lies are not believed", lies_are_not_believed},
		{NULL, NULL},
	};
	return unit_main("memcache_failures", cases);
}
