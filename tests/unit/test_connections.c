/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"
#include "web/connections.h"

static struct connections *table;
static int peer;

/* A connection of the table whose other end is `peer`. */
static struct connection *open_one(void)
{
	int pair[2];
	struct connection *c = connections_take(table);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	c->fd = pair[0];
	peer = pair[1];
	return c;
}

static void close_one(struct connection *c)
{
	close(c->fd);
	close(peer);
	connections_give(table, c);
}

static bool can_send(int fd)
{
	return send(fd, "x", 1, MSG_NOSIGNAL) == 1;
}

static void test_free_list(void)
{
	struct connection *taken[3];
	CU_ASSERT_FATAL(connections_open(3, &table));
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_TRUE(connections_left(table));
		taken[i] = connections_take(table);
		CU_ASSERT_PTR_NOT_NULL_FATAL(taken[i]);
	}
	CU_ASSERT_PTR_NULL(connections_take(table));
	CU_ASSERT_FALSE(connections_left(table));
	CU_ASSERT_EQUAL(connections_busy(table, true), 3);
	taken[1]->served = true;
	connections_give(table, taken[1]);
	CU_ASSERT_EQUAL(connections_busy(table, true), 2);
	CU_ASSERT_PTR_EQUAL(connections_take(table), taken[1]);
	CU_ASSERT_FALSE(taken[1]->served);
	connections_close(&table);
	CU_ASSERT_PTR_NULL(table);
}

static void test_deadline(void)
{
	CU_ASSERT_FATAL(connections_open(2, &table));
	struct connection *c = open_one();
	connections_expire(table, INT64_MAX);
	CU_ASSERT_TRUE(can_send(c->fd)); /* owned: nobody else may */
	connection_wait(c, 1000, false);
	connections_expire(table, 999);
	CU_ASSERT_EQUAL(connection_own(c), CONNECTION_READY);
	connection_wait(c, 1000, false);
	CU_ASSERT_FALSE(connections_evict_idle(table));
	connections_release_idle(table);
	CU_ASSERT_TRUE(can_send(peer));
	connections_expire(table, 1000);
	CU_ASSERT_FALSE(can_send(c->fd));
	CU_ASSERT_EQUAL(connection_own(c), CONNECTION_EXPIRED);
	close_one(c);
	connections_close(&table);
}

static void test_idle(void)
{
	CU_ASSERT_FATAL(connections_open(2, &table));
	struct connection *c = open_one();
	connection_wait(c, 1000, true);
	CU_ASSERT_EQUAL(connections_busy(table, false), 0);
	CU_ASSERT_EQUAL(connections_busy(table, true), 1);
	connections_release_idle(table);
	CU_ASSERT_FALSE(can_send(peer));
	CU_ASSERT_TRUE(can_send(c->fd)); /* what had arrived may be answered */
	CU_ASSERT_EQUAL(connection_own(c), CONNECTION_RELEASED);
	close_one(c);
	connections_close(&table);
}

static void test_evict(void)
{
	CU_ASSERT_FATAL(connections_open(2, &table));
	struct connection *older = open_one();
	int older_peer = peer;
	struct connection *newer = open_one();
	connection_wait(newer, 2000, true);
	connection_wait(older, 1000, true);
	CU_ASSERT_TRUE(connections_evict_idle(table));
	CU_ASSERT_FALSE(can_send(older_peer));
	CU_ASSERT_TRUE(can_send(peer));
	CU_ASSERT_EQUAL(connection_own(older), CONNECTION_RELEASED);
	CU_ASSERT_EQUAL(connection_own(newer), CONNECTION_READY);
	CU_ASSERT_FALSE(connections_evict_idle(table));
	close_one(newer);
	peer = older_peer;
	close_one(older);
	connections_close(&table);
}

int main(void)
{
	static const struct unit_case cases[] = {{"free list", test_free_list},
						 {"deadline", test_deadline},
						 {"idle", test_idle},
						 {"making room", test_evict},
						 {NULL, NULL}};
	return unit_main("connections", cases);
}
