/* SPDX-License-Identifier: Apache-2.0 */
/* Which counters an attempt has, and in which order they are asked. */
#include "policy/attempt.h"

#include <string.h>

#include "http/network.h"

enum { NETWORK_BYTES = 8 }; /* of an IPv6 address: whoever has one has all of its /64 */

static const struct {
	const char *name; /* in keys; of 1 letter */
	bool per_account, locks;
} kinds[ATTEMPT_KINDS] = {
	[ATTEMPT_LOGIN] = {"l", true, true},
	[ATTEMPT_REGISTER] = {"r", false, false},
	[ATTEMPT_MAIL] = {"m", true, false},
	[ATTEMPT_CODE] = {"c", true, true},
};

/* Keys --------------------------------------------------------------------- */

static bool make_key(struct worker *worker, const char *what, struct str whose, struct store_key *out)
{
	unsigned char digest[DIGEST_SIZE];
	struct str parts[] = {STR("attempt"), str_of(what), whose};
	if (!digest_parts(worker->token, parts, 3, digest))
		return false;
	memcpy(out->bytes, digest, sizeof out->bytes);
	return true;
}

/* Addresses of one network count as one client. */
static struct str client_of(const struct call *call, struct address *memory)
{
	static const unsigned char ipv4[12] = {[10] = 0xff, [11] = 0xff};
	if (!address_parse(call->request->remote_addr, memory))
		return call->request->remote_addr;
	bool whole = memcmp(memory->bytes, ipv4, sizeof ipv4) == 0;
	return (struct str){(const char *)memory->bytes, whole ? sizeof memory->bytes : NETWORK_BYTES};
}

/* In one case: as e-mail addresses are found, and no two ids differ in case alone. */
static struct str lower(struct arena *arena, struct str text)
{
	struct buf b = arena_buf(arena, text.n + 1);
	for (size_t i = 0; i < text.n; i++)
		buf_char(&b, text.p[i] >= 'A' && text.p[i] <= 'Z' ? (char)(text.p[i] - 'A' + 'a') : text.p[i]);
	return b.full ? STR_NONE : buf_str(&b);
}

/* Counters ----------------------------------------------------------------- */

enum counter { CLIENT, ACCOUNT, FAILURES };

/* false: it is without a limit. */
static bool counter_of(struct worker *worker, enum attempt_kind kind, enum counter counter, struct str whose,
		       struct store_count *out)
{
	const struct login_limits *limits = &worker->snapshot->login_limits;
	const struct limiter_rate *rates[] = {&limits->client, &limits->account, &limits->failures};
	char what[] = {kinds[kind].name[0], "caf"[counter], '\0'};
	if (!whose.p || rates[counter]->most == 0 || (counter == ACCOUNT && !kinds[kind].per_account) ||
	    (counter == FAILURES && !kinds[kind].locks))
		return false;
	*out = (struct store_count){.of = counter == CLIENT ? STORE_COUNT_CLIENT : STORE_COUNT_ACCOUNT,
				    .rate = *rates[counter]};
	return make_key(worker, what, whose, &out->key);
}

/* What an answer of the store means. */
static enum err judge(int64_t left_ms, enum err refusal, int64_t *retry_after)
{
	if (left_ms == 0)
		return ERR_NONE;
	if (left_ms == STORE_COUNT_FAILED)
		return ERR_STORE;
	*retry_after = (left_ms + 999) / 1000;
	return refusal;
}

static enum err use(struct worker *worker, const struct store_count *count, enum err refusal, int64_t *retry_after)
{
	return judge(worker->store_driver->count_use(worker->store, count), refusal, retry_after);
}

/* A locked account is said to be locked, whatever else it is; so that is looked at first. */
static enum err begin_account(struct worker *worker, enum attempt_kind kind, struct str account, int64_t *retry_after)
{
	const struct store_driver *store = worker->store_driver;
	struct store_count failures, tries;
	bool locks = counter_of(worker, kind, FAILURES, account, &failures);
	enum err err = ERR_NONE;
	if (locks)
		err = judge(store->count_left(worker->store, &failures), ERR_ACCOUNT_LOCKED, retry_after);
	if (err == ERR_NONE && counter_of(worker, kind, ACCOUNT, account, &tries))
		err = use(worker, &tries, ERR_RATE_LIMITED, retry_after);
	if (err == ERR_NONE && locks)
		err = use(worker, &failures, ERR_ACCOUNT_LOCKED, retry_after);
	return err;
}

enum err attempt_begin(const struct call *call, enum attempt_kind kind, struct str account, int64_t *retry_after)
{
	struct worker *worker = call->worker;
	struct address address;
	struct store_count client;
	enum err err = ERR_NONE;
	if (counter_of(worker, kind, CLIENT, client_of(call, &address), &client))
		err = use(worker, &client, ERR_RATE_LIMITED, retry_after);
	if (err || !account.p)
		return err;
	struct str name = lower(worker->arena, account);
	return name.p ? begin_account(worker, kind, name, retry_after) : ERR_INTERNAL;
}

static enum err clear(struct worker *worker, enum attempt_kind kind, enum counter counter, struct str account)
{
	struct store_count count;
	if (!counter_of(worker, kind, counter, lower(worker->arena, account), &count))
		return ERR_NONE;
	return worker->store_driver->count_clear(worker->store, &count);
}

void attempt_end(const struct call *call, enum attempt_kind kind, struct str account, bool success)
{
	/* A failure is counted already. */
	if (!success || !account.p)
		return;
	clear(call->worker, kind, FAILURES, account);
	/* Who has proved a code, or the current password, shall get in. */
	if (kind == ATTEMPT_CODE)
		clear(call->worker, ATTEMPT_LOGIN, FAILURES, account);
}

const char *attempt_text(int64_t retry_after)
{
	if (retry_after <= 60)
		return "Too many attempts. Please wait a minute, then try again.";
	if (retry_after <= 300)
		return "Too many attempts. Please try again in five minutes.";
	if (retry_after <= 900)
		return "Too many attempts. Please try again in a quarter of an hour.";
	if (retry_after <= 3600)
		return "Too many attempts. Please try again in an hour.";
	return "Too many attempts. Please try again tomorrow.";
}

/* For the admin ------------------------------------------------------------ */

int64_t attempt_locked(struct worker *worker, struct str account)
{
	struct store_count failures;
	if (!counter_of(worker, ATTEMPT_LOGIN, FAILURES, lower(worker->arena, account), &failures))
		return 0;
	int64_t left_ms = worker->store_driver->count_left(worker->store, &failures);
	return left_ms > 0 ? (left_ms + 999) / 1000 : 0;
}

enum err attempt_unlock(struct worker *worker, struct str account)
{
	enum err err = ERR_NONE;
	for (int kind = 0; kind < ATTEMPT_KINDS; kind++)
		for (int counter = ACCOUNT; counter <= FAILURES; counter++) {
			enum err one = clear(worker, (enum attempt_kind)kind, (enum counter)counter, account);
			err = one ? one : err;
		}
	return err;
}
