/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl records`: everybody who was seen, as applications find them in user-records.db. */
#include <inttypes.h>
#include <stdio.h>

#include "bin/authctl_output.h"
#include "bin/authctl_tool.h"
#include "store/generation.h"

static int cannot_read(void)
{
	output_error("the records cannot be read to the end: authctl check says more");
	return EXIT_FAILED;
}

/* Printing ---------------------------------------------------------------- */

/* NULL for what no program of ours has written. */
static const struct json *attributes_of(const struct tool *tool, const struct user_record *record)
{
	const struct json *attributes = NULL;
	json_parse(tool->worker.arena, record->attributes, &attributes);
	return attributes;
}

static void print_json(const struct tool *tool, const struct user_record *record)
{
	struct document document;
	document_begin(&document);
	document_number(&document, "local_user_id", record->local_user_id);
	document_text(&document, "issuer", record->issuer);
	document_text(&document, "user_id", record->user_id);
	document_number(&document, "first_seen", record->first_seen);
	document_number(&document, "last_seen", record->last_seen);
	document_json(&document, "attributes", attributes_of(tool, record));
	document_end(&document);
}

static void print_row(const struct user_record *record)
{
	char date[OUTPUT_DATE_SIZE];
	printf("%-11" PRId64 " ", record->local_user_id);
	output_column(str_of(output_date(record->last_seen, date)), 21);
	output_column(record->user_id, 28);
	output_text(record->issuer);
	putchar('\n');
}

static void print_field(const char *name, struct str value)
{
	printf("%-12s ", name);
	output_text(value.n ? value : STR("-"));
	putchar('\n');
}

static void print_record(const struct tool *tool, const struct user_record *record)
{
	const struct json *attributes = attributes_of(tool, record);
	char date[OUTPUT_DATE_SIZE];
	printf("local id     %" PRId64 "\n", record->local_user_id);
	print_field("user", record->user_id);
	print_field("issuer", record->issuer);
	print_field("first seen", str_of(output_date(record->first_seen, date)));
	print_field("last seen", str_of(output_date(record->last_seen, date)));
	for (const struct json *member = attributes ? attributes->child : NULL; member; member = member->next) {
		fputs("attribute    ", stdout);
		output_text(member->name);
		fputs(" = ", stdout);
		output_text(member->text);
		putchar('\n');
	}
}

/* Commands ---------------------------------------------------------------- */

struct listing {
	struct tool *tool;
	struct str user; /* that user's alone, or STR_NONE */
};

static bool list_record(void *context, const struct user_record *record)
{
	struct listing *listing = context;
	if (listing->user.p && !str_eq(listing->user, record->user_id))
		return true;
	if (listing->tool->arguments->json)
		print_json(listing->tool, record);
	else
		print_row(record);
	arena_reset(listing->tool->worker.arena);
	return true;
}

static int list(struct tool *tool)
{
	struct listing listing = {tool, str_of(arguments_value(tool->arguments, OPTION_USER))};
	if (!tool->arguments->json)
		printf("%-11s %-20s %-27s %s\n", "LOCAL ID", "LAST SEEN", "USER", "ISSUER");
	return user_records_list(tool->worker.records, list_record, &listing) ? cannot_read() : EX_OK;
}

/* The record of operand 0. */
static int find(struct tool *tool, struct user_record *out)
{
	uint64_t id;
	if (!str_to_uint(str_of(tool->arguments->operands[0]), INT64_MAX, &id))
		return arguments_wrong(tool->arguments, "LOCAL-ID is the number that records list shows");
	enum err err = user_records_get(tool->worker.records, tool->worker.arena, (int64_t)id, out);
	if (err == ERR_NOT_FOUND) {
		output_error("there is no record with this number (all: authctl records list)");
		return EXIT_FAILED;
	}
	return err ? cannot_read() : EX_OK;
}

static int show(struct tool *tool)
{
	struct user_record record;
	int status = find(tool, &record);
	if (status)
		return status;
	if (tool->arguments->json)
		print_json(tool, &record);
	else
		print_record(tool, &record);
	return EX_OK;
}

static int remove_record(struct tool *tool)
{
	struct user_record record;
	int status = find(tool, &record);
	if (status)
		return status;
	if (user_records_remove(tool->worker.records, record.local_user_id) ||
	    !generation_announce(tool->server->state_dir.value.p)) {
		output_error("the record cannot be removed: authctl check says more");
		return EXIT_FAILED;
	}
	tool_log(tool, "record_remove", record.user_id);
	if (tool->arguments->json) {
		struct document document;
		document_begin(&document);
		document_number(&document, "local_user_id", record.local_user_id);
		document_bool(&document, "removed", true);
		document_end(&document);
	} else {
		printf("record %" PRId64 " of user \"", record.local_user_id);
		output_text(record.user_id);
		puts("\": removed; if the user comes again, it is under another number");
	}
	return EX_OK;
}

/* Frame -------------------------------------------------------------------- */

static int run(const struct arguments *arguments, int (*command)(struct tool *tool))
{
	struct tool tool;
	char text[1024];
	struct buf why = buf_over(text, sizeof text - 1);
	int status = tool_open(arguments, &tool);
	if (status)
		return status;
	struct user_records_thread *records = worker_user_records(&tool.worker);
	if (records && user_records_connect(records, &why)) {
		status = command(&tool);
	} else {
		output_error("%s", records ? buf_z(&why) : "no memory");
		status = EXIT_FAILED;
	}
	tool_close(&tool);
	return status;
}

int authctl_records_list(const struct arguments *arguments)
{
	return run(arguments, list);
}

int authctl_records_show(const struct arguments *arguments)
{
	return run(arguments, show);
}

int authctl_records_remove(const struct arguments *arguments)
{
	return run(arguments, remove_record);
}
