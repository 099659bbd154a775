/* SPDX-License-Identifier: Apache-2.0 */
/* The journal and its tables in revocations.db. */
#include "store/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/embedded.h"

enum { ID_DIGITS = 16 };

static void put_hex(uint64_t number, char out[ID_DIGITS + 1])
{
	snprintf(out, ID_DIGITS + 1, "%016llx", (unsigned long long)number);
}

/* Of a text that we wrote ourselves; what is none is 0. */
static uint64_t get_hex(struct str text)
{
	char copy[ID_DIGITS + 1] = "";
	if (text.n != ID_DIGITS)
		return 0;
	memcpy(copy, text.p, ID_DIGITS);
	return strtoull(copy, NULL, 16);
}

static bool get_key(struct str text, struct store_key *out)
{
	if (text.n != STORE_KEY_SIZE)
		return false;
	memcpy(out->bytes, text.p, STORE_KEY_SIZE);
	return true;
}

bool journal_note(struct store_thread *thread, const struct store_key *key, int kind)
{
	struct sql *c = thread->sql;
	if (!thread->store->journals)
		return sql_run(c, EMBEDDED_SERVERS_CLEAR);
	sql_bind_bytes(c, EMBEDDED_JOURNAL_ADD, 1, key->bytes, STORE_KEY_SIZE);
	sql_bind_int(c, EMBEDDED_JOURNAL_ADD, 2, kind);
	return sql_run(c, EMBEDDED_JOURNAL_ADD);
}

bool journal_read(struct store_thread *thread, int64_t after, struct journal_row *out, size_t cap, size_t *n)
{
	if (!embedded_is_ready(thread))
		return false;
	struct sql *c = thread->sql;
	enum sql_result step;
	size_t got = 0;
	sql_bind_int(c, EMBEDDED_JOURNAL_READ, 1, after);
	sql_bind_int(c, EMBEDDED_JOURNAL_READ, 2, (int64_t)cap);
	while ((step = sql_step(c, EMBEDDED_JOURNAL_READ)) == SQL_ROW && got < cap) {
		struct journal_row *row = &out[got++];
		row->seq = sql_int(c, EMBEDDED_JOURNAL_READ, 0);
		row->kind = (int)sql_int(c, EMBEDDED_JOURNAL_READ, 2);
		if (!get_key(sql_text(c, EMBEDDED_JOURNAL_READ, 1), &row->key)) {
			step = SQL_FAILED;
			break;
		}
	}
	sql_reset(c, EMBEDDED_JOURNAL_READ);
	if (step != SQL_DONE)
		return false;
	*n = got;
	return true;
}

bool journal_newest(struct store_thread *thread, int64_t *out)
{
	if (!embedded_is_ready(thread))
		return false;
	struct sql *c = thread->sql;
	enum sql_result step = sql_step(c, EMBEDDED_JOURNAL_NEWEST);
	int64_t seq = step == SQL_ROW ? sql_int(c, EMBEDDED_JOURNAL_NEWEST, 0) : 0;
	sql_reset(c, EMBEDDED_JOURNAL_NEWEST);
	if (step == SQL_FAILED)
		return false;
	*out = seq;
	return true;
}

/* A single statement is a transaction of its own. */
static bool run_alone(struct sql *c, size_t statement)
{
	return sql_begin(c, true) && embedded_finish(c, sql_run(c, statement)) == ERR_NONE;
}

bool journal_drop(struct store_thread *thread, int64_t seq)
{
	if (!embedded_is_ready(thread))
		return false;
	sql_bind_int(thread->sql, EMBEDDED_JOURNAL_DROP, 1, seq);
	return run_alone(thread->sql, EMBEDDED_JOURNAL_DROP);
}

static bool get_item(struct sql *c, size_t statement, bool record, struct journal_item *out)
{
	out->entry = (struct store_entry){0};
	out->record = STR_NONE;
	if (!get_key(sql_text(c, statement, 0), &out->entry.key))
		return false;
	if (!record) {
		out->kind = (int)sql_int(c, statement, 1);
		out->entry.kind = (enum store_entry_kind)out->kind;
		out->entry.not_before = sql_int(c, statement, 2);
		out->entry.expires = sql_int(c, statement, 3);
		out->entry.created = sql_int(c, statement, 4);
		return true;
	}
	struct str text = sql_text(c, statement, 2);
	if (text.n > sizeof out->text)
		return false;
	out->kind = JOURNAL_RECORD;
	out->entry.expires = sql_int(c, statement, 1);
	memcpy(out->text, text.p, text.n);
	out->record = (struct str){out->text, text.n};
	return true;
}

bool journal_find(struct store_thread *thread, const struct store_key *key, int kind, struct journal_item *out,
		  bool *found)
{
	if (!embedded_is_ready(thread))
		return false;
	struct sql *c = thread->sql;
	bool record = kind == JOURNAL_RECORD;
	size_t statement = record ? EMBEDDED_FIND_RECORD : kind == STORE_USER ? EMBEDDED_FIND_MARK : EMBEDDED_FIND;
	sql_bind_bytes(c, statement, 1, key->bytes, STORE_KEY_SIZE);
	enum sql_result step = sql_step(c, statement);
	bool good = step == SQL_DONE || (step == SQL_ROW && get_item(c, statement, record, out));
	sql_reset(c, statement);
	if (good)
		*found = step == SQL_ROW;
	return good;
}

bool journal_walk_next(struct store_thread *thread, struct journal_walk *walk, struct journal_item *out, size_t cap,
		       size_t *n)
{
	if (!embedded_is_ready(thread))
		return false;
	struct sql *c = thread->sql;
	bool record = walk->kind == JOURNAL_RECORD;
	size_t statement = record			? EMBEDDED_BATCH_RECORDS
			   : walk->kind == STORE_USER	? EMBEDDED_BATCH_MARKS
							: EMBEDDED_BATCH;
	enum sql_result step;
	size_t got = 0;
	bool good = true;
	sql_bind_bytes(c, statement, 1, walk->after.bytes, walk->begun ? STORE_KEY_SIZE : 0);
	sql_bind_int(c, statement, 2, walk->since);
	sql_bind_int(c, statement, 3, (int64_t)cap);
	while (good && (step = sql_step(c, statement)) == SQL_ROW && got < cap)
		good = get_item(c, statement, record, &out[got++]);
	sql_reset(c, statement);
	if (!good || step != SQL_DONE)
		return false;
	if (got) {
		walk->after = out[got - 1].entry.key;
		walk->begun = true;
	}
	*n = got;
	return true;
}

bool journal_hosts(struct store_thread *thread, struct journal_host *out, size_t cap, size_t *n)
{
	if (!embedded_is_ready(thread))
		return false;
	struct sql *c = thread->sql;
	enum sql_result step;
	size_t got = 0;
	sql_bind_int(c, EMBEDDED_HOST_READ, 1, (int64_t)cap);
	while ((step = sql_step(c, EMBEDDED_HOST_READ)) == SQL_ROW && got < cap) {
		struct journal_host *host = &out[got++];
		struct str without = sql_text(c, EMBEDDED_HOST_READ, 4);
		*host = (struct journal_host){
			.id = get_hex(sql_text(c, EMBEDDED_HOST_READ, 0)),
			.seen = sql_int(c, EMBEDDED_HOST_READ, 1),
			.sequence = (uint64_t)sql_int(c, EMBEDDED_HOST_READ, 2),
			.state = (int)sql_int(c, EMBEDDED_HOST_READ, 3),
		};
		if (without.n >= sizeof host->without) {
			step = SQL_FAILED;
			break;
		}
		memcpy(host->without, without.p, without.n);
	}
	sql_reset(c, EMBEDDED_HOST_READ);
	if (step != SQL_DONE)
		return false;
	*n = got;
	return true;
}

bool journal_host_put(struct store_thread *thread, const struct journal_host *host)
{
	if (!embedded_is_ready(thread))
		return false;
	struct sql *c = thread->sql;
	char id[ID_DIGITS + 1];
	put_hex(host->id, id);
	sql_bind_text(c, EMBEDDED_HOST_PUT, 1, str_of(id));
	sql_bind_int(c, EMBEDDED_HOST_PUT, 2, host->seen);
	sql_bind_int(c, EMBEDDED_HOST_PUT, 3, (int64_t)host->sequence);
	sql_bind_int(c, EMBEDDED_HOST_PUT, 4, host->state);
	sql_bind_text(c, EMBEDDED_HOST_PUT, 5, str_of(host->without));
	return run_alone(c, EMBEDDED_HOST_PUT);
}

bool journal_host_drop(struct store_thread *thread, uint64_t id)
{
	char text[ID_DIGITS + 1];
	if (!embedded_is_ready(thread))
		return false;
	put_hex(id, text);
	sql_bind_text(thread->sql, EMBEDDED_HOST_DROP, 1, str_of(text));
	return run_alone(thread->sql, EMBEDDED_HOST_DROP);
}

bool journal_generation(struct store_thread *thread, struct str address, uint64_t *out, bool *known)
{
	if (!embedded_is_ready(thread))
		return false;
	struct sql *c = thread->sql;
	sql_bind_text(c, EMBEDDED_SERVER_GET, 1, address);
	enum sql_result step = sql_step(c, EMBEDDED_SERVER_GET);
	uint64_t generation = step == SQL_ROW ? get_hex(sql_text(c, EMBEDDED_SERVER_GET, 0)) : 0;
	sql_reset(c, EMBEDDED_SERVER_GET);
	if (step == SQL_FAILED)
		return false;
	*out = generation;
	*known = step == SQL_ROW;
	return true;
}

bool journal_generation_put(struct store_thread *thread, struct str address, uint64_t generation)
{
	char text[ID_DIGITS + 1] = "";
	if (!embedded_is_ready(thread))
		return false;
	if (generation)
		put_hex(generation, text);
	sql_bind_text(thread->sql, EMBEDDED_SERVER_PUT, 1, address);
	sql_bind_text(thread->sql, EMBEDDED_SERVER_PUT, 2, str_of(text));
	return run_alone(thread->sql, EMBEDDED_SERVER_PUT);
}

bool journal_count(struct store_thread *thread, struct str name, int64_t least, int64_t *out)
{
	if (!embedded_is_ready(thread) || !sql_begin(thread->sql, true))
		return false;
	struct sql *c = thread->sql;
	sql_bind_text(c, EMBEDDED_COUNT_UP, 1, name);
	sql_bind_int(c, EMBEDDED_COUNT_UP, 2, least);
	bool good = sql_run(c, EMBEDDED_COUNT_UP);
	sql_bind_text(c, EMBEDDED_COUNT_READ, 1, name);
	int64_t value = 0;
	good = good && sql_step(c, EMBEDDED_COUNT_READ) == SQL_ROW;
	if (good)
		value = sql_int(c, EMBEDDED_COUNT_READ, 0);
	sql_reset(c, EMBEDDED_COUNT_READ);
	if (embedded_finish(c, good) != ERR_NONE)
		return false;
	*out = value;
	return true;
}

unsigned journal_file_number(const struct store_thread *thread)
{
	return thread->opened;
}
