/* SPDX-License-Identifier: Apache-2.0 */
/* Puts revocations that nobody asks for into a state folder, through the store's
 * own driver: what a look-up meets in a farm that has been in use for a while. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/store.h"

enum { TEXT_SIZE = 512, LIFETIME = 8 * 3600, EXIT_USAGE = 64 };

/* A bijection whose values are spread like digests (the finalizer of splitmix64). */
static uint64_t spread(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

static bool add(const struct store_driver *driver, struct store_thread *thread, uint64_t number)
{
	int64_t now = clock_now();
	struct store_entry entry = {.kind = STORE_TOKEN, .created = now, .expires = now + LIFETIME,
				    .user = STR("somebody"), .note = STR("logout")};
	uint64_t halves[2] = {spread(2 * number + 1), spread(2 * number + 2)};
	memcpy(entry.key.bytes, halves, sizeof entry.key.bytes);
	return driver->add(thread, &entry) == ERR_NONE;
}

static bool fill(const struct store_driver *driver, struct store *store, uint64_t entries)
{
	struct store_thread *thread = NULL;
	if (!driver->thread_open(store, &thread))
		return false;
	bool good = true;
	for (uint64_t number = 0; good && number < entries; number++)
		good = add(driver, thread, number);
	driver->thread_close(&thread);
	return good;
}

int main(int argc, char **argv)
{
	const struct store_driver *driver = store_drivers[0];
	struct store *store = NULL;
	uint64_t entries;
	char text[TEXT_SIZE];
	struct buf why = buf_over(text, sizeof text);
	if (argc != 3 || !str_to_uint(str_of(argv[2]), UINT32_MAX, &entries)) {
		fputs("usage: fill_store STATE-DIR ENTRIES\n", stderr);
		return EXIT_USAGE;
	}
	if (!driver->open(&(struct store_settings){.state_dir = argv[1]}, &store, &why)) {
		fprintf(stderr, "fill_store: %.*s\n", STR_ARGS(buf_str(&why)));
		return EXIT_FAILURE;
	}
	bool good = fill(driver, store, entries);
	driver->close(&store);
	if (!good)
		fputs("fill_store: an entry could not be added\n", stderr);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
