/* SPDX-License-Identifier: Apache-2.0 */
/* One row for each source, in a database of its own. */
#include "store/key_cache.h"

#include <stdlib.h>

#include "base/log.h"
#include "store/database.h"

enum { READ, CLAIM, STORE, FINISH, FORGET, STATEMENTS };

/* Longer than any JWK Set may be used (jwks-stale: 365 days). */
#define FORGOTTEN_AFTER (INT64_C(366) * 24 * 3600 * 1000)

static const char tables[] =
	"CREATE TABLE source (id BLOB NOT NULL PRIMARY KEY, fetched INTEGER NOT NULL DEFAULT 0,"
	" claimed INTEGER NOT NULL DEFAULT 0, finished INTEGER NOT NULL DEFAULT 0, text BLOB) STRICT, WITHOUT ROWID;";

static const char *const statements[STATEMENTS] = {
	[READ] = "SELECT fetched, claimed, finished, CASE WHEN fetched > ?2 THEN text END FROM source WHERE id = ?1",
	/* A claim from the future, made before the clock was set back, counts for nothing. */
	[CLAIM] = "INSERT INTO source (id, claimed) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET claimed = ?2"
		  " WHERE claimed <= ?2 - ?3 OR claimed > ?2 + ?3",
	[STORE] = "INSERT INTO source (id, fetched, finished, text) VALUES (?1, ?2, ?2, ?3)"
		  " ON CONFLICT DO UPDATE SET fetched = ?2, finished = max(claimed, ?2), text = ?3",
	[FINISH] = "UPDATE source SET finished = max(claimed, ?2) WHERE id = ?1",
	[FORGET] = "DELETE FROM source WHERE max(fetched, claimed) < ?1",
};

static const struct schema schema = {
	.name = "keys",
	.version = 1,
	.tables = tables,
	.probe = "SELECT fetched, claimed, finished, text FROM source",
	.statements = statements,
	.statements_n = STATEMENTS,
	.loss = "keys are fetched again",
	.is_cache = true,
};

struct key_cache {
	struct database *database;
	struct sql *sql;
	bool failed; /* a statement failed: open it anew */
	char state_dir[];
};

static bool connect(struct key_cache *cache, struct buf *why)
{
	cache->failed = false;
	return database_open(&schema, cache->state_dir, &cache->database, why) &&
	       database_connect(cache->database, &cache->sql, why);
}

static void disconnect(struct key_cache *cache)
{
	sql_close(&cache->sql);
	database_close(&cache->database);
}

bool key_cache_open(const char *state_dir, struct key_cache **out, struct buf *why)
{
	struct str path = str_of(state_dir);
	struct key_cache *cache = calloc(1, sizeof *cache + path.n + 1);
	if (!cache) {
		buf_add(why, STR("no memory for the keys"));
		return false;
	}
	struct buf copy = buf_over(cache->state_dir, path.n + 1);
	buf_add(&copy, path);
	buf_z(&copy);
	if (!connect(cache, why)) {
		key_cache_close(&cache);
		return false;
	}
	*out = cache;
	return true;
}

void key_cache_close(struct key_cache **cache)
{
	if (!*cache)
		return;
	disconnect(*cache);
	free(*cache);
	*cache = NULL;
}

/* A file that failed, or was deleted or replaced, is opened again as at a start:
 * there a damaged one is set aside. */
static bool is_ready(struct key_cache *cache)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	if (cache->sql && !cache->failed && sql_is_current(cache->sql))
		return true;
	disconnect(cache);
	if (connect(cache, &why))
		return true;
	disconnect(cache);
	log_text(LOG_WARNING, "keys", "%.*s", STR_ARGS(buf_str(&why)));
	return false;
}

static bool run(struct key_cache *cache, size_t statement)
{
	bool good = sql_run(cache->sql, statement);
	cache->failed = cache->failed || !good;
	return good;
}

bool key_cache_read(struct key_cache *cache, const struct store_key *source, int64_t newer_than, struct arena *arena,
		    struct key_cache_row *out)
{
	if (!is_ready(cache))
		return false;
	struct sql *sql = cache->sql;
	struct key_cache_row row = {0};
	sql_bind_bytes(sql, READ, 1, source->bytes, sizeof source->bytes);
	sql_bind_int(sql, READ, 2, newer_than);
	enum sql_result step = sql_step(sql, READ);
	if (step == SQL_ROW) {
		row = (struct key_cache_row){sql_int(sql, READ, 0), sql_int(sql, READ, 1), sql_int(sql, READ, 2),
					     sql_text(sql, READ, 3)};
		if (row.text.p)
			row.text = arena_copy(arena, row.text);
	}
	cache->failed = cache->failed || step == SQL_FAILED;
	sql_reset(sql, READ);
	if (step != SQL_FAILED)
		*out = row;
	return step != SQL_FAILED;
}

enum key_claim key_cache_claim(struct key_cache *cache, const struct store_key *source, int64_t now, int64_t cooldown)
{
	if (!is_ready(cache))
		return KEY_CLAIM_FAILED;
	struct sql *sql = cache->sql;
	sql_bind_bytes(sql, CLAIM, 1, source->bytes, sizeof source->bytes);
	sql_bind_int(sql, CLAIM, 2, now);
	sql_bind_int(sql, CLAIM, 3, cooldown);
	if (!run(cache, CLAIM))
		return KEY_CLAIM_FAILED;
	return sql_changes(sql) > 0 ? KEY_CLAIM_GRANTED : KEY_CLAIM_TAKEN;
}

bool key_cache_store(struct key_cache *cache, const struct store_key *source, int64_t now, struct str text)
{
	size_t statement = text.p ? STORE : FINISH;
	if (!is_ready(cache))
		return false;
	struct sql *sql = cache->sql;
	sql_bind_bytes(sql, statement, 1, source->bytes, sizeof source->bytes);
	sql_bind_int(sql, statement, 2, now);
	if (text.p)
		sql_bind_bytes(sql, statement, 3, text.p, text.n);
	if (!run(cache, statement))
		return false;
	sql_bind_int(sql, FORGET, 1, now - FORGOTTEN_AFTER);
	return run(cache, FORGET);
}
