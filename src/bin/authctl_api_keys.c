/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl api-keys add` and `revoke`. The key itself is printed once and kept nowhere. */
#include "bin/authctl_api_keys.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/conf_internal.h"
#include "policy/revocation.h"

/* A key that has expired is told so, and listed, for a month. */
enum { EXPIRED_KEPT = 30 * 86400 };

/* Frame ---------------------------------------------------------------------- */

int api_keys_run(const struct arguments *arguments, bool needs_store, int (*command)(struct tool *tool))
{
	struct tool tool;
	int status = tool_open(arguments, &tool);
	if (status)
		return status;
	status = !needs_store || tool_need_store(&tool) ? command(&tool) : EXIT_FAILED;
	tool_close(&tool);
	return status;
}

int api_keys_cannot_read(void)
{
	output_error("the API keys cannot be read: authctl check says more");
	return EXIT_FAILED;
}

static bool is_id(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '_')
			return false;
	return text.n == API_KEY_ID_SIZE;
}

int api_keys_find_record(struct tool *tool, struct api_key_record *out, bool *of_file)
{
	struct worker *worker = &tool->worker;
	struct str id = str_of(tool->arguments->operands[0]);
	struct store_key key;
	if (!is_id(id))
		return arguments_wrong(tool->arguments,
				       "ID is the %d characters of a key between its first and its second _, never the "
				       "key itself",
				       API_KEY_ID_SIZE);
	struct str text = api_keys_find(&tool->snapshot->api_keys, id);
	enum err err = ERR_NONE;
	*of_file = text.p != NULL;
	if (!*of_file)
		err = api_key_store_key(worker->token, id, &key)
			      ? worker->store_driver->record_get(worker->store, &key, worker->arena, &text)
			      : ERR_INTERNAL;
	if (err == ERR_NOT_FOUND) {
		output_error("there is no API key with this id (all: authctl api-keys list)");
		return EXIT_FAILED;
	}
	if (err || !api_key_record_parse(worker->arena, text, out))
		return api_keys_cannot_read();
	if (*of_file || api_key_is_sealed(worker->token, &tool->snapshot->api_keys, text))
		return EX_OK;
	output_error("the record of this key is not signed by secret of [api-keys]: it opens nothing");
	return EXIT_FAILED;
}

void api_keys_print_record(struct document *document, const struct api_key_record *record)
{
	document_text(document, "id", record->id);
	document_text(document, "owner", record->owner);
	document_text(document, "name", record->name);
	document_text(document, "scope", record->scope);
	document_text(document, "rate", record->rate_text);
	document_number(document, "issued", record->iat);
	document_time(document, "expires", record->exp, TIME_ABSENT);
}

/* add ------------------------------------------------------------------------ */

static int read_expires(const struct arguments *arguments, int64_t now, int64_t *exp)
{
	const char *text = arguments_value(arguments, OPTION_EXPIRES);
	int64_t milliseconds;
	*exp = TIME_ABSENT;
	if (!text || str_eq(str_of(text), STR("never")))
		return EX_OK;
	if (!conf_duration(str_of(text), &milliseconds) || milliseconds < 1000 ||
	    milliseconds / 1000 > API_KEY_FOR_EVER)
		return arguments_wrong(arguments,
				       "--expires is a number and s, m, h or d, as 90d, or never");
	*exp = now + milliseconds / 1000;
	return EX_OK;
}

/* Everything but id, hash and the time of issue. */
static int read_options(const struct arguments *arguments, int64_t now, struct api_key_record *out)
{
	*out = (struct api_key_record){
		.owner = str_of(arguments_value(arguments, OPTION_OWNER)),
		.name = str_of(arguments_value(arguments, OPTION_NAME)),
		.scope = str_of(arguments_value(arguments, OPTION_SCOPE)),
		.rate_text = str_of(arguments_value(arguments, OPTION_RATE)),
		.iat = now,
	};
	out->has_rate = out->rate_text.p != NULL;
	if (!claims_user_id_valid(out->owner))
		return arguments_wrong(arguments,
				       "--owner is 1 to %d bytes of UTF-8 without control bytes and blanks at the ends",
				       USER_ID_MAX);
	if (out->name.p && !api_key_name_valid(out->name))
		return arguments_wrong(arguments, "--name is 1 to %d bytes of UTF-8", API_KEY_NAME_MAX);
	if (out->scope.p && !api_key_scope_valid(out->scope))
		return arguments_wrong(arguments,
				       "--scope is words of visible ASCII without quotes and backslashes, one blank "
				       "between two, %d bytes at most",
				       API_KEY_SCOPE_MAX);
	if (out->has_rate && !limiter_rate_parse(out->rate_text, &out->rate))
		return arguments_wrong(arguments, "--rate is a number up to %d and s, m, h or d, as 100/m, or none",
				       LIMITER_MOST_MAX);
	return read_expires(arguments, now, &out->exp);
}

/* All keys of the owner may have been revoked in this very second: a new one is
 * dated just after that. */
static bool date_after_mark(struct worker *worker, struct api_key_record *record)
{
	struct store_question question = {.now = record->iat};
	struct store_answer answer = {0};
	if (!revocation_user_key(worker->token, STR(API_KEY_ISS), record->owner, &question.user) ||
	    worker->store_driver->ask(worker->store, &question, &answer))
		return false;
	if (answer.not_before >= record->iat)
		record->iat = answer.not_before + 1;
	return true;
}

static int store_record(struct tool *tool, const struct api_key_record *record, struct str text)
{
	struct worker *worker = &tool->worker;
	struct store_key key;
	int64_t expires = record->exp == TIME_ABSENT ? INT64_MAX : record->exp + EXPIRED_KEPT;
	enum err err = api_key_store_key(worker->token, record->id, &key)
			       ? worker->store_driver->record_put(worker->store, &key, text, expires)
			       : ERR_INTERNAL;
	if (err == ERR_STORE_PARTIAL)
		output_error("the key is good on this host; the others learn of it as soon as they can be reached");
	if (!err || err == ERR_STORE_PARTIAL)
		return EX_OK;
	output_error("NO key was made: the store could not make it durable; authctl check says more");
	return EXIT_FAILED;
}

static void print_key(const struct arguments *arguments, struct str key, const struct api_key_record *record,
		      struct str text)
{
	bool record_too = arguments_value(arguments, OPTION_PRINT_RECORD) != NULL;
	if (arguments->json) {
		struct document document;
		document_begin(&document);
		document_text(&document, "key", key);
		api_keys_print_record(&document, record);
		if (record_too)
			document_text(&document, "record", text);
		document_end(&document);
		return;
	}
	printf("%.*s\n", STR_ARGS(key));
	if (record_too)
		printf("%.*s\n", STR_ARGS(text));
}

static int add(struct tool *tool)
{
	const struct arguments *arguments = tool->arguments;
	struct api_key_record record;
	struct api_key key;
	struct buf text = arena_buf(tool->worker.arena, API_KEY_MAX);
	struct buf line = arena_buf(tool->worker.arena, STORE_RECORD_MAX);
	bool stored = !arguments_value(arguments, OPTION_PRINT_RECORD);
	if (stored && tool->snapshot->api_keys.needs_secret) {
		output_error("with memcached, keys need secret in [api-keys]: without it whoever can write to those "
			     "servers makes keys");
		return EX_CONFIG;
	}
	int status = read_options(arguments, clock_now(), &record);
	if (status)
		return status;
	if (stored && !date_after_mark(&tool->worker, &record))
		return api_keys_cannot_read();
	api_key_make(tool->snapshot->api_keys.prefix, &text, &key);
	record.id = key.id;
	if (text.full || !line.cap || !api_key_hash(key.secret, record.hash)) {
		output_error("no memory");
		return EXIT_FAILED;
	}
	api_key_record_print(&record, &line);
	if (stored && !api_key_seal(tool->worker.token, &tool->snapshot->api_keys, &line))
		line.full = true;
	if (line.full)
		return arguments_wrong(arguments, "owner, name and scope are too long together: a record has %d bytes",
				       STORE_RECORD_MAX);
	if (stored)
		status = store_record(tool, &record, buf_str(&line));
	if (status)
		return status;
	tool_log_key(tool, "api_key_add", STR("api-key"), record.id);
	print_key(arguments, buf_str(&text), &record, buf_str(&line));
	return EX_OK;
}

int authctl_api_keys_add(const struct arguments *arguments)
{
	return api_keys_run(arguments, !arguments_value(arguments, OPTION_PRINT_RECORD), add);
}

/* revoke --------------------------------------------------------------------- */

static void print_revoked(const struct tool *tool, const struct api_key_record *record, bool of_file)
{
	if (tool->arguments->json) {
		struct document document;
		document_begin(&document);
		document_text(&document, "id", record->id);
		document_text(&document, "owner", record->owner);
		document_bool(&document, "revoked", true);
		document_bool(&document, "removed", !of_file);
		document_end(&document);
		return;
	}
	printf("API key %.*s of user \"", STR_ARGS(record->id));
	output_text(record->owner);
	puts("\": revoked, durable on this host");
	if (of_file)
		printf("its line in %s may be taken out\n", tool->snapshot->api_keys_conf->file.value.p);
}

/* The revocation first: a record that comes back, from a backup or from a host that
 * was away, must find it. */
static int revoke(struct tool *tool)
{
	struct worker *worker = &tool->worker;
	struct api_key_record record;
	struct claims claims;
	struct store_key key;
	bool of_file, was_there;
	int status = api_keys_find_record(tool, &record, &of_file);
	if (status)
		return status;
	if (!api_key_claims(worker->arena, &record, &claims) ||
	    !api_key_store_key(worker->token, record.id, &key)) {
		output_error("no memory");
		return EXIT_FAILED;
	}
	if (claims.exp == TIME_ABSENT)
		claims.exp = clock_now() + API_KEY_FOR_EVER;
	enum err err = revocation_add_token(worker, &(struct token){0}, &claims, STR("api-keys revoke"));
	if (err && err != ERR_STORE_PARTIAL) {
		output_error("NOT revoked: the store could not make it durable; authctl check says more");
		return EXIT_FAILED;
	}
	tool_log_key(tool, "api_key_revoke", STR("api-key"), record.id);
	if (err)
		output_error("the other hosts learn of it as soon as they can be reached");
	if (!of_file && worker->store_driver->record_remove(worker->store, &key, &was_there) == ERR_STORE) {
		output_error("the key is revoked, but its record cannot be removed: give the command again");
		return EXIT_FAILED;
	}
	print_revoked(tool, &record, of_file);
	return EX_OK;
}

int authctl_api_keys_revoke(const struct arguments *arguments)
{
	return api_keys_run(arguments, true, revoke);
}
