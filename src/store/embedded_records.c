/* SPDX-License-Identifier: Apache-2.0 */
/* Records in revocations.db. One that has expired is found no more. */
#include <string.h>

#include "base/clock.h"
#include "store/embedded.h"
#include "store/journal.h"

enum err embedded_record_put(struct store_thread *thread, const struct store_key *key, struct str record,
			     int64_t expires)
{
	if (record.n > STORE_RECORD_MAX || !embedded_is_ready(thread) || !sql_begin(thread->sql, true))
		return ERR_STORE;
	struct sql *c = thread->sql;
	sql_bind_bytes(c, EMBEDDED_RECORD_PUT, 1, key->bytes, STORE_KEY_SIZE);
	sql_bind_int(c, EMBEDDED_RECORD_PUT, 2, expires);
	sql_bind_text(c, EMBEDDED_RECORD_PUT, 3, record.p ? record : STR(""));
	bool good = sql_run(c, EMBEDDED_RECORD_PUT) && journal_note(thread, key, JOURNAL_RECORD);
	return embedded_publish(thread, good);
}

enum err embedded_record_get(struct store_thread *thread, const struct store_key *key, struct arena *arena,
			     struct str *out)
{
	if (!embedded_is_ready(thread))
		return ERR_STORE;
	struct sql *c = thread->sql;
	struct str copy = STR_NONE;
	sql_bind_bytes(c, EMBEDDED_RECORD_GET, 1, key->bytes, STORE_KEY_SIZE);
	sql_bind_int(c, EMBEDDED_RECORD_GET, 2, clock_now());
	enum sql_result step = sql_step(c, EMBEDDED_RECORD_GET);
	if (step == SQL_ROW)
		copy = arena_copy(arena, sql_text(c, EMBEDDED_RECORD_GET, 0));
	sql_reset(c, EMBEDDED_RECORD_GET);
	if (step == SQL_DONE)
		return ERR_NOT_FOUND;
	if (step != SQL_ROW || !copy.p)
		return ERR_STORE;
	*out = copy;
	return ERR_NONE;
}

/* Row after row by key, each copied: whoever looks at one may change the table. */
enum err embedded_record_list(struct store_thread *thread,
			      bool (*each)(void *context, const struct store_key *key, struct str record,
					   int64_t expires),
			      void *context)
{
	struct store_key key = {{0}};
	char text[STORE_RECORD_MAX];
	size_t after = 0; /* bytes of the key; at first no key is too small */
	for (bool more = true; more; after = STORE_KEY_SIZE) {
		if (!embedded_is_ready(thread))
			return ERR_STORE;
		struct sql *c = thread->sql;
		sql_bind_bytes(c, EMBEDDED_RECORD_NEXT, 1, key.bytes, after);
		sql_bind_int(c, EMBEDDED_RECORD_NEXT, 2, clock_now());
		enum sql_result step = sql_step(c, EMBEDDED_RECORD_NEXT);
		struct str k = STR_NONE, record = STR_NONE;
		int64_t expires = 0;
		if (step == SQL_ROW) {
			k = sql_text(c, EMBEDDED_RECORD_NEXT, 0);
			expires = sql_int(c, EMBEDDED_RECORD_NEXT, 1);
			record = sql_text(c, EMBEDDED_RECORD_NEXT, 2);
		}
		bool good = k.n == STORE_KEY_SIZE && record.n <= sizeof text;
		if (good) {
			memcpy(key.bytes, k.p, STORE_KEY_SIZE);
			memcpy(text, record.p, record.n);
		}
		sql_reset(c, EMBEDDED_RECORD_NEXT);
		if (step == SQL_DONE)
			return ERR_NONE;
		if (!good)
			return ERR_STORE;
		more = each(context, &key, (struct str){text, record.n}, expires);
	}
	return ERR_NONE;
}

enum err embedded_record_remove(struct store_thread *thread, const struct store_key *key, bool *was_there)
{
	if (!embedded_is_ready(thread) || !sql_begin(thread->sql, true))
		return ERR_STORE;
	struct sql *c = thread->sql;
	sql_bind_bytes(c, EMBEDDED_RECORD_REMOVE, 1, key->bytes, STORE_KEY_SIZE);
	bool good = sql_run(c, EMBEDDED_RECORD_REMOVE);
	bool there = good && sql_changes(c) > 0;
	enum err err = embedded_publish(thread, good);
	if (err == ERR_NONE)
		*was_there = there;
	return err;
}
