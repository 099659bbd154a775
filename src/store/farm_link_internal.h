/* SPDX-License-Identifier: Apache-2.0 */
/* The link from within: what its threads share, and the steps of a cycle. */
#ifndef STORE_FARM_LINK_INTERNAL_H
#define STORE_FARM_LINK_INTERNAL_H

#include <pthread.h>

#include "store/farm_link.h"
#include "store/journal.h"
#include "store/memcache.h"

extern const struct store_driver store_embedded;

enum { FARM_ARENA = 512 << 10, FARM_RETRY_MS = 1000 };

/* A server and the thread that looks after it. Fields are the thread's, but those
 * below `lock` of the link. */
struct farm_server {
	struct farm_link *link;
	size_t index;
	pthread_t thread;
	bool has_thread;
	struct memcache *memcache;
	struct store_thread *local;
	struct arena *arena;
	struct journal_item *items; /* JOURNAL_BATCH */
	uint64_t generation;	    /* ours; 0: none yet */
	bool published;		    /* everything up to position is there in that generation */
	bool is_fit;		    /* looked at since it lost its memory last */
	int64_t position;	    /* seq of the journal */
	unsigned file_number;
	int64_t retry_at, prune_at;
	uint64_t read_sequence[FARM_HOSTS_MAX]; /* newest mark read here, by the index of view.known; 0: none */

	_Atomic bool too_old; /* what it lacks is not in the journal any more */

	/* With the link's lock. */
	struct farm_sighting on[FARM_HOSTS_MAX];
	uint64_t own_sequence; /* of our newest mark there that was confirmed */
	bool whole;	       /* everything was there when it was last read; and then the journal */
	bool rostered;	       /* this host has once stood in the server's roster */
	enum farm_health health;
	int64_t failing_since; /* 0: the last call did not fail */
};

struct farm_link {
	struct farm *farm;
	struct store *local;
	struct farm_page *page; /* the one that this link was begun on */
	pthread_t supervisor;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool closing;	       /* the supervisor must end */
	_Atomic bool stopping; /* the threads of the servers must */
	int lock_file;
	bool linked;
	struct store_thread *store; /* the supervisor's */
	struct farm_view view;
	int64_t first_seen[FARM_HOSTS_MAX];
	/* Of view.known: the newest mark that is durable here, with its list; and since when. */
	uint64_t kept[FARM_HOSTS_MAX];
	int64_t kept_at[FARM_HOSTS_MAX];
	uint32_t list;	     /* bits: of the mark composed last */
	uint64_t list_since; /* 0: none was composed yet */
	int64_t begun_at, trim_at, look_at;
	struct farm_server servers[FARM_SERVERS_MAX];
};

/* What was read in step 1 about ourselves. */
struct farm_reading {
	int64_t begun;
	struct memcache_key keys[3]; /* of the items */
	struct memcache_item roster, sentinel, mark;
};

enum farm_step { FARM_DONE, FARM_AGAIN, FARM_FAILED };

/* farm_state.c */
/* With the lock: the next mark for the server, numbered and listing what must be
 * listed at this moment. */
void farm_compose(struct farm_server *server, enum farm_state state, struct farm_mark *out);
/* So often it is written down that a host was seen. */
int64_t farm_seen_every(const struct farm_view *view);
/* Note what the server is; a change goes to the log. */
void farm_set_health(struct farm_server *server, enum farm_health health);
/* The call came to nothing. */
enum farm_step farm_interrupt(struct farm_server *server, enum memcache_result result);
/* With the lock: judge after a complete look that was begun at read_at, and tell the
 * workers unless one of them has reported something meanwhile. */
void farm_judge(struct farm_server *server, int64_t read_at, uint64_t reports);

/* Was this host away for so long that others may not wait for it any more? */
bool farm_was_away(const struct farm_view *view, int64_t marked_at, int64_t now);
/* A host's list as text for the table host, and back; what is no such text lists all. */
void farm_without_print(const struct farm *farm, const struct farm_known *known, char out[JOURNAL_TEXT_SIZE]);
void farm_without_read(const struct farm *farm, const char *text, struct farm_known *known);

/* farm_cycle.c: the server's thread. */
void *farm_serve(void *server);

/* farm_read.c: step 1, with what it says about others. FARM_AGAIN: there are hosts
 * whose marks were not read, or the roster was changed by others. */
enum farm_step farm_read(struct farm_server *server, struct farm_reading *out);

/* farm_publish.c: everything that this host knows; then what has changed since. */
enum farm_step farm_publish(struct farm_server *server);
enum farm_step farm_catch_up(struct farm_server *server);

#endif
