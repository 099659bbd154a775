/* SPDX-License-Identifier: Apache-2.0 */
/* No store: the same contract, without an answer. It is not in the registry. */
#include "policy/absent_store.h"

static bool open_store(const struct store_settings *settings, struct store **out, struct buf *why)
{
	(void)settings;
	(void)why;
	*out = NULL;
	return true;
}

static void close_store(struct store **store)
{
	*store = NULL;
}

static bool open_thread(struct store *store, struct store_thread **out)
{
	(void)store;
	*out = NULL;
	return true;
}

static void close_thread(struct store_thread **thread)
{
	*thread = NULL;
}

static enum err ask(struct store_thread *thread, const struct store_question *question, struct store_answer *out)
{
	(void)thread;
	(void)question;
	(void)out;
	return ERR_STORE;
}

static enum err add(struct store_thread *thread, const struct store_entry *entry)
{
	(void)thread;
	(void)entry;
	return ERR_STORE;
}

static enum err remove_entry(struct store_thread *thread, const struct store_key *key, bool *was_there)
{
	(void)thread;
	(void)key;
	(void)was_there;
	return ERR_STORE;
}

static enum err list(struct store_thread *thread, int64_t now,
		     bool (*each)(void *context, const struct store_entry *entry), void *context)
{
	(void)thread;
	(void)now;
	(void)each;
	(void)context;
	return ERR_STORE;
}

static enum err sweep(struct store_thread *thread, int64_t now, unsigned *forgotten)
{
	(void)thread;
	(void)now;
	(void)forgotten;
	return ERR_STORE;
}

static bool check(struct store_thread *thread, struct buf *why)
{
	(void)thread;
	buf_add(why, STR("there is no store"));
	return false;
}

const struct store_driver absent_store = {
	.name = "absent",
	.open = open_store,
	.close = close_store,
	.thread_open = open_thread,
	.thread_close = close_thread,
	.ask = ask,
	.add = add,
	.remove = remove_entry,
	.list = list,
	.sweep = sweep,
	.check = check,
};
