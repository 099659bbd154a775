/* SPDX-License-Identifier: Apache-2.0 */
/* A store of some driver in a new folder, for tests of all drivers: that of many hosts
 * has real memcached servers. */
#ifndef TESTS_STORE_BED_H
#define TESTS_STORE_BED_H

#include "folder.h"
#include "store/store.h"

enum { NOW = 1800000000, HOUR = 3600, LISTED_MAX = 16 };

/* One driver, opened in a new folder. */
struct bed {
	const struct store_driver *driver;
	struct folder folder;
	struct store *store;
	struct store_thread *thread;
};

/* Start and end the servers that drivers of this build need. */
void bed_servers_start(void);
void bed_servers_stop(void);
bool bed_is_embedded(const struct store_driver *driver);
struct store_settings bed_settings(const struct bed *bed);
/* Open and close; ends the test program when it does not open. */
void bed_start(struct bed *bed);
void bed_stop(struct bed *bed);
/* The body with a new folder and the store open. */
void bed_run(void (*body)(struct bed *bed), const struct store_driver *driver);

/* Keys and entries by number. */
struct store_key key_of(unsigned n);
struct store_entry token(unsigned n);
/* Asks for token n, user 1000 + n and session 2000 + n. */
struct store_answer ask_at(struct bed *bed, unsigned n, int64_t now);
bool is_revoked(struct bed *bed, unsigned n);
void add(struct bed *bed, struct store_entry entry);
unsigned sweep_all(struct bed *bed, int64_t now);

struct listed {
	size_t n, stop_at;
	struct store_entry entries[LISTED_MAX];
	char texts[LISTED_MAX][2][300];
};

bool note_entry(void *context, const struct store_entry *entry);

#endif
