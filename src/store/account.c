/* SPDX-License-Identifier: Apache-2.0 */
/* Local accounts: who exists, never who may. What a login name or a password must
 * look like is decided above; here a text only has to fit and be printable. */
#include "store/account.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/account_internal.h"
#include "store/generation.h"

static const char tables[] =
	"CREATE TABLE account (id TEXT NOT NULL PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL,"
	" roles TEXT NOT NULL, password TEXT NOT NULL, disabled INTEGER NOT NULL, created INTEGER NOT NULL,"
	" changed INTEGER NOT NULL, last_login INTEGER NOT NULL, verified INTEGER NOT NULL DEFAULT 0,"
	" pending INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"
	"CREATE UNIQUE INDEX account_email ON account (email COLLATE NOCASE) WHERE email <> '';"
	"CREATE INDEX account_id ON account (id COLLATE NOCASE);" SESSION_TABLE;

/* From version 1 to 2, to 3. */
static const char *const upgrades[] = {
	"ALTER TABLE account ADD COLUMN verified INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE account ADD COLUMN pending INTEGER NOT NULL DEFAULT 0",
	SESSION_TABLE,
};

enum {
	FIND = SESSION_STATEMENTS,
	FIND_EMAIL,
	TAKEN,
	ID_TAKEN,
	INSERT,
	UPDATE,
	DELETE,
	NOTE_LOGIN,
	RENEW_HASH,
	FORGET,
	CONFIRM,
	RESET,
	SET_PASSWORD,
	NEXT,
	STATEMENTS
};

#define COLUMNS "id, email, name, roles, password, disabled, created, changed, last_login, verified, pending"

static const char *const statements[STATEMENTS] = {
	SESSION_STATEMENT_TEXTS,
	[FIND] = "SELECT " COLUMNS " FROM account WHERE id = ?1",
	[FIND_EMAIL] = "SELECT " COLUMNS " FROM account WHERE email = ?1 COLLATE NOCASE AND email <> ''",
	/* Is the id another's e-mail, or the e-mail another's e-mail or id? */
	[TAKEN] = "SELECT EXISTS (SELECT 1 FROM account WHERE id <> ?1 AND email <> ''"
		  " AND email COLLATE NOCASE IN (?1, ?2))"
		  " OR EXISTS (SELECT 1 FROM account WHERE id <> ?1 AND id = ?2 COLLATE NOCASE)",
	[INSERT] = "INSERT INTO account (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
		   " ON CONFLICT DO NOTHING",
	[UPDATE] = "UPDATE account SET email = ?2, name = ?3, roles = ?4, password = ?5, disabled = ?6, created = ?7,"
		   " changed = ?8, last_login = ?9, verified = ?10, pending = ?11 WHERE id = ?1",
	[DELETE] = "DELETE FROM account WHERE id = ?1",
	[NOTE_LOGIN] = "UPDATE account SET last_login = max(last_login, ?2)"
		       " WHERE id = ?1 AND password = ?3 AND NOT disabled AND NOT pending",
	[RENEW_HASH] = "UPDATE account SET password = ?3 WHERE id = ?1 AND password = ?2",
	[ID_TAKEN] = "SELECT EXISTS (SELECT 1 FROM account WHERE id = ?1 COLLATE NOCASE)"
		     " OR EXISTS (SELECT 1 FROM account WHERE email <> '' AND email = ?1 COLLATE NOCASE)",
	[FORGET] = "DELETE FROM account WHERE pending AND created < ?3"
		   " AND (id = ?1 COLLATE NOCASE OR (email <> '' AND email = ?2 COLLATE NOCASE))",
	[CONFIRM] = "UPDATE account SET verified = ?3, pending = 0 WHERE id = ?1 AND verified = 0"
		    " AND email <> '' AND email = ?2",
	[SET_PASSWORD] = "UPDATE account SET password = ?3, changed = ?4"
			 " WHERE id = ?1 AND password = ?2 AND NOT disabled",
	[RESET] = "UPDATE account SET password = ?3, changed = ?4, pending = 0,"
		  " verified = CASE verified WHEN 0 THEN ?4 ELSE verified END"
		  " WHERE id = ?1 AND password = ?2 AND NOT disabled AND email = ?5",
	[NEXT] = "SELECT " COLUMNS " FROM account WHERE id > ?1 ORDER BY id LIMIT 1",
};

static const struct schema schema = {
	.name = "accounts",
	.version = 3,
	.tables = tables,
	.upgrades = upgrades,
	.upgrades_n = sizeof upgrades / sizeof *upgrades,
	.probe = "SELECT " COLUMNS ", (SELECT sid FROM session INDEXED BY session_user WHERE user = 'x')"
		 " FROM account INDEXED BY account_email WHERE email = 'x' COLLATE NOCASE AND email <> ''",
	.statements = statements,
	.statements_n = STATEMENTS,
	.loss = "there are then no local accounts, and whoever registers first may take any name",
};

bool accounts_open(const char *state_dir, struct accounts **out, struct buf *why)
{
	size_t length = strlen(state_dir);
	struct accounts *accounts = calloc(1, sizeof *accounts + length + 1);
	if (!accounts) {
		buf_add(why, STR("no memory for the accounts"));
		return false;
	}
	memcpy(accounts->state_dir, state_dir, length + 1);
	if (!database_open(&schema, state_dir, &accounts->database, why) ||
	    !database_connect(accounts->database, &accounts->sql, why)) {
		accounts_close(&accounts);
		return false;
	}
	*out = accounts;
	return true;
}

void accounts_close(struct accounts **accounts)
{
	if (!*accounts)
		return;
	sql_close(&(*accounts)->sql);
	database_close(&(*accounts)->database);
	free(*accounts);
	*accounts = NULL;
}

bool accounts_is_ready(struct accounts *accounts)
{
	if (accounts->sql && sql_look(accounts->sql))
		return true;
	sql_close(&accounts->sql);
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	if (database_connect(accounts->database, &accounts->sql, &why))
		return true;
	log_text(LOG_ERR, "store", "%.*s", STR_ARGS(buf_str(&why)));
	return false;
}

static void read_account(struct sql *c, size_t statement, struct account *out)
{
	*out = (struct account){
		.id = sql_text(c, statement, 0),
		.email = sql_text(c, statement, 1),
		.name = sql_text(c, statement, 2),
		.roles = sql_text(c, statement, 3),
		.password = sql_text(c, statement, 4),
		.disabled = sql_int(c, statement, 5) != 0,
		.created = sql_int(c, statement, 6),
		.changed = sql_int(c, statement, 7),
		.last_login = sql_int(c, statement, 8),
		.verified = sql_int(c, statement, 9),
		.pending = sql_int(c, statement, 10) != 0,
	};
}

static bool copy_account(struct arena *arena, const struct account *from, struct account *out)
{
	struct account copy = *from;
	struct str *texts[] = {&copy.id, &copy.email, &copy.name, &copy.roles, &copy.password};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		*texts[i] = arena_copy(arena, *texts[i]);
		if (!texts[i]->p)
			return false;
	}
	*out = copy;
	return true;
}

static enum err find_by(struct sql *c, size_t statement, struct str key, struct arena *arena,
			struct account *out)
{
	sql_bind_text(c, statement, 1, key);
	enum sql_result step = sql_step(c, statement);
	enum err err = step == SQL_DONE ? ERR_NOT_FOUND : ERR_STORE;
	if (step == SQL_ROW) {
		struct account row;
		read_account(c, statement, &row);
		if (copy_account(arena, &row, out))
			err = ERR_NONE;
	}
	sql_reset(c, statement);
	return err;
}

enum err accounts_find(struct accounts *accounts, struct arena *arena, struct str login, struct account *out)
{
	if (!accounts_is_ready(accounts))
		return ERR_STORE;
	enum err err = find_by(accounts->sql, FIND, login, arena, out);
	return err == ERR_NOT_FOUND ? find_by(accounts->sql, FIND_EMAIL, login, arena, out) : err;
}

static bool is_text(struct str text, size_t max)
{
	return text.n <= max && str_is_utf8(text) && !str_has_control(text);
}

static bool is_storable(const struct account *account)
{
	return account->id.n > 0 && is_text(account->id, ACCOUNT_ID_MAX) &&
	       is_text(account->email, ACCOUNT_EMAIL_MAX) && is_text(account->name, ACCOUNT_NAME_MAX) &&
	       is_text(account->roles, ACCOUNT_ROLES_MAX) && is_text(account->password, ACCOUNT_HASH_MAX);
}

static bool is_taken(struct sql *c, const struct account *account, bool *out)
{
	sql_bind_text(c, TAKEN, 1, account->id);
	/* NULL equals nothing: an empty e-mail is nobody's. */
	sql_bind_text(c, TAKEN, 2, account->email.n > 0 ? account->email : STR_NONE);
	bool answered = sql_step(c, TAKEN) == SQL_ROW;
	if (answered)
		*out = sql_int(c, TAKEN, 0) != 0;
	sql_reset(c, TAKEN);
	return answered;
}

/* STR_NONE would be NULL, which the columns refuse. */
static struct str given(struct str text)
{
	return text.p ? text : STR("");
}

static bool run_with(struct sql *c, size_t statement, const struct account *account)
{
	const struct str texts[] = {account->id, account->email, account->name, account->roles, account->password};
	int at = 1;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		sql_bind_text(c, statement, at++, given(texts[i]));
	const int64_t numbers[] = {account->disabled,	account->created,  account->changed,
				   account->last_login, account->verified, account->pending};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		sql_bind_int(c, statement, at++, numbers[i]);
	return sql_run(c, statement);
}

enum err accounts_finish(struct sql *c, enum err err)
{
	if (err != ERR_NONE) {
		sql_rollback(c);
		return err;
	}
	return sql_commit(c) && sql_look(c) ? ERR_NONE : ERR_STORE;
}

/* The same for what makes another account of it: nobody goes on by what he knew of it. */
static enum err publish(struct accounts *accounts, enum err err)
{
	err = accounts_finish(accounts->sql, err);
	return err || generation_announce(accounts->state_dir) ? err : ERR_STORE;
}

/* otherwise: what it means when the statement changes no row. */
static enum err write_account(struct accounts *accounts, const struct account *account, size_t statement,
			      enum err otherwise)
{
	if (!is_storable(account))
		return ERR_BAD_REQUEST;
	if (!accounts_is_ready(accounts) || !sql_begin(accounts->sql, true))
		return ERR_STORE;
	struct sql *c = accounts->sql;
	bool taken = false;
	enum err err = ERR_NONE;
	if (!is_taken(c, account, &taken))
		err = ERR_STORE;
	else if (taken)
		err = ERR_BAD_REQUEST;
	else if (!run_with(c, statement, account))
		err = ERR_STORE;
	else if (sql_changes(c) == 0)
		err = otherwise;
	return publish(accounts, err);
}

enum err accounts_add(struct accounts *accounts, const struct account *account)
{
	return write_account(accounts, account, INSERT, ERR_BAD_REQUEST);
}

static enum err look_for_taken(struct sql *c, const struct account *account, enum account_taken *taken)
{
	bool email = false;
	sql_bind_text(c, ID_TAKEN, 1, account->id);
	bool answered = sql_step(c, ID_TAKEN) == SQL_ROW;
	bool id = answered && sql_int(c, ID_TAKEN, 0) != 0;
	sql_reset(c, ID_TAKEN);
	if (!answered || !is_taken(c, account, &email))
		return ERR_STORE;
	*taken = id ? ACCOUNT_ID_TAKEN : email ? ACCOUNT_EMAIL_TAKEN : ACCOUNT_FREE;
	return *taken == ACCOUNT_FREE ? ERR_NONE : ERR_BAD_REQUEST;
}

enum err accounts_register(struct accounts *accounts, const struct account *account, int64_t patience,
			   enum account_taken *taken)
{
	*taken = ACCOUNT_FREE;
	if (!is_storable(account))
		return ERR_BAD_REQUEST;
	if (!accounts_is_ready(accounts) || !sql_begin(accounts->sql, true))
		return ERR_STORE;
	struct sql *c = accounts->sql;
	sql_bind_text(c, FORGET, 1, account->id);
	sql_bind_text(c, FORGET, 2, given(account->email));
	sql_bind_int(c, FORGET, 3, account->created - patience);
	enum err err = sql_run(c, FORGET) ? look_for_taken(c, account, taken) : ERR_STORE;
	if (err == ERR_NONE && !run_with(c, INSERT, account))
		err = ERR_STORE;
	return publish(accounts, err);
}

enum err accounts_change(struct accounts *accounts, const struct account *account)
{
	return write_account(accounts, account, UPDATE, ERR_NOT_FOUND);
}

/* Run a statement whose first value is the id, bound already but for it. */
static enum err change_one(struct sql *c, size_t statement, struct str id)
{
	sql_bind_text(c, statement, 1, given(id));
	if (!sql_run(c, statement))
		return ERR_STORE;
	return sql_changes(c) == 0 ? ERR_NOT_FOUND : ERR_NONE;
}

enum err accounts_remove(struct accounts *accounts, struct str id)
{
	if (!accounts_is_ready(accounts) || !sql_begin(accounts->sql, true))
		return ERR_STORE;
	return publish(accounts, change_one(accounts->sql, DELETE, id));
}

enum err accounts_note_login(struct accounts *accounts, const struct account *account, int64_t now)
{
	if (!accounts_is_ready(accounts) || !sql_begin(accounts->sql, true))
		return ERR_STORE;
	sql_bind_int(accounts->sql, NOTE_LOGIN, 2, now);
	sql_bind_text(accounts->sql, NOTE_LOGIN, 3, given(account->password));
	return accounts_finish(accounts->sql, change_one(accounts->sql, NOTE_LOGIN, account->id));
}

enum err accounts_renew_hash(struct accounts *accounts, struct str id, struct str old, struct str fresh)
{
	if (!is_text(fresh, ACCOUNT_HASH_MAX))
		return ERR_BAD_REQUEST;
	if (!accounts_is_ready(accounts) || !sql_begin(accounts->sql, true))
		return ERR_STORE;
	sql_bind_text(accounts->sql, RENEW_HASH, 2, given(old));
	sql_bind_text(accounts->sql, RENEW_HASH, 3, given(fresh));
	return accounts_finish(accounts->sql, change_one(accounts->sql, RENEW_HASH, id));
}

enum err accounts_confirm(struct accounts *accounts, struct str id, struct str email, int64_t now)
{
	if (!accounts_is_ready(accounts) || !sql_begin(accounts->sql, true))
		return ERR_STORE;
	sql_bind_text(accounts->sql, CONFIRM, 2, given(email));
	sql_bind_int(accounts->sql, CONFIRM, 3, now);
	return publish(accounts, change_one(accounts->sql, CONFIRM, id));
}

enum err accounts_set_password(struct accounts *accounts, const struct account *account, struct str hash, int64_t now)
{
	if (!is_text(hash, ACCOUNT_HASH_MAX))
		return ERR_BAD_REQUEST;
	if (!accounts_is_ready(accounts) || !sql_begin(accounts->sql, true))
		return ERR_STORE;
	struct sql *c = accounts->sql;
	sql_bind_text(c, SET_PASSWORD, 2, given(account->password));
	sql_bind_text(c, SET_PASSWORD, 3, given(hash));
	sql_bind_int(c, SET_PASSWORD, 4, now);
	return publish(accounts, change_one(c, SET_PASSWORD, account->id));
}

enum err accounts_reset(struct accounts *accounts, const struct account *account, struct str hash, int64_t now)
{
	if (!is_text(hash, ACCOUNT_HASH_MAX))
		return ERR_BAD_REQUEST;
	if (!accounts_is_ready(accounts) || !sql_begin(accounts->sql, true))
		return ERR_STORE;
	struct sql *c = accounts->sql;
	sql_bind_text(c, RESET, 2, given(account->password));
	sql_bind_text(c, RESET, 3, given(hash));
	sql_bind_int(c, RESET, 4, now);
	sql_bind_text(c, RESET, 5, given(account->email));
	return publish(accounts, change_one(c, RESET, account->id));
}

/* Every text at its longest, with its NUL and rounded up. */
enum {
	LISTED_SIZE = ACCOUNT_ID_MAX + ACCOUNT_HASH_MAX + ACCOUNT_EMAIL_MAX + ACCOUNT_NAME_MAX + ACCOUNT_ROLES_MAX +
		      5 * 17
};

/* One account a statement: whoever reads the list may be a person at a terminal,
 * and a statement left open would let the file's log grow. */
enum err accounts_list(struct accounts *accounts, bool (*each)(void *context, const struct account *account),
		       void *context)
{
	char last[ACCOUNT_ID_MAX];
	struct str after = {last, 0};
	struct arena *arena;
	if (!accounts_is_ready(accounts) || !arena_open(LISTED_SIZE, &arena))
		return ERR_STORE;
	enum err err;
	struct account account;
	while ((err = find_by(accounts->sql, NEXT, after, arena, &account)) == ERR_NONE) {
		if (account.id.n > sizeof last) {
			err = ERR_STORE;
			break;
		}
		memcpy(last, account.id.p, account.id.n);
		after.n = account.id.n;
		bool more = each(context, &account);
		arena_reset(arena);
		if (!more || !accounts_is_ready(accounts))
			break;
	}
	arena_close(&arena);
	if (!accounts->sql)
		return ERR_STORE;
	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

bool accounts_check(struct accounts *accounts, struct buf *why)
{
	if (!accounts_is_ready(accounts)) {
		buf_add(why, STR("accounts.db was deleted or replaced and cannot be opened; the log says why"));
		return false;
	}
	return sql_check(accounts->sql, true, why);
}
