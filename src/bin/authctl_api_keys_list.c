/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl api-keys list` and `show`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bin/authctl_api_keys.h"
#include "policy/revocation.h"

/* The texts of all records, before the store is asked about each. */
struct listing {
	struct entry {
		char *text;
		size_t n;
		int64_t iat;
		bool of_file;
	} *entries;
	size_t n, cap;
	struct arena *arena; /* for one record */
	const struct api_key_settings *settings;
	struct token_thread *token;
	bool no_memory;
};

static bool keep(struct listing *listing, struct str text, bool of_file)
{
	struct api_key_record record;
	arena_reset(listing->arena);
	/* Not of ours, or of a later version. */
	if (!api_key_record_parse(listing->arena, text, &record))
		return true;
	/* The file goes before the store. */
	if (!of_file && api_keys_find(listing->settings, record.id).p)
		return true;
	if (!of_file && !api_key_is_sealed(listing->token, listing->settings, text))
		return true;
	if (listing->n == listing->cap) {
		size_t cap = listing->cap ? 2 * listing->cap : 64;
		struct entry *entries = realloc(listing->entries, cap * sizeof *entries);
		if (!entries)
			return false;
		listing->entries = entries;
		listing->cap = cap;
	}
	char *copy = malloc(text.n);
	if (!copy)
		return false;
	memcpy(copy, text.p, text.n);
	listing->entries[listing->n++] = (struct entry){copy, text.n, record.iat, of_file};
	return true;
}

static bool keep_record(void *context, const struct store_key *key, struct str text, int64_t expires)
{
	struct listing *listing = context;
	(void)key;
	(void)expires;
	listing->no_memory = !keep(listing, text, false);
	return !listing->no_memory;
}

static int newest_first(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return (x->iat < y->iat) - (x->iat > y->iat);
}

/* State ---------------------------------------------------------------------- */

struct state {
	const char *word;
	int64_t last; /* use on this host, 0 for none that is known */
};

static bool look(struct tool *tool, struct limiter *uses, const struct api_key_record *record, struct state *out)
{
	struct worker *worker = &tool->worker;
	struct claims claims;
	struct store_key key;
	if (!api_key_claims(worker->arena, record, &claims) || !api_key_store_key(worker->token, record->id, &key))
		return false;
	enum err err = revocation_check(worker, &(struct token){0}, &claims, NULL, NULL);
	if (err && err != ERR_TOKEN_REVOKED)
		return false;
	*out = (struct state){
		.word = err ? "revoked" : claims_expired(&claims, clock_now()) ? "expired" : "good",
		.last = uses ? limiter_last(uses, &key) : 0,
	};
	return true;
}

/* NULL when nobody knows: the keys are listed all the same. */
static struct limiter *open_uses(const struct tool *tool)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory - 1);
	struct limiter *uses = NULL;
	if (!api_keys_open_uses(tool->server->state_dir.value.p, &uses, &why))
		output_error("when the keys were last used is not known: %s", buf_z(&why));
	return uses;
}

/* Printing ------------------------------------------------------------------- */

static void print_json(const struct api_key_record *record, const struct state *state, bool of_file)
{
	struct document document;
	document_begin(&document);
	api_keys_print_record(&document, record);
	document_text(&document, "state", str_of(state->word));
	document_time(&document, "last_use", state->last, 0);
	document_text(&document, "from", of_file ? STR("file") : STR("store"));
	document_end(&document);
}

static struct str date_or(int64_t seconds, int64_t absent, const char *word, char memory[OUTPUT_DATE_SIZE])
{
	return str_of(seconds == absent ? word : output_date(seconds, memory));
}

static void print_row(const struct api_key_record *record, const struct state *state)
{
	char date[OUTPUT_DATE_SIZE];
	output_column(record->id, API_KEY_ID_SIZE + 1);
	output_column(str_of(state->word), 8);
	output_column(date_or(record->exp, TIME_ABSENT, "never", date), 21);
	output_column(date_or(state->last, 0, "-", date), 21);
	output_column(record->owner, 24);
	output_column(record->name.p ? record->name : STR("-"), 16);
	output_text(record->scope.p ? record->scope : STR("-"));
	putchar('\n');
}

static void print_line(const char *what, struct str text)
{
	printf("%-12s ", what);
	output_text(text.p ? text : STR("-"));
	putchar('\n');
}

static void print_all(const struct tool *tool, const struct api_key_record *record, const struct state *state,
		      bool of_file)
{
	const struct api_keys_conf *conf = tool->snapshot->api_keys_conf;
	char date[OUTPUT_DATE_SIZE];
	print_line("id", record->id);
	print_line("state", str_of(state->word));
	print_line("owner", record->owner);
	print_line("name", record->name);
	print_line("scope", record->scope);
	print_line("rate", record->has_rate ? record->rate_text : conf->rate.value);
	print_line("issued", str_of(output_date(record->iat, date)));
	print_line("expires", date_or(record->exp, TIME_ABSENT, "never", date));
	print_line("last use", date_or(state->last, 0, "-", date));
	print_line("from", of_file ? conf->file.value : STR("the store"));
}

/* list ----------------------------------------------------------------------- */

static bool print_entry(struct tool *tool, struct limiter *uses, const struct entry *entry)
{
	struct str owner = str_of(arguments_value(tool->arguments, OPTION_OWNER));
	struct api_key_record record;
	struct state state;
	arena_reset(tool->worker.arena);
	if (!api_key_record_parse(tool->worker.arena, (struct str){entry->text, entry->n}, &record))
		return false;
	if (owner.p && !str_eq(owner, record.owner))
		return true;
	if (!look(tool, uses, &record, &state))
		return false;
	if (tool->arguments->json)
		print_json(&record, &state, entry->of_file);
	else
		print_row(&record, &state);
	return true;
}

static bool collect(struct tool *tool, struct listing *listing)
{
	const struct api_key_settings *settings = listing->settings;
	struct worker *worker = &tool->worker;
	for (size_t i = 0; i < settings->n_lines; i++)
		if (!keep(listing, settings->lines[i].text, true))
			return false;
	if (worker->store_driver->record_list(worker->store, keep_record, listing) || listing->no_memory)
		return false;
	if (listing->n)
		qsort(listing->entries, listing->n, sizeof *listing->entries, newest_first);
	return true;
}

static int list(struct tool *tool)
{
	struct listing listing = {.arena = tool->worker.arena, .token = tool->worker.token,
				  .settings = &tool->snapshot->api_keys};
	struct limiter *uses = open_uses(tool);
	bool good = collect(tool, &listing);
	if (good && !tool->arguments->json)
		printf("%-16s %-7s %-20s %-20s %-23s %-15s %s\n", "ID", "STATE", "EXPIRES", "LAST USE HERE", "OWNER",
		       "NAME", "SCOPE");
	for (size_t i = 0; i < listing.n; i++) {
		good = good && print_entry(tool, uses, &listing.entries[i]);
		free(listing.entries[i].text);
	}
	free(listing.entries);
	limiter_close(&uses);
	return good ? EX_OK : api_keys_cannot_read();
}

int authctl_api_keys_list(const struct arguments *arguments)
{
	return api_keys_run(arguments, true, list);
}

/* show ----------------------------------------------------------------------- */

static int show(struct tool *tool)
{
	struct api_key_record record;
	struct state state;
	bool of_file;
	int status = api_keys_find_record(tool, &record, &of_file);
	if (status)
		return status;
	struct limiter *uses = open_uses(tool);
	bool good = look(tool, uses, &record, &state);
	limiter_close(&uses);
	if (!good)
		return api_keys_cannot_read();
	if (tool->arguments->json)
		print_json(&record, &state, of_file);
	else
		print_all(tool, &record, &state, of_file);
	return EX_OK;
}

int authctl_api_keys_show(const struct arguments *arguments)
{
	return api_keys_run(arguments, true, show);
}
