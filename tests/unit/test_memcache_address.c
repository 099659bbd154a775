/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of servers, and names that name servers take their time for. Here
 * getaddrinfo() is this file's (the linker's --wrap). */
#include "store/memcache_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/memcache.h"
#include "store/memcache_lookup.h"
#include "unit.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t let_go = PTHREAD_COND_INITIALIZER;
static bool hangs;
static atomic_int asked, answered;

int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out);

/* "two" has an address more, where nobody listens, and first. */
static int find_two(const char *port, const struct addrinfo *hints, struct addrinfo **out)
{
	struct addrinfo *second;
	if (__real_getaddrinfo("127.0.0.2", port, hints, out) != 0 ||
	    __real_getaddrinfo("127.0.0.1", port, hints, &second) != 0)
		exit(99);
	(*out)->ai_next = second;
	return 0;
}

/* "slow" is a name for 127.0.0.1, once it may be answered; others have none. */
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out)
{
	atomic_fetch_add(&asked, 1);
	pthread_mutex_lock(&mutex);
	while (hangs)
		pthread_cond_wait(&let_go, &mutex);
	pthread_mutex_unlock(&mutex);
	int error = EAI_NONAME;
	if (strcmp(host, "slow") == 0)
		error = __real_getaddrinfo("127.0.0.1", port, hints, out);
	else if (strcmp(host, "two") == 0)
		error = find_two(port, hints, out);
	atomic_fetch_add(&answered, 1);
	return error;
}

static void set_hanging(bool value)
{
	pthread_mutex_lock(&mutex);
	hangs = value;
	pthread_cond_broadcast(&let_go);
	pthread_mutex_unlock(&mutex);
}

/* That many look-ups have begun by now, or do soon. */
static void expect_asked(int n)
{
	int64_t deadline = clock_monotonic_ms() + 10000;
	while (atomic_load(&asked) < n && clock_monotonic_ms() < deadline)
		usleep(1000);
	CU_ASSERT(atomic_load(&asked) == n);
}

/* Threads that were left alone end too; the sanitizers look at what is left. */
static void wait_for_answers(int n)
{
	int64_t deadline = clock_monotonic_ms() + 10000;
	expect_asked(n);
	while (atomic_load(&answered) < n && clock_monotonic_ms() < deadline)
		usleep(1000);
	CU_ASSERT(atomic_load(&answered) == n);
}

static void addresses_are_read(void)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
		bool is_socket, is_name;
	} rows[] = {
		{"127.0.0.1:11211", "127.0.0.1", 11211, false, false},
		{"[::1]:1", "::1", 1, false, false},
		{"cache-1.example.org:65535", "cache-1.example.org", 65535, false, true},
		{"my_cache:11211", "my_cache", 11211, false, true},
		{"127.1:11211", "127.1", 11211, false, true},
		{"unix:/run/a b:c.sock", "/run/a b:c.sock", 0, true, false},
	};
	char memory[1000];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct memcache_address address;
		struct buf why = buf_over(memory, sizeof memory);
		UNIT_ROW(memcache_address_parse(str_of(rows[i].text), &address, &why), rows[i].text);
		UNIT_STR_EQ(str_of(address.host), str_of(rows[i].host), rows[i].text);
		UNIT_ROW(address.port == rows[i].port && address.is_socket == rows[i].is_socket &&
				 address.is_name == rows[i].is_name,
			 rows[i].text);
		UNIT_ROW(memcache_address_valid(str_of(rows[i].text), &why), rows[i].text);
	}
}

static void others_are_refused(void)
{
	static char long_path[200] = "unix:/", long_name[300];
	memset(long_path + 6, 'x', sizeof long_path - 7);
	memset(long_name, 'x', sizeof long_name - 8);
	memcpy(long_name + sizeof long_name - 8, ":11211", 7);
	const struct str rows[] = {
		STR_NONE, STR(""), STR(":11211"), STR("host"), STR("host:"), STR("host:0"), STR("host:65536"),
		STR("host:11211 "), STR(" host:11211"), STR("host:+1"), STR("host:011211"), STR("host:1x"),
		STR("::1:11211"), STR("[::1]"), STR("[::1]11211"), STR("[]:11211"), STR("[::g]:11211"),
		STR("[127.0.0.1]:11211"), STR("ho st:11211"), STR("host/x:11211"), STR("h\xc3\xb6st:11211"),
		STR("host\0x:11211"), STR("unix:"), STR("unix:run/x"), STR("unix:/"), STR("unix:/a\0b"),
		STR("unix:/a\nb"), STR("/run/x"), str_of(long_path), str_of(long_name)};
	char memory[1000];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct memcache *memcache;
		struct memcache_ring *ring;
		struct buf why = buf_over(memory, sizeof memory);
		UNIT_ROW(!memcache_address_valid(rows[i], &why) && why.n > 0, rows[i].p);
		UNIT_ROW(!memcache_open(rows[i], 50, &memcache), rows[i].p);
		UNIT_ROW(!memcache_ring_open(&rows[i], 1, &ring), rows[i].p);
	}
}

static void names_are_looked_up(void)
{
	struct memcache_lookup *lookup = NULL;
	struct memcache_hosts hosts = {0};
	int before = atomic_load(&asked);
	CU_ASSERT(memcache_lookup(&lookup, "slow", clock_monotonic_ms() + 10000, &hosts));
	CU_ASSERT(hosts.n == 1 && !lookup);
	UNIT_STR_EQ(str_of(hosts.text[0]), STR("127.0.0.1"), "found");
	CU_ASSERT(!memcache_lookup(&lookup, "none", clock_monotonic_ms() + 10000, &hosts));
	CU_ASSERT(hosts.n == 1 && !lookup);
	memcache_lookup_close(&lookup);
	wait_for_answers(before + 2);
}

static void slow_name_servers_hold_nobody(void)
{
	struct memcache_lookup *lookup = NULL, *left = NULL;
	struct memcache_hosts hosts = {0};
	int before = atomic_load(&asked);
	set_hanging(true);
	int64_t begin = clock_monotonic_ms();
	CU_ASSERT(!memcache_lookup(&lookup, "slow", begin + 20, &hosts));
	CU_ASSERT(!memcache_lookup(&lookup, "slow", begin + 20, &hosts));
	CU_ASSERT(!memcache_lookup(&left, "slow", begin + 20, &hosts));
	memcache_lookup_close(&left);
	CU_ASSERT(lookup && !left && hosts.n == 0);
	CU_ASSERT(clock_monotonic_ms() - begin < 2000);
	expect_asked(before + 2);
	set_hanging(false);
	CU_ASSERT(memcache_lookup(&lookup, "slow", clock_monotonic_ms() + 10000, &hosts) && hosts.n == 1);
	wait_for_answers(before + 2);
	/* Left when it has ended. */
	set_hanging(true);
	CU_ASSERT(!memcache_lookup(&lookup, "slow", 0, &hosts));
	set_hanging(false);
	wait_for_answers(before + 3);
	memcache_lookup_close(&lookup);
	CU_ASSERT(!lookup);
}

/* The same for a whole call. */
static void calls_have_their_deadline(void)
{
	struct memcache *memcache;
	set_hanging(true);
	int before = atomic_load(&asked);
	if (!memcache_open(STR("slow:27399"), 50, &memcache))
		exit(99);
	CU_ASSERT(atomic_load(&asked) == before);
	int64_t begin = clock_monotonic_ms();
	for (int i = 0; i < 3; i++)
		CU_ASSERT(memcache_delete(memcache, STR("k")) == MEMCACHE_FAILED);
	CU_ASSERT(clock_monotonic_ms() - begin < 2000);
	CU_ASSERT(!memcache_is_ready(memcache));
	expect_asked(before + 1);
	memcache_close(&memcache);
	set_hanging(false);
	wait_for_answers(before + 1);
}

/* A server on 127.0.0.1 that knows of nothing. */
static void *serve(void *context)
{
	const int *listener = context;
	int fd;
	while ((fd = accept(*listener, NULL, NULL)) >= 0) {
		char question[1000];
		while (recv(fd, question, sizeof question, 0) > 0)
			send(fd, "NOT_FOUND\r\n", 11, MSG_NOSIGNAL);
		close(fd);
	}
	return NULL;
}

static void another_address_is_tried(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	pthread_t thread;
	char text[40];
	struct memcache *memcache;
	int before = atomic_load(&asked);
	if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 5) != 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &size) != 0 ||
	    pthread_create(&thread, NULL, serve, &listener) != 0)
		exit(99);
	snprintf(text, sizeof text, "two:%d", ntohs(at.sin_port));
	if (!memcache_open(str_of(text), 2000, &memcache))
		exit(99);
	for (int i = 0; i < 3; i++)
		CU_ASSERT(memcache_delete(memcache, STR("k")) == MEMCACHE_REFUSED);
	memcache_close(&memcache);
	shutdown(listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(listener);
	wait_for_answers(before + 1);
	/* Nobody anywhere: after the last address the name is looked up again. */
	if (!memcache_open(str_of(text), 2000, &memcache))
		exit(99);
	for (int i = 0; i < 2; i++)
		CU_ASSERT(memcache_delete(memcache, STR("k")) == MEMCACHE_FAILED);
	memcache_close(&memcache);
	wait_for_answers(before + 3);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"addresses are read", addresses_are_read},
		{"others are refused", others_are_refused},
		{"names are looked up", names_are_looked_up},
		{"slow name servers hold nobody", slow_name_servers_hold_nobody},
		{"calls have their deadline", calls_have_their_deadline},
		{"another address is tried", another_address_is_tried},
		{NULL, NULL},
	};
	return unit_main("memcache_address", cases);
}
