/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of revocations.db and the statements on them. What every request looks
 * at is kept small: texts for people lie in a table of their own. */
#include "store/embedded.h"

#define TABLES_1                                                                                                       \
	"CREATE TABLE revoked (k BLOB NOT NULL PRIMARY KEY, exp INTEGER NOT NULL, created INTEGER NOT NULL,"           \
	" kind INTEGER NOT NULL) STRICT, WITHOUT ROWID;"                                                               \
	"CREATE INDEX revoked_exp ON revoked (exp);"                                                                   \
	"CREATE TABLE mark (k BLOB NOT NULL PRIMARY KEY, not_before INTEGER NOT NULL, exp INTEGER NOT NULL,"           \
	" created INTEGER NOT NULL) STRICT, WITHOUT ROWID;"                                                            \
	"CREATE INDEX mark_exp ON mark (exp);"                                                                         \
	"CREATE TABLE detail (k BLOB NOT NULL PRIMARY KEY, user TEXT, note TEXT) STRICT, WITHOUT ROWID;"

/* journal: what other hosts have yet to be told. host: other hosts, as last seen.
 * server: our generation on each server; '' once it is none. */
#define TABLES_2                                                                                                       \
	"CREATE TABLE record (k BLOB NOT NULL PRIMARY KEY, record TEXT NOT NULL, exp INTEGER NOT NULL)"                \
	" STRICT, WITHOUT ROWID;"                                                                                      \
	"CREATE INDEX record_exp ON record (exp);"                                                                     \
	"CREATE TABLE journal (seq INTEGER PRIMARY KEY AUTOINCREMENT, k BLOB NOT NULL, kind INTEGER NOT NULL) STRICT;" \
	"CREATE TABLE host (id TEXT NOT NULL PRIMARY KEY, seen INTEGER NOT NULL, sequence INTEGER NOT NULL,"           \
	" state INTEGER NOT NULL, without TEXT NOT NULL) STRICT, WITHOUT ROWID;"                                       \
	"CREATE TABLE server (address TEXT NOT NULL PRIMARY KEY, generation TEXT NOT NULL) STRICT, WITHOUT ROWID;"     \
	"CREATE TABLE counter (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"

static const char *const upgrades[] = {TABLES_2};

#define EXPIRED_KEYS "(SELECT k FROM revoked WHERE exp < ?1 ORDER BY exp, k LIMIT ?2)"
#define EXPIRED_MARKS "(SELECT k FROM mark WHERE exp < ?1 ORDER BY exp, k LIMIT ?2)"

static const char *const statements[EMBEDDED_STATEMENTS] = {
	[EMBEDDED_ASK] = "SELECT EXISTS (SELECT 1 FROM revoked WHERE k = ?1)"
			 " OR EXISTS (SELECT 1 FROM revoked WHERE k = ?3), (SELECT not_before FROM mark WHERE k = ?2)",
	/* Nothing is written when nothing changes. */
	[EMBEDDED_ADD] = "INSERT INTO revoked (k, exp, created, kind) VALUES (?1, ?2, ?3, ?4)"
			 " ON CONFLICT (k) DO UPDATE SET exp = excluded.exp WHERE excluded.exp > exp",
	[EMBEDDED_ADD_MARK] = "INSERT INTO mark (k, exp, created, not_before) VALUES (?1, ?2, ?3, ?4)"
			      " ON CONFLICT (k) DO UPDATE SET exp = max(exp, excluded.exp), created = excluded.created,"
			      " not_before = max(not_before, excluded.not_before)"
			      " WHERE excluded.exp > exp OR excluded.not_before > not_before",
	[EMBEDDED_ADD_DETAIL] = "INSERT INTO detail (k, user, note) VALUES (?1, ?2, ?3)"
				" ON CONFLICT (k) DO UPDATE SET user = excluded.user, note = excluded.note",
	[EMBEDDED_REMOVE] = "DELETE FROM revoked WHERE k = ?1",
	[EMBEDDED_REMOVE_MARK] = "DELETE FROM mark WHERE k = ?1",
	[EMBEDDED_REMOVE_DETAIL] = "DELETE FROM detail WHERE k = ?1",
	/* A copy in memory: the reader may be a person at a terminal, and a
	 * statement that stays open on the file would let its log grow. */
	[EMBEDDED_LISTING_MAKE] =
		"CREATE TEMP TABLE IF NOT EXISTS listing (k, kind, not_before, exp, created, user, note)",
	[EMBEDDED_LISTING_FILL] = "INSERT INTO temp.listing SELECT e.*, d.user, d.note FROM"
				  " (SELECT k, kind, 0, exp, created FROM revoked WHERE exp >= ?1"
				  " UNION ALL SELECT k, 1, not_before, exp, created FROM mark WHERE exp >= ?1) AS e"
				  " LEFT JOIN detail AS d ON d.k = e.k ORDER BY e.created DESC, e.k",
	[EMBEDDED_LISTING_READ] = "SELECT k, kind, not_before, exp, created, user, note FROM temp.listing"
				  " ORDER BY rowid",
	[EMBEDDED_LISTING_CLEAR] = "DELETE FROM temp.listing",
	[EMBEDDED_EXPIRED] = "SELECT EXISTS (SELECT 1 FROM revoked WHERE exp < ?1)"
			     " OR EXISTS (SELECT 1 FROM mark WHERE exp < ?1)"
			     " OR EXISTS (SELECT 1 FROM record WHERE exp < ?1)",
	[EMBEDDED_SWEEP_DETAIL] = "DELETE FROM detail WHERE k IN " EXPIRED_KEYS " OR k IN " EXPIRED_MARKS,
	[EMBEDDED_SWEEP] = "DELETE FROM revoked WHERE k IN " EXPIRED_KEYS,
	[EMBEDDED_SWEEP_MARK] = "DELETE FROM mark WHERE k IN " EXPIRED_MARKS,
	[EMBEDDED_SWEEP_RECORD] = "DELETE FROM record WHERE k IN"
				  " (SELECT k FROM record WHERE exp < ?1 ORDER BY exp, k LIMIT ?2)",

	[EMBEDDED_RECORD_PUT] = "INSERT INTO record (k, exp, record) VALUES (?1, ?2, ?3)"
				" ON CONFLICT (k) DO UPDATE SET exp = excluded.exp, record = excluded.record",
	[EMBEDDED_RECORD_GET] = "SELECT record FROM record WHERE k = ?1 AND exp >= ?2",
	[EMBEDDED_RECORD_NEXT] = "SELECT k, exp, record FROM record WHERE k > ?1 AND exp >= ?2 ORDER BY k LIMIT 1",
	[EMBEDDED_RECORD_REMOVE] = "DELETE FROM record WHERE k = ?1",

	[EMBEDDED_JOURNAL_ADD] = "INSERT INTO journal (k, kind) VALUES (?1, ?2)",
	[EMBEDDED_JOURNAL_READ] = "SELECT seq, k, kind FROM journal WHERE seq > ?1 ORDER BY seq LIMIT ?2",
	[EMBEDDED_JOURNAL_NEWEST] = "SELECT seq FROM sqlite_sequence WHERE name = 'journal'",
	[EMBEDDED_JOURNAL_DROP] = "DELETE FROM journal WHERE seq <= ?1",
	[EMBEDDED_FIND] = "SELECT k, kind, 0, exp, created FROM revoked WHERE k = ?1",
	[EMBEDDED_FIND_MARK] = "SELECT k, 1, not_before, exp, created FROM mark WHERE k = ?1",
	[EMBEDDED_FIND_RECORD] = "SELECT k, exp, record FROM record WHERE k = ?1",
	[EMBEDDED_BATCH] = "SELECT k, kind, 0, exp, created FROM revoked WHERE k > ?1 AND exp >= ?2"
			   " ORDER BY k LIMIT ?3",
	[EMBEDDED_BATCH_MARKS] = "SELECT k, 1, not_before, exp, created FROM mark WHERE k > ?1 AND exp >= ?2"
				 " ORDER BY k LIMIT ?3",
	[EMBEDDED_BATCH_RECORDS] = "SELECT k, exp, record FROM record WHERE k > ?1 AND exp >= ?2 ORDER BY k LIMIT ?3",
	[EMBEDDED_HOST_PUT] = "INSERT INTO host (id, seen, sequence, state, without) VALUES (?1, ?2, ?3, ?4, ?5)"
			      " ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, sequence = excluded.sequence,"
			      " state = excluded.state, without = excluded.without",
	[EMBEDDED_HOST_READ] = "SELECT id, seen, sequence, state, without FROM host ORDER BY seen DESC LIMIT ?1",
	[EMBEDDED_HOST_DROP] = "DELETE FROM host WHERE id = ?1",
	[EMBEDDED_SERVER_PUT] = "INSERT INTO server (address, generation) VALUES (?1, ?2)"
				" ON CONFLICT (address) DO UPDATE SET generation = excluded.generation",
	[EMBEDDED_SERVER_GET] = "SELECT generation FROM server WHERE address = ?1",
	/* Whoever changes something without telling the others ends what they were told. */
	[EMBEDDED_SERVERS_CLEAR] = "UPDATE server SET generation = '' WHERE generation <> ''",
	[EMBEDDED_COUNT_UP] = "INSERT INTO counter (name, value) VALUES (?1, max(1, ?2))"
			      " ON CONFLICT (name) DO UPDATE SET value = max(value + 1, ?2)",
	[EMBEDDED_COUNT_READ] = "SELECT value FROM counter WHERE name = ?1",
};

const struct schema embedded_schema = {
	.name = "revocations",
	.version = 2,
	.tables = TABLES_1 TABLES_2,
	.upgrades = upgrades,
	.upgrades_n = sizeof upgrades / sizeof *upgrades,
	.probe = "SELECT r.k, r.exp, r.created, r.kind, m.k, m.not_before, m.exp, m.created, d.k, d.user, d.note,"
		 " e.k, e.record, e.exp, j.seq, j.k, j.kind, h.id, h.seen, h.sequence, h.state, h.without, s.address,"
		 " s.generation, c.name, c.value FROM revoked AS r INDEXED BY revoked_exp, mark AS m INDEXED BY"
		 " mark_exp, detail AS d, record AS e INDEXED BY record_exp, journal AS j, host AS h, server AS s,"
		 " counter AS c WHERE r.exp > 0 AND m.exp > 0 AND e.exp > 0",
	.statements = statements,
	.statements_n = EMBEDDED_STATEMENTS,
	.loss = "every revoked token is then good again until it expires",
};
