/* SPDX-License-Identifier: Apache-2.0 */
/* A real memcached on a unix socket, for tests that need one: started, stopped,
 * killed and asked in its own words. It ends with the test. */
#ifndef TESTS_UNIT_REAL_MEMCACHED_H
#define TESTS_UNIT_REAL_MEMCACHED_H

#include <sys/types.h>

#include "base/str.h"

struct real_memcached {
	pid_t pid;	   /* 0: not running */
	char path[100];	   /* of its socket */
	char address[106]; /* "unix:" and that */
	const char *options[8];
};

/* In the folder, under that name; options: those of memcached, ending with NULL. Returns
 * when it answers; ends the test program when it cannot, and says what to install. */
void real_memcached_start(struct real_memcached *server, const char *folder, const char *name,
			  const char *const *options);
/* Kill it. */
void real_memcached_kill(struct real_memcached *server);
/* The same server with the same options, empty. */
void real_memcached_restart(struct real_memcached *server);
/* SIGSTOP and SIGCONT; the former returns when it stands still. */
void real_memcached_stop(struct real_memcached *server);
void real_memcached_go_on(struct real_memcached *server);
/* Send the line and read up to a line END, or one line. */
void real_memcached_say(struct real_memcached *server, const char *line, struct buf *answer);
/* The number of a general statistic. */
uint64_t real_memcached_count(struct real_memcached *server, const char *name);

#endif
