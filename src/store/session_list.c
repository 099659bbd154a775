/* SPDX-License-Identifier: Apache-2.0 */
/* Table session of accounts.db. */
#include "store/session_list.h"

#include "store/account_internal.h"
#include "store/store.h"

/* More than the most that a user has: a limit that was higher, two logins at once. */
enum { LISTED_MAX = 2 * SESSIONS_MAX };

static struct str given(struct str text)
{
	return text.p ? text : STR("");
}

static bool is_key(struct str text, size_t least, size_t most)
{
	return text.n >= least && text.n <= most && str_is_utf8(text) && !str_has_control(text);
}

/* What a client says of itself: anything. */
static struct str clean(struct arena *arena, struct str text, size_t most)
{
	struct buf b = arena_buf(arena, most);
	if (!str_is_utf8(text))
		return STR("");
	for (size_t i = 0; i < text.n && b.n < most; i++)
		buf_char(&b, (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f ? ' ' : text.p[i]);
	/* Cut between characters. */
	while (b.n > 0 && !str_is_utf8(buf_str(&b)))
		b.n--;
	return given(buf_str(&b));
}

static bool read_session(struct sql *c, size_t statement, struct arena *arena, struct session *out)
{
	struct str texts[5];
	for (int i = 0; i < 5; i++) {
		texts[i] = arena_copy(arena, sql_text(c, statement, i));
		if (!texts[i].p)
			return false;
	}
	*out = (struct session){
		.sid = texts[0],
		.user = texts[1],
		.iss = texts[2],
		.address = texts[3],
		.agent = texts[4],
		.created = sql_int(c, statement, 5),
		.seen = sql_int(c, statement, 6),
		.expires = sql_int(c, statement, 7),
	};
	return true;
}

/* The rows of a statement whose values are bound. */
static enum err read_sessions(struct sql *c, size_t statement, struct arena *arena, struct sessions *out)
{
	struct session *items = arena_array(arena, LISTED_MAX, sizeof *items);
	enum sql_result step = SQL_FAILED;
	size_t n = 0;
	while (items && n < LISTED_MAX && (step = sql_step(c, statement)) == SQL_ROW) {
		if (!read_session(c, statement, arena, &items[n])) {
			step = SQL_FAILED;
			break;
		}
		n++;
	}
	sql_reset(c, statement);
	if (step == SQL_FAILED)
		return ERR_STORE;
	*out = (struct sessions){items, n};
	return ERR_NONE;
}

static bool insert(struct sql *c, struct arena *arena, const struct session *session)
{
	const struct str texts[] = {session->sid, session->user, given(session->iss),
				    clean(arena, session->address, SESSION_ADDRESS_MAX),
				    clean(arena, session->agent, SESSION_AGENT_MAX)};
	const int64_t times[] = {session->created, session->seen, session->expires};
	int at = 1;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		sql_bind_text(c, SESSION_ADD, at++, texts[i]);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		sql_bind_int(c, SESSION_ADD, at++, times[i]);
	return sql_run(c, SESSION_ADD);
}

static bool prune(struct sql *c, int64_t before)
{
	sql_bind_int(c, SESSION_PRUNE, 1, before);
	return sql_run(c, SESSION_PRUNE);
}

static enum err find_excess(struct sql *c, struct arena *arena, const struct session *session, struct sessions *out)
{
	sql_bind_text(c, SESSION_EXCESS, 1, session->user);
	sql_bind_text(c, SESSION_EXCESS, 2, session->sid);
	sql_bind_int(c, SESSION_EXCESS, 3, session->created);
	sql_bind_int(c, SESSION_EXCESS, 4, SESSIONS_MAX - 1);
	sql_bind_int(c, SESSION_EXCESS, 5, LISTED_MAX);
	return read_sessions(c, SESSION_EXCESS, arena, out);
}

enum err sessions_add(struct accounts *accounts, struct arena *arena, const struct session *session,
		      struct sessions *excess)
{
	if (!is_key(session->sid, 1, SESSION_SID_MAX) || !is_key(session->user, 1, ACCOUNT_ID_MAX) ||
	    !is_key(session->iss, 0, SESSION_ISS_MAX))
		return ERR_BAD_REQUEST;
	if (!accounts_is_ready(accounts) || !sql_begin(accounts->sql, true))
		return ERR_STORE;
	struct sql *c = accounts->sql;
	struct sessions found;
	bool good = prune(c, session->created - STORE_KEPT) && insert(c, arena, session);
	enum err err = good ? find_excess(c, arena, session, &found) : ERR_STORE;
	err = accounts_finish(c, err);
	if (err == ERR_NONE)
		*excess = found;
	return err;
}

enum err sessions_list(struct accounts *accounts, struct arena *arena, struct str user, int64_t after,
		       struct sessions *out)
{
	if (!accounts_is_ready(accounts))
		return ERR_STORE;
	struct sql *c = accounts->sql;
	sql_bind_text(c, SESSION_LIST, 1, given(user));
	sql_bind_int(c, SESSION_LIST, 2, after);
	sql_bind_int(c, SESSION_LIST, 3, LISTED_MAX);
	return read_sessions(c, SESSION_LIST, arena, out);
}

/* A change of one row, whose other values are bound. */
static enum err change(struct accounts *accounts, size_t statement, struct str sid)
{
	sql_bind_text(accounts->sql, statement, 1, given(sid));
	return accounts_finish(accounts->sql, sql_run(accounts->sql, statement) ? ERR_NONE : ERR_STORE);
}

enum err sessions_see(struct accounts *accounts, struct str sid, int64_t seen, int64_t expires)
{
	if (!accounts_is_ready(accounts) || !sql_begin(accounts->sql, true))
		return ERR_STORE;
	sql_bind_int(accounts->sql, SESSION_SEE, 2, seen);
	sql_bind_int(accounts->sql, SESSION_SEE, 3, expires);
	return change(accounts, SESSION_SEE, sid);
}

enum err sessions_remove(struct accounts *accounts, struct str sid)
{
	if (!accounts_is_ready(accounts) || !sql_begin(accounts->sql, true))
		return ERR_STORE;
	return change(accounts, SESSION_REMOVE, sid);
}
