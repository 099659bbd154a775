/* SPDX-License-Identifier: Apache-2.0 */
/* A process that uses the store of the folder given to it, one command a line on
 * standard input, one answer a line on standard output:
 *   add N        ok | error           revoke the token that N stands for
 *   write N      N, N+1, … one line each as soon as it is durable, until an add
 *                fails: then "error"
 *   ask N        revoked | good | error
 *   sweep T      the number forgotten at that time | error
 *   check        ok | what is wrong
 *   list         the number of entries | error
 * The first line says "open", or "refused" and why. */
#include "store/store.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { LATER = 2000000000, TEXT_SIZE = 1024 };

static struct store_key key_of(uint64_t n)
{
	struct store_key key = {{0}};
	/* Spread over the whole table, as digests are. */
	uint64_t spread = (n + 1) * 0x9e3779b97f4a7c15;
	memcpy(key.bytes, &spread, sizeof spread);
	memcpy(key.bytes + sizeof spread, &n, sizeof n);
	return key;
}

static void say(const char *text)
{
	printf("%s\n", text);
	fflush(stdout);
}

static enum err add(const struct store_driver *driver, struct store_thread *thread, uint64_t n)
{
	struct store_entry entry = {.key = key_of(n), .expires = LATER, .created = 1, .user = STR("somebody"),
				    .note = STR("logout")};
	return driver->add(thread, &entry);
}

static void run_write(const struct store_driver *driver, struct store_thread *thread, uint64_t n)
{
	for (; add(driver, thread, n) == ERR_NONE; n++) {
		printf("%llu\n", (unsigned long long)n);
		fflush(stdout);
	}
	say("error");
}

static void run_ask(const struct store_driver *driver, struct store_thread *thread, uint64_t n)
{
	struct store_question question = {.token = key_of(n), .user = key_of(~n)};
	struct store_answer answer;
	if (driver->ask(thread, &question, &answer) != ERR_NONE)
		say("error");
	else
		say(answer.revoked ? "revoked" : "good");
}

static bool count(void *context, const struct store_entry *entry)
{
	uint64_t *n = context;
	(void)entry;
	++*n;
	return true;
}

static void say_number(enum err err, uint64_t n)
{
	if (err != ERR_NONE)
		say("error");
	else
		printf("%llu\n", (unsigned long long)n);
	fflush(stdout);
}

static void run(const struct store_driver *driver, struct store_thread *thread, struct str command, uint64_t n)
{
	char text[TEXT_SIZE];
	struct buf why = buf_over(text, sizeof text);
	uint64_t entries = 0;
	unsigned forgotten = 0;
	if (str_eq(command, STR("add")))
		say(add(driver, thread, n) == ERR_NONE ? "ok" : "error");
	else if (str_eq(command, STR("write")))
		run_write(driver, thread, n);
	else if (str_eq(command, STR("ask")))
		run_ask(driver, thread, n);
	else if (str_eq(command, STR("sweep")))
		say_number(driver->sweep(thread, (int64_t)n, &forgotten), forgotten);
	else if (str_eq(command, STR("check")))
		say(driver->check(thread, &why) ? "ok" : buf_z(&why));
	else if (str_eq(command, STR("list")))
		say_number(driver->list(thread, 0, count, &entries), entries);
	else
		say("what?");
}

int main(int argc, char **argv)
{
	char text[TEXT_SIZE], line[TEXT_SIZE];
	struct buf why = buf_over(text, sizeof text);
	const struct store_driver *driver = store_drivers[0];
	struct store_settings settings = {.state_dir = argc > 1 ? argv[1] : ""};
	struct store *store;
	struct store_thread *thread;
	/* A file that reaches the limit of its size is then an error, not the end. */
	signal(SIGXFSZ, SIG_IGN);
	if (!driver->open(&settings, &store, &why) || !driver->thread_open(store, &thread)) {
		printf("refused: %s\n", buf_z(&why));
		return 1;
	}
	say("open");
	while (fgets(line, sizeof line, stdin)) {
		struct str rest = str_trim((struct str){line, strcspn(line, "\n")}), command;
		uint64_t n = 0;
		str_split(&rest, ' ', &command);
		if (rest.p && !str_to_uint(rest, INT64_MAX, &n))
			command = STR("?");
		run(driver, thread, command, n);
	}
	driver->thread_close(&thread);
	driver->close(&store);
	return 0;
}
