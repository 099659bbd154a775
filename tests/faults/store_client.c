/* SPDX-License-Identifier: Apache-2.0 */
/* A process that uses the store of the folder given to it, one command a line on
 * standard input, one answer a line on standard output:
 *   add N [T]    ok | partial | error   revoke the token that N stands for (until T)
 *   user N T     the same for the user of N: not before T
 *   record N T   the same: put a record that says T
 *   write N      N, N+1, … one line each as soon as it is durable, until an add
 *                fails: then "error"
 *   remove N     yes | no | partial | error
 *   ask N        revoked | good | error
 *   since N      the user's not-before | error
 *   get N        what the record says | none | error
 *   watch N MS   ask for so long: "good=… revoked=… error=… last=T", T when the last
 *                "good" came (milliseconds since the boot)
 *   sweep T      the number forgotten at that time | error
 *   check        ok | what is wrong
 *   list         the number of entries | error
 *   describe     its lines with "|" between them
 *   time         milliseconds since the boot
 * The first line says "open", or "refused" and why. Arguments after the folder are
 * servers=A,B…, cache=A,B…, and timeout=MS, host-timeout=MS, namespace=TEXT, on-failure=local,
 * lasting=0: without servers it is the embedded store. */
#include "store/store.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { LATER = 2000000000, TEXT_SIZE = 8192, SERVERS_MAX = 32, ARENA_SIZE = 64 << 10 };

struct client {
	const struct store_driver *driver;
	struct store *store;
	struct store_thread *thread;
	struct conf_text items[2][SERVERS_MAX];
	struct conf_list lists[2];
	struct store_settings settings;
};

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

static enum err add(const struct client *client, uint64_t n, uint64_t expires)
{
	struct store_entry entry = {.key = key_of(n), .expires = expires ? (int64_t)expires : LATER, .created = 1,
				    .user = STR("somebody"), .note = STR("logout")};
	return client->driver->add(client->thread, &entry);
}

static enum err add_user(const struct client *client, uint64_t n, uint64_t not_before)
{
	struct store_entry entry = {.key = key_of(~n), .kind = STORE_USER, .not_before = (int64_t)not_before,
				    .expires = LATER, .created = 1};
	return client->driver->add(client->thread, &entry);
}

static void say_done(enum err err)
{
	say(err == ERR_NONE ? "ok" : err == ERR_STORE_PARTIAL ? "partial" : "error");
}

static void run_write(const struct client *client, uint64_t n)
{
	for (; add(client, n, 0) == ERR_NONE; n++) {
		printf("%llu\n", (unsigned long long)n);
		fflush(stdout);
	}
	say("error");
}

static enum err ask(const struct client *client, uint64_t n, struct store_answer *answer)
{
	struct store_question question = {.token = key_of(n), .user = key_of(~n), .now = clock_now()};
	return client->driver->ask(client->thread, &question, answer);
}

static void run_ask(const struct client *client, uint64_t n)
{
	struct store_answer answer;
	if (ask(client, n, &answer) != ERR_NONE)
		say("error");
	else
		say(answer.revoked ? "revoked" : "good");
}

static void run_since(const struct client *client, uint64_t n)
{
	struct store_answer answer;
	if (ask(client, n, &answer) != ERR_NONE)
		say("error");
	else
		printf("%lld\n", (long long)answer.not_before);
	fflush(stdout);
}

static void run_watch(const struct client *client, uint64_t n, uint64_t ms)
{
	unsigned long long counts[3] = {0};
	long long last = 0, until = clock_boot_ms() + (long long)ms;
	while (clock_boot_ms() < until) {
		struct store_answer answer;
		enum err err = ask(client, n, &answer);
		int what = err != ERR_NONE ? 2 : answer.revoked ? 1 : 0;
		counts[what]++;
		if (what == 0)
			last = clock_boot_ms();
	}
	printf("good=%llu revoked=%llu error=%llu last=%lld\n", counts[0], counts[1], counts[2], last);
	fflush(stdout);
}

static void run_record(const struct client *client, uint64_t n, struct str text)
{
	struct store_key key = key_of(n);
	say_done(client->driver->record_put(client->thread, &key, text, LATER));
}

static void run_get(const struct client *client, uint64_t n)
{
	struct store_key key = key_of(n);
	struct arena *arena;
	struct str text;
	if (!arena_open(ARENA_SIZE, &arena))
		exit(99);
	enum err err = client->driver->record_get(client->thread, &key, arena, &text);
	if (err == ERR_NONE)
		printf("%.*s\n", STR_ARGS(text));
	else
		say(err == ERR_NOT_FOUND ? "none" : "error");
	fflush(stdout);
	arena_close(&arena);
}

static void run_remove(const struct client *client, uint64_t n)
{
	struct store_key key = key_of(n);
	bool was_there = false;
	enum err err = client->driver->remove(client->thread, &key, &was_there);
	say(err == ERR_STORE_PARTIAL ? "partial" : err ? "error" : was_there ? "yes" : "no");
}

static bool print_line(void *context, struct str line)
{
	(void)context;
	printf("%.*s|", STR_ARGS(line));
	return true;
}

static bool count(void *context, const struct store_entry *entry)
{
	uint64_t *n = context;
	(void)entry;
	++*n;
	return true;
}

/* n was written by what returned err. */
static void say_number(enum err err, const uint64_t *n)
{
	if (err != ERR_NONE)
		say("error");
	else
		printf("%llu\n", (unsigned long long)*n);
	fflush(stdout);
}

static void run_sweep(const struct client *client, int64_t now)
{
	unsigned forgotten = 0;
	enum err err = client->driver->sweep(client->thread, now, &forgotten);
	say_number(err, &(uint64_t){forgotten});
}

static void run_describe(const struct client *client)
{
	client->driver->describe(client->thread, print_line, NULL);
	say("");
}

/* What writes. */
static bool run_change(const struct client *client, struct str command, uint64_t n, struct str rest)
{
	uint64_t number = 0;
	if (rest.n && !str_to_uint(rest, INT64_MAX, &number) && !str_eq(command, STR("record")))
		return false;
	if (str_eq(command, STR("add")))
		say_done(add(client, n, number));
	else if (str_eq(command, STR("user")))
		say_done(add_user(client, n, number));
	else if (str_eq(command, STR("record")))
		run_record(client, n, rest);
	else if (str_eq(command, STR("write")))
		run_write(client, n);
	else if (str_eq(command, STR("remove")))
		run_remove(client, n);
	else
		return false;
	return true;
}

static void run(const struct client *client, struct str command, uint64_t n, struct str rest)
{
	char text[TEXT_SIZE];
	struct buf why = buf_over(text, sizeof text);
	uint64_t entries = 0, ms = 0;
	if (run_change(client, command, n, rest))
		return;
	if (str_eq(command, STR("ask")))
		run_ask(client, n);
	else if (str_eq(command, STR("since")))
		run_since(client, n);
	else if (str_eq(command, STR("get")))
		run_get(client, n);
	else if (str_eq(command, STR("watch")) && str_to_uint(rest, 600000, &ms))
		run_watch(client, n, ms);
	else if (str_eq(command, STR("sweep")))
		run_sweep(client, (int64_t)n);
	else if (str_eq(command, STR("check")))
		say(client->driver->check(client->thread, &why) ? "ok" : buf_z(&why));
	else if (str_eq(command, STR("list")))
		say_number(client->driver->list(client->thread, 0, count, &entries), &entries);
	else if (str_eq(command, STR("describe")))
		run_describe(client);
	else if (str_eq(command, STR("time")))
		say_number(ERR_NONE, &(uint64_t){(uint64_t)clock_boot_ms()});
	else
		say("what?");
}

static void add_servers(struct client *client, size_t list, struct str text)
{
	struct str address;
	size_t n = 0;
	while (n < SERVERS_MAX && str_split(&text, ',', &address))
		client->items[list][n++].value = address;
	client->lists[list] = (struct conf_list){client->items[list], n};
}

static void read_argument(struct client *client, struct str argument)
{
	struct str rest = argument, name;
	struct store_settings *s = &client->settings;
	uint64_t number = 0;
	str_split(&rest, '=', &name);
	str_to_uint(rest, INT64_MAX, &number);
	if (str_eq(name, STR("servers")))
		add_servers(client, 0, rest);
	else if (str_eq(name, STR("cache")))
		add_servers(client, 1, rest);
	else if (str_eq(name, STR("timeout")))
		s->timeout_ms = (int64_t)number;
	else if (str_eq(name, STR("host-timeout")))
		s->host_timeout_ms = (int64_t)number;
	else if (str_eq(name, STR("namespace")))
		s->namespace = rest;
	else if (str_eq(name, STR("on-failure")))
		s->local_on_failure = str_eq(rest, STR("local"));
	else if (str_eq(name, STR("lasting")))
		s->lasting = number != 0;
}

static bool start(struct client *client, int argc, char **argv)
{
	char text[TEXT_SIZE];
	struct buf why = buf_over(text, sizeof text);
	client->settings = (struct store_settings){
		.state_dir = argc > 1 ? argv[1] : "",
		.servers = &client->lists[0],
		.cache_servers = &client->lists[1],
		.timeout_ms = 50,
		.host_timeout_ms = 600000,
		.namespace = STR("fcgi-auth"),
		.lasting = true,
	};
	for (int i = 2; i < argc; i++)
		read_argument(client, str_of(argv[i]));
	for (size_t i = 0; store_drivers[i]; i++)
		if (strcmp(store_drivers[i]->name, client->lists[0].n ? "memcached" : "embedded") == 0)
			client->driver = store_drivers[i];
	if (client->driver && client->driver->open(&client->settings, &client->store, &why) &&
	    client->driver->thread_open(client->store, &client->thread))
		return true;
	printf("refused: %s\n", buf_z(&why));
	return false;
}

int main(int argc, char **argv)
{
	static struct client client;
	char line[TEXT_SIZE];
	/* A file that reaches the limit of its size is then an error, not the end. */
	signal(SIGXFSZ, SIG_IGN);
	if (!start(&client, argc, argv))
		return 1;
	say("open");
	while (fgets(line, sizeof line, stdin)) {
		struct str rest = str_trim((struct str){line, strcspn(line, "\n")}), command, number;
		uint64_t n = 0;
		str_split(&rest, ' ', &command);
		if (str_split(&rest, ' ', &number) && !str_to_uint(number, INT64_MAX, &n))
			command = STR("?");
		run(&client, command, n, rest);
	}
	client.driver->thread_close(&client.thread);
	client.driver->close(&client.store);
	return 0;
}
