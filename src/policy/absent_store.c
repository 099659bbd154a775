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

static enum err record_put(struct store_thread *thread, const struct store_key *key, struct str record,
			   int64_t expires)
{
	(void)thread;
	(void)key;
	(void)record;
	(void)expires;
	return ERR_STORE;
}

static enum err record_get(struct store_thread *thread, const struct store_key *key, struct arena *arena,
			   struct str *out)
{
	(void)thread;
	(void)key;
	(void)arena;
	(void)out;
	return ERR_STORE;
}

static enum err record_list(struct store_thread *thread,
			    bool (*each)(void *context, const struct store_key *key, struct str record,
					 int64_t expires),
			    void *context)
{
	(void)thread;
	(void)each;
	(void)context;
	return ERR_STORE;
}

static struct str cache_get(struct store_thread *thread, const struct store_key *key, struct arena *arena)
{
	(void)thread;
	(void)key;
	(void)arena;
	return STR_NONE;
}

static bool cache_put(struct store_thread *thread, const struct store_key *key, struct str value, int64_t seconds)
{
	(void)thread;
	(void)key;
	(void)value;
	(void)seconds;
	return false;
}

static bool cache_remove(struct store_thread *thread, const struct store_key *key)
{
	(void)thread;
	(void)key;
	return false;
}

static enum store_lock cache_lock(struct store_thread *thread, const struct store_key *key, int64_t ms)
{
	(void)thread;
	(void)key;
	(void)ms;
	return STORE_LOCK_FAILED;
}

static void cache_unlock(struct store_thread *thread, const struct store_key *key)
{
	(void)thread;
	(void)key;
}

static bool cache_clear(struct store_thread *thread, struct buf *why)
{
	return check(thread, why);
}

static int64_t count(struct store_thread *thread, const struct store_count *what)
{
	(void)thread;
	(void)what;
	return STORE_COUNT_FAILED;
}

static enum err count_clear(struct store_thread *thread, const struct store_count *count)
{
	(void)thread;
	(void)count;
	return ERR_STORE;
}

static void describe(struct store_thread *thread, bool (*each)(void *context, struct str line), void *context)
{
	(void)thread;
	each(context, STR("bad there is no store"));
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
	.record_put = record_put,
	.record_get = record_get,
	.record_list = record_list,
	.record_remove = remove_entry,
	.cache_get = cache_get,
	.cache_put = cache_put,
	.cache_remove = cache_remove,
	.cache_lock = cache_lock,
	.cache_unlock = cache_unlock,
	.cache_clear = cache_clear,
	.count_use = count,
	.count_left = count,
	.count_clear = count_clear,
	.describe = describe,
};
