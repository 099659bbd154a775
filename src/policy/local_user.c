/* SPDX-License-Identifier: Apache-2.0 */
/* Whose record it is, what goes into it, and when it is written. A request of a user
 * who is known costs one read: whatever keeps the file from being written keeps
 * nobody out but users who are new. */
#include "policy/local_user.h"

#include "base/clock.h"
#include "base/log.h"
#include "http/reply.h"
#include "policy/runtime.h"

/* Only an iss that is looked at identifies anybody: any other is what the token says
 * of itself. One without it, of an issuer that has some, counts as the first: the
 * cookie and the API token of one user are the same user's. */
struct str local_user_issuer(const struct worker *worker, const struct claims *claims)
{
	const struct issuer *issuer = snapshot_issuer(worker->snapshot, claims->issuer);
	if (!issuer) /* made by ourselves, as of an API key */
		return claims->iss;
	const struct conf_list *known = &issuer_wants(issuer).rules->iss;
	for (size_t i = 0; i < known->n; i++)
		if (str_eq(known->items[i].value, claims->iss))
			return claims->iss;
	return known->n ? known->items[0].value : claims->issuer;
}

/* AUTH_FIRST_NAME is first_name to applications. */
static void add_name(struct buf *out, struct str name)
{
	name = str_skip(name, sizeof "AUTH_" - 1);
	buf_char(out, '"');
	for (size_t i = 0; i < name.n; i++)
		buf_char(out, name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] - 'A' + 'a') : name.p[i]);
	buf_add(out, STR("\":"));
}

/* What an application cannot get as a variable is not recorded either. */
static bool is_recordable(struct str value)
{
	return value.p && value.n < REPLY_LINE_MAX && str_is_utf8(value) && !str_has_control(value);
}

/* {"email":"a@b","phone":null}: each attribute of the policy, null for one without a value. */
static bool print_attributes(struct worker *worker, const struct policy *policy, const struct subject *subject,
			     struct str *out)
{
	struct str *values = arena_array(worker->arena, policy->n_attributes, sizeof *values);
	size_t size = sizeof "{}";
	for (size_t i = 0; values && i < policy->n_attributes; i++) {
		struct str value = attribute_value(worker->arena, &policy->attributes[i], subject);
		values[i] = is_recordable(value) ? value : STR_NONE;
		/* Six bytes for one that is escaped. */
		size += policy->attributes[i].name.n + 6 * values[i].n + sizeof "\"\":null,";
	}
	if (size > USER_RECORD_ATTRIBUTES_MAX)
		size = USER_RECORD_ATTRIBUTES_MAX;
	struct buf b = arena_buf(worker->arena, size);
	buf_char(&b, '{');
	for (size_t i = 0; values && i < policy->n_attributes; i++) {
		if (i)
			buf_char(&b, ',');
		add_name(&b, policy->attributes[i].name);
		if (values[i].p)
			buf_json(&b, values[i]);
		else
			buf_add(&b, STR("null"));
	}
	buf_char(&b, '}');
	*out = buf_str(&b);
	return values && !b.full;
}

/* New attributes at once, but once a second at most: two tokens of one user may say
 * different things, and be used in turn. A last_seen from the future is from before
 * the clock was set back. */
static bool is_due(const struct policy *policy, const struct user_known *known, int64_t now)
{
	return (known->differs && known->last_seen != now) || known->last_seen > now ||
	       now - known->last_seen >= policy->conf->local_user_refresh / 1000;
}

enum err local_user_touch(struct worker *worker, const struct policy *policy, struct subject *subject)
{
	struct user_sight sight = {
		.issuer = local_user_issuer(worker, subject->claims),
		.user_id = subject->claims->user_id,
		.now = clock_now(),
	};
	struct user_records_thread *records = worker_user_records(worker);
	struct user_known known;
	if (!print_attributes(worker, policy, subject, &sight.attributes)) {
		log_text(LOG_ERR, "user_records", "the attributes of a user take more than %d bytes, none is recorded",
			 USER_RECORD_ATTRIBUTES_MAX);
		sight.attributes = STR("{}");
	}
	if (!records)
		return ERR_STORE;
	enum err err = user_records_find(records, &sight, &known);
	if (err == ERR_NOT_FOUND)
		return worker->runtime ? user_records_add(records, &sight, &subject->local_user_id) : ERR_NONE;
	if (err)
		return err;
	subject->local_user_id = known.local_user_id;
	if (worker->runtime && is_due(policy, &known, sight.now))
		user_records_refresh(records, known.local_user_id, &sight);
	return ERR_NONE;
}
