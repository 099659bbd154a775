/* SPDX-License-Identifier: Apache-2.0 */
/* Counters that processes share: exact for one key, whatever comes at once, and
 * good again after whatever is done to the file. */
#include "store/limiter.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"
#include "unit.h"

#define NOW INT64_C(1800000000000)

enum { PROCESSES = 4, THREADS = 4, USES = 40000, KEYS = 400, MOST = 100, HOT_MOST = 300000 };

static const struct limiter_rate five = {5, 60000, false}, unlimited = {0, 0, false};

static struct store_key key_of(unsigned number)
{
	struct store_key key = {{0}};
	uint64_t words[2] = {(number + 1) * 0x9e3779b97f4a7c15u, (number + 7) * 0xbf58476d1ce4e5b9u};
	memcpy(key.bytes, words, sizeof words);
	return key;
}

static bool try_open(const char *path, size_t keys, struct limiter **out, struct buf *why)
{
	struct limiter_settings settings = {path, "test", keys};
	return limiter_open(&settings, out, why);
}

static struct limiter *open_limiter(const char *path, size_t keys)
{
	char text[1024];
	struct buf why = buf_over(text, sizeof text);
	struct limiter *limiter;
	if (try_open(path, keys, &limiter, &why))
		return limiter;
	fprintf(stderr, "%.*s\n", STR_ARGS(buf_str(&why)));
	exit(99);
}

static unsigned use(struct limiter *limiter, unsigned number, unsigned times, int64_t now)
{
	struct store_key key = key_of(number);
	unsigned allowed = 0;
	for (unsigned i = 0; i < times; i++)
		allowed += limiter_use(limiter, &key, &five, now) == 0;
	return allowed;
}

static void counts_in_windows(void)
{
	struct folder folder;
	folder_open(&folder);
	struct limiter *limiter = open_limiter(folder.path, 1000);
	struct store_key key = key_of(1);
	CU_ASSERT_EQUAL(limiter_last(limiter, &key), 0);
	CU_ASSERT_EQUAL(use(limiter, 1, 4, NOW), 4);
	CU_ASSERT_EQUAL(use(limiter, 1, 4, NOW + 59999), 1);
	CU_ASSERT_EQUAL(limiter_use(limiter, &key, &five, NOW + 59999), 1);
	CU_ASSERT_EQUAL(limiter_use(limiter, &key, &five, NOW + 30000), 30000);
	CU_ASSERT_EQUAL(use(limiter, 2, 9, NOW + 100), 5);
	/* What was refused has not made it longer. */
	CU_ASSERT_EQUAL(use(limiter, 1, 9, NOW + 60000), 5);
	CU_ASSERT_EQUAL(limiter_last(limiter, &key), (NOW + 60000) / 1000);
	for (unsigned i = 0; i < 20; i++)
		CU_ASSERT_EQUAL(limiter_use(limiter, &key, &unlimited, NOW + 60000 + i * 1000), 0);
	CU_ASSERT_EQUAL(limiter_last(limiter, &key), (NOW + 79000) / 1000);
	/* Set back by an hour, a clock locks nobody out; a window that was shortened begins anew. */
	CU_ASSERT_EQUAL(use(limiter, 1, 9, NOW - 3600000), 5);
	struct limiter_rate second = {1, 1000, false};
	CU_ASSERT_EQUAL(limiter_use(limiter, &key, &second, NOW - 3600000), 0);
	CU_ASSERT_EQUAL(limiter_use(limiter, &key, &second, NOW - 3600000), 1000);
	/* The next process goes on counting. */
	limiter_close(&limiter);
	CU_ASSERT_PTR_NULL(limiter);
	limiter = open_limiter(folder.path, 1000);
	CU_ASSERT_EQUAL(limiter_use(limiter, &key, &second, NOW - 3600000), 1000);
	CU_ASSERT_EQUAL(folder_count(&folder), 1);
	CU_ASSERT_EQUAL(folder_mode(&folder, "test.limits"), 0600);
	limiter_close(&limiter);
	folder_close(&folder);
}

struct crowd {
	struct limiter *limiter;
	unsigned allowed[KEYS + 1];
};

/* All keys in turn: the first use of each is a race for its slot. And one that all use at once. */
static void *run_thread(void *context)
{
	struct crowd *crowd = context;
	struct limiter_rate rate = {MOST, 3600000, false}, hot_rate = {HOT_MOST, 3600000, false};
	struct store_key hot = key_of(KEYS);
	for (unsigned i = 0; i < USES; i++) {
		crowd->allowed[KEYS] += limiter_use(crowd->limiter, &hot, &hot_rate, NOW) == 0;
		struct store_key key = key_of(i % KEYS);
		crowd->allowed[i % KEYS] += limiter_use(crowd->limiter, &key, &rate, NOW) == 0;
	}
	return NULL;
}

static void run_process(const char *path, int out)
{
	struct crowd crowds[THREADS] = {{0}};
	pthread_t threads[THREADS];
	struct limiter *limiter = open_limiter(path, 10 * KEYS);
	for (unsigned i = 0; i < THREADS; i++) {
		crowds[i].limiter = limiter;
		if (pthread_create(&threads[i], NULL, run_thread, &crowds[i]) != 0)
			exit(99);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	limiter_close(&limiter);
	for (unsigned k = 0; k <= KEYS; k++) {
		unsigned allowed = 0;
		for (unsigned i = 0; i < THREADS; i++)
			allowed += crowds[i].allowed[k];
		if (write(out, &allowed, sizeof allowed) != (ssize_t)sizeof allowed)
			exit(99);
	}
	exit(0);
}

/* They also make the file at the same moment. */
static void is_exact_across_processes(void)
{
	struct folder folder;
	int ends[PROCESSES][2], status;
	unsigned sum[KEYS + 1] = {0}, allowed;
	folder_open(&folder);
	fflush(NULL);
	for (unsigned p = 0; p < PROCESSES; p++) {
		if (pipe(ends[p]) != 0)
			exit(99);
		if (fork() == 0)
			run_process(folder.path, ends[p][1]);
		close(ends[p][1]);
	}
	for (unsigned p = 0; p < PROCESSES; p++) {
		for (unsigned k = 0; k <= KEYS; k++)
			if (read(ends[p][0], &allowed, sizeof allowed) == (ssize_t)sizeof allowed)
				sum[k] += allowed;
		close(ends[p][0]);
	}
	for (unsigned p = 0; p < PROCESSES; p++)
		CU_ASSERT(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	for (unsigned k = 0; k < KEYS; k++)
		CU_ASSERT_EQUAL(sum[k], MOST);
	CU_ASSERT_EQUAL(sum[KEYS], HOT_MOST);
	CU_ASSERT_EQUAL(folder_count(&folder), 1);
	folder_close(&folder);
}

/* A thousand keys that come once do not drive out the one that is over its limit. */
static void keeps_who_counts_most(void)
{
	struct folder folder;
	folder_open(&folder);
	struct limiter *limiter = open_limiter(folder.path, 1);
	CU_ASSERT_EQUAL(use(limiter, 0, 9, NOW), 5);
	for (unsigned i = 1; i < 1000; i++)
		CU_ASSERT_EQUAL(use(limiter, i, 1, NOW + 1), 1);
	CU_ASSERT_EQUAL(use(limiter, 0, 9, NOW + 2), 0);
	/* When all their windows are over, whoever comes finds room. */
	CU_ASSERT_EQUAL(use(limiter, 2000, 1, NOW + 70000), 1);
	struct store_key last = key_of(2000);
	CU_ASSERT_EQUAL(limiter_last(limiter, &last), (NOW + 70000) / 1000);
	limiter_close(&limiter);
	folder_close(&folder);
}

static void survives_what_is_in_the_file(void)
{
	struct folder folder;
	char text[1024];
	struct buf why = buf_over(text, sizeof text);
	struct limiter *limiter = NULL;
	static char garbage[4096];
	folder_open(&folder);
	/* Another size or version, or cut short: made anew. */
	folder_write(&folder, "test.limits", STR("short"));
	CU_ASSERT(chmod(folder_file(&folder, "test.limits"), 0600) == 0);
	limiter = open_limiter(folder.path, 100);
	CU_ASSERT_EQUAL(use(limiter, 1, 9, NOW), 5);
	limiter_close(&limiter);
	limiter = open_limiter(folder.path, 1000);
	CU_ASSERT_EQUAL(use(limiter, 1, 9, NOW), 5);
	limiter_close(&limiter);
	/* The head is right, all else is noise: leases that nobody ends, times of no clock. */
	FILE *file = fopen(folder_file(&folder, "test.limits"), "r+");
	struct stat st;
	if (!file || fstat(fileno(file), &st) != 0)
		exit(99);
	for (size_t i = 0; i < sizeof garbage; i++)
		garbage[i] = (char)(i * 37 + 101);
	for (long at = 64; at < (long)st.st_size; at += (long)sizeof garbage) {
		size_t left = (size_t)(st.st_size - at);
		CU_ASSERT(fseek(file, at, SEEK_SET) == 0);
		CU_ASSERT(fwrite(garbage, 1, left < sizeof garbage ? left : sizeof garbage, file) > 0);
	}
	fclose(file);
	limiter = open_limiter(folder.path, 1000);
	for (unsigned i = 0; i < 50; i++)
		CU_ASSERT_EQUAL(use(limiter, i, 9, NOW), 5);
	limiter_close(&limiter);
	/* What is no file of ours is an error. */
	CU_ASSERT(remove(folder_file(&folder, "test.limits")) == 0);
	CU_ASSERT(mkfifo(folder_file(&folder, "test.limits"), 0600) == 0);
	CU_ASSERT_FALSE(try_open(folder.path, 100, &limiter, &why));
	UNIT_ROW(strstr(buf_z(&why), "not a plain file") != NULL, buf_z(&why));
	why = buf_over(text, sizeof text);
	CU_ASSERT_FALSE(try_open("/nonexistent", 100, &limiter, &why));
	CU_ASSERT(why.n > 0);
	CU_ASSERT_PTR_NULL(limiter);
	folder_close(&folder);
}

static void reads_rates(void)
{
	static const struct {
		const char *text;
		int64_t most, window_ms;
	} rows[] = {
		{"1/s", 1, 1000},	{"100/m", 100, 60000},	{"5/h", 5, 3600000}, {"1000000/d", 1000000, 86400000},
		{"none", 0, 0},		{"0/m", -1, 0},		{"1000001/m", -1, 0}, {"-1/m", -1, 0},
		{"10", -1, 0},		{"10/", -1, 0},		{"/m", -1, 0},	     {"10/min", -1, 0},
		{"10/w", -1, 0},	{" 10/m", -1, 0},	{"010/m", -1, 0},    {"", -1, 0},
		{"None", -1, 0},	{"10/m/m", -1, 0},	{"99999999999999999999/m", -1, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct limiter_rate rate = {-1, -1, false};
		bool good = limiter_rate_parse(str_of(rows[i].text), &rate);
		UNIT_ROW(good == (rows[i].most >= 0), rows[i].text);
		UNIT_ROW(rate.most == rows[i].most && (!good || rate.window_ms == rows[i].window_ms), rows[i].text);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"counts in windows", counts_in_windows},
		{"is exact across processes and threads", is_exact_across_processes},
		{"keeps who counts most", keeps_who_counts_most},
		{"survives what is in the file", survives_what_is_in_the_file},
		{"reads rates", reads_rates},
		{NULL, NULL},
	};
	return unit_main("limiter", cases);
}
