/* SPDX-License-Identifier: Apache-2.0 */
/* Each bed has a namespace of its own, so that it meets nothing of an earlier one. */
#include "store_bed.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "real_memcached.h"
#include "unit.h"

enum { SERVERS = 2 };

/* For the store of many hosts. */
static struct servers {
	struct real_memcached running[SERVERS];
	struct conf_text items[SERVERS];
	struct conf_list list;
} servers;

bool bed_is_embedded(const struct store_driver *driver)
{
	return strcmp(driver->name, "embedded") == 0;
}

struct store_settings bed_settings(const struct bed *bed)
{
	static const struct conf_list none;
	return (struct store_settings){
		.state_dir = bed->folder.path,
		.servers = bed_is_embedded(bed->driver) ? &none : &servers.list,
		.cache_servers = &none,
		.timeout_ms = 500,
		.host_timeout_ms = 600000,
		.namespace = str_of(bed->folder.path),
		.lasting = true,
	};
}

void bed_start(struct bed *bed)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	struct store_settings settings = bed_settings(bed);
	bool good = bed->driver->open(&settings, &bed->store, &why) &&
		    bed->driver->thread_open(bed->store, &bed->thread);
	if (!good) {
		fprintf(stderr, "the store does not open: %s\n", buf_z(&why));
		exit(99);
	}
}

void bed_stop(struct bed *bed)
{
	bed->driver->thread_close(&bed->thread);
	bed->driver->close(&bed->store);
}

struct store_key key_of(unsigned n)
{
	struct store_key key = {{0}};
	memcpy(key.bytes, &n, sizeof n);
	/* A NUL, a quote and bytes above 0x7f: keys are bytes, not text. */
	memcpy(key.bytes + 8, "\0'\xff%;\n\"\x80", 8);
	return key;
}

struct store_entry token(unsigned n)
{
	return (struct store_entry){.key = key_of(n), .expires = NOW + HOUR, .created = NOW};
}

struct store_answer ask_at(struct bed *bed, unsigned n, int64_t now)
{
	struct store_question question = {.token = key_of(n), .user = key_of(1000 + n), .session = key_of(2000 + n),
					  .has_session = true, .now = now};
	struct store_answer answer = {0};
	enum err err = bed->driver->ask(bed->thread, &question, &answer);
	/* On a busy machine the link may be late, and then nobody can tell for a moment. */
	int64_t deadline = clock_monotonic_ms() + 10000;
	while (!bed_is_embedded(bed->driver) && err == ERR_STORE && clock_monotonic_ms() < deadline) {
		poll(NULL, 0, 10);
		err = bed->driver->ask(bed->thread, &question, &answer);
	}
	UNIT_ROW(err == ERR_NONE, "ask");
	return answer;
}

bool is_revoked(struct bed *bed, unsigned n)
{
	return ask_at(bed, n, NOW).revoked;
}

void add(struct bed *bed, struct store_entry entry)
{
	UNIT_ROW(bed->driver->add(bed->thread, &entry) == ERR_NONE, "add");
}

bool note_entry(void *context, const struct store_entry *entry)
{
	struct listed *listed = context;
	size_t n = listed->n++;
	listed->entries[n] = *entry;
	snprintf(listed->texts[n][0], sizeof listed->texts[n][0], "%.*s", STR_ARGS(entry->user));
	snprintf(listed->texts[n][1], sizeof listed->texts[n][1], "%.*s", STR_ARGS(entry->note));
	return listed->n < listed->stop_at;
}

unsigned sweep_all(struct bed *bed, int64_t now)
{
	unsigned all = 0, forgotten = 0;
	do {
		UNIT_ROW(bed->driver->sweep(bed->thread, now, &forgotten) == ERR_NONE, "sweep");
		UNIT_ROW(forgotten <= 1000, "a small batch");
		all += forgotten;
	} while (forgotten);
	return all;
}

void bed_run(void (*body)(struct bed *bed), const struct store_driver *driver)
{
	struct bed bed = {.driver = driver};
	folder_open(&bed.folder);
	bed_start(&bed);
	body(&bed);
	bed_stop(&bed);
	folder_close(&bed.folder);
}

static struct folder servers_folder;

static bool has_many_hosts(void)
{
	bool has = false;
	for (size_t i = 0; store_drivers[i]; i++)
		has = has || !bed_is_embedded(store_drivers[i]);
	return has;
}

void bed_servers_start(void)
{
	static const char *const options[] = {"-M", "-F", NULL};
	if (!has_many_hosts())
		return;
	folder_open(&servers_folder);
	for (size_t i = 0; i < SERVERS; i++) {
		real_memcached_start(&servers.running[i], servers_folder.path, i == 0 ? "one" : "two", options);
		servers.items[i].value = str_of(servers.running[i].address);
	}
	servers.list = (struct conf_list){servers.items, SERVERS};
}

void bed_servers_stop(void)
{
	if (!has_many_hosts())
		return;
	for (size_t i = 0; i < SERVERS; i++)
		real_memcached_kill(&servers.running[i]);
	folder_close(&servers_folder);
}
