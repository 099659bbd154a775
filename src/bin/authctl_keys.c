/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl keys add`, `promote` and `retire`: what changes a key ring. Only the
 * configuration is read, not its keys: a ring that is missing or bad must not
 * stand in the way of mending it. */
#include "bin/authctl_keys.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "bin/authctl_output.h"
#include "store/generation.h"

/* The issuer and its ring ------------------------------------------------- */

static const struct conf_section *find_issuer(const struct tool *tool, struct str name, size_t *n)
{
	const struct conf_section *found = NULL;
	*n = 0;
	for (const struct conf_section *c = tool->conf->sections; c; c = c->next) {
		if (c->kind != &issuer_kind || (name.p && !str_eq(c->name, name)))
			continue;
		found = c;
		++*n;
	}
	return found;
}

/* The one that is named, else the login's, else the only one there is. */
static int choose_issuer(struct keys *keys)
{
	const struct tool *tool = &keys->tool;
	const struct login_conf *login = conf_find(tool->conf, &login_kind, STR_NONE);
	struct str name = str_of(arguments_value(tool->arguments, OPTION_ISSUER));
	size_t n;
	if (!name.p)
		name = login->issuer.value;
	keys->section = find_issuer(tool, name, &n);
	if (name.p && n == 0)
		return arguments_wrong(tool->arguments, "the configuration has no [issuer \"%.*s\"]", STR_ARGS(name));
	if (n != 1)
		return arguments_wrong(tool->arguments, "the configuration has %zu issuers: choose by --issuer NAME",
				       n);
	keys->issuer = keys->section->values;
	return EX_OK;
}

static int find_ring(struct keys *keys)
{
	struct str spec = keys->issuer->key_ring.value;
	struct conf_error error;
	if (!spec.p)
		conf_fail(&error, keys->section, "key-ring", "is missing: write key-ring = file:PATH");
	else if (!str_starts(spec, STR("file:")))
		conf_fail(&error, keys->section, "key-ring",
			  "authctl changes a ring that is given as file:PATH; what systemd passes on as credential is "
			  "a copy");
	else
		keys->path = secret_path(keys->tool.worker.arena, spec).p;
	if (keys->path)
		return EX_OK;
	output_error("%s", spec.p && str_starts(spec, STR("file:")) ? "no memory" : error.text);
	return EX_CONFIG;
}

static int fail(struct buf *why)
{
	output_error("%s", buf_z(why));
	return EXIT_FAILED;
}

int keys_lock(struct keys *keys)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	struct str text;
	if (!ring_file_lock(keys->path, keys->tool.server->state_dir.value.p, &keys->file, &why))
		return fail(&why);
	bool good = ring_file_read(&keys->file, keys->tool.worker.arena, &text, &why);
	if (good && !ring_read(keys->tool.worker.arena, text, &keys->ring, &why)) {
		output_error("%s: %s", keys->path, buf_z(&why));
		keys_unlock(keys);
		return EXIT_FAILED;
	}
	if (good)
		return EX_OK;
	keys_unlock(keys);
	return fail(&why);
}

void keys_unlock(struct keys *keys)
{
	ring_file_unlock(&keys->file);
}

static int print_ring(struct keys *keys, struct str *out)
{
	struct buf text = arena_buf(keys->tool.worker.arena, SECRET_MAX);
	ring_print(&keys->ring, &text);
	*out = buf_str(&text);
	if (!text.full)
		return EX_OK;
	output_error("%s: the ring would have more than %d bytes: retire keys first", keys->path, SECRET_MAX);
	return EXIT_FAILED;
}

/* A site that is being set up may have no state-dir yet: then no program has run. */
static bool tell_web_servers(const struct keys *keys, struct buf *why)
{
	const char *state_dir = keys->tool.server->state_dir.value.p;
	return (access(state_dir, F_OK) != 0 && errno == ENOENT) || generation_raise(state_dir, why);
}

int keys_write(struct keys *keys)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	struct str text;
	int status = print_ring(keys, &text);
	if (!status && !ring_file_write(&keys->file, text, &why))
		status = fail(&why);
	else if (!status && !tell_web_servers(keys, &why)) {
		output_error("%s: the ring is written, but web servers may go on with what they know: %s", keys->path,
			     buf_z(&why));
		status = EXIT_FAILED;
	}
	return status;
}

/* Does the issuer take the ring as it would be written? */
static int check_ring(struct keys *keys)
{
	char memory[1024];
	struct buf why = buf_over(memory, sizeof memory);
	struct algorithm_set allowed;
	struct key_set set;
	struct str text;
	int status = keys_algorithms(keys, &allowed);
	if (!status)
		status = print_ring(keys, &text);
	if (status)
		return status;
	key_set_begin(&set);
	bool good = key_set_add_ring(&set, allowed, keys->issuer->allow_short_secret, text, &why);
	key_set_close(&set);
	if (good)
		return EX_OK;
	output_error("%s: the programs would refuse the ring, so it stays as it was: %s", keys->path, buf_z(&why));
	return EXIT_FAILED;
}

static int run(const struct arguments *arguments, int (*command)(struct keys *keys))
{
	struct keys keys = {0};
	int status = tool_open_conf(arguments, &keys.tool);
	if (status)
		return status;
	status = choose_issuer(&keys);
	if (!status)
		status = find_ring(&keys);
	if (!status)
		status = command(&keys);
	tool_close(&keys.tool);
	return status;
}

/* What was done ------------------------------------------------------------ */

static void done(const struct keys *keys, const char *act, const struct ring_key *key, size_t rank)
{
	char event[32];
	snprintf(event, sizeof event, "key_%s", act);
	tool_log_key(&keys->tool, event, keys->section->name, key->kid);
	if (!keys->tool.arguments->json)
		return;
	struct document document;
	document_begin(&document);
	document_text(&document, "act", str_of(act));
	document_text(&document, "issuer", keys->section->name);
	document_text(&document, "kid", key->kid);
	document_text(&document, "algorithm", key->alg);
	document_number(&document, "bits", key->bits);
	if (rank < keys->ring.n) {
		document_number(&document, "rank", (int64_t)rank + 1);
		document_bool(&document, "signs", rank == 0);
	}
	document_text(&document, "ring", str_of(keys->path));
	document_end(&document);
}

/* "8h", as the configuration would have it. */
static const char *print_lifetime(const struct keys *keys, char memory[32])
{
	static const struct {
		int64_t seconds;
		char letter;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	const struct login_conf *login = conf_find(keys->tool.conf, &login_kind, STR_NONE);
	int64_t seconds = login->lifetime / 1000;
	size_t unit = 0;
	while (seconds % units[unit].seconds)
		unit++;
	snprintf(memory, 32, "%lld%c", (long long)(seconds / units[unit].seconds), units[unit].letter);
	return memory;
}

/* Commands ------------------------------------------------------------------ */

static int insert(struct keys *keys, const struct ring_key *key, size_t *rank)
{
	char memory[256];
	struct buf why = buf_over(memory, sizeof memory);
	bool first = arguments_value(keys->tool.arguments, OPTION_FIRST) != NULL;
	*rank = first ? 0 : keys->ring.n;
	if (!ring_add(&keys->ring, keys->tool.worker.arena, *rank, key, &why)) {
		output_error("%s: %s", keys->path, buf_z(&why));
		return EXIT_FAILED;
	}
	int status = check_ring(keys);
	return status ? status : keys_write(keys);
}

/* The key is made before the lock is asked for: that may take a while. */
static int add(struct keys *keys)
{
	struct ring_key key;
	size_t rank;
	int status = keys_make(keys, &key);
	if (!status)
		status = keys_lock(keys);
	if (status)
		return status;
	key.added = clock_now();
	status = insert(keys, &key, &rank);
	if (!status) {
		done(keys, "add", &key, rank);
		if (!keys->tool.arguments->json)
			printf("%.*s\n", STR_ARGS(key.kid));
	}
	keys_unlock(keys);
	return status;
}

static int find_key(const struct keys *keys, size_t *rank)
{
	*rank = ring_find(&keys->ring, str_of(keys->tool.arguments->operands[0]));
	if (*rank < keys->ring.n)
		return EX_OK;
	output_error("%s has no key with this kid (all: authctl keys list)", keys->path);
	return EXIT_FAILED;
}

/* Not before all programs have the key: one that has not would refuse what another signs with it. */
static int check_settled(const struct keys *keys, const struct ring_key *key)
{
	int64_t age = clock_now() - key->added;
	if (key->added == RING_TIME_ABSENT || age >= KEYS_SETTLE_SECONDS ||
	    arguments_value(keys->tool.arguments, OPTION_AT_ONCE))
		return EX_OK;
	output_error("the key has just been added: a program that has not read it yet would refuse tokens signed with "
		     "it; give the command again in %lld s, or with --at-once where that does no harm",
		     (long long)(KEYS_SETTLE_SECONDS - age));
	return EXIT_FAILED;
}

static void tell_promoted(const struct keys *keys)
{
	char lifetime[32];
	if (keys->tool.arguments->json)
		return;
	fputs("signs from now on: ", stdout);
	output_text(keys->ring.keys[0].kid);
	putchar('\n');
	if (keys->ring.n < 2)
		return;
	fputs("to be retired when its last token has expired: ", stdout);
	output_text(keys->ring.keys[1].kid);
	printf(", not before %s from now (lifetime of [login]; a token of authctl token issue --lifetime may last "
	       "longer)\n",
	       print_lifetime(keys, lifetime));
}

static int promote_locked(struct keys *keys)
{
	size_t rank;
	int status = find_key(keys, &rank);
	if (!status && rank > 0)
		status = check_settled(keys, &keys->ring.keys[rank]);
	if (status)
		return status;
	if (rank > 0) {
		ring_promote(&keys->ring, rank);
		status = keys_write(keys);
	}
	if (!status) {
		done(keys, "promote", &keys->ring.keys[0], 0);
		tell_promoted(keys);
	}
	return status;
}

static int retire_locked(struct keys *keys)
{
	size_t rank;
	int status = find_key(keys, &rank);
	if (status)
		return status;
	struct ring_key key = keys->ring.keys[rank];
	if (rank == 0) {
		output_error(keys->ring.n == 1 ? "this is the only key of the ring: add another and promote it first"
					       : "this key signs: promote another first");
		return EXIT_FAILED;
	}
	ring_retire(&keys->ring, rank);
	status = keys_write(keys);
	if (status)
		return status;
	done(keys, "retire", &key, keys->ring.n);
	if (!keys->tool.arguments->json) {
		fputs("retired: ", stdout);
		output_text(key.kid);
		puts("; in a few seconds the tokens that it signed are refused");
	}
	return EX_OK;
}

static int locked(struct keys *keys, int (*command)(struct keys *keys))
{
	int status = keys_lock(keys);
	if (status)
		return status;
	status = command(keys);
	keys_unlock(keys);
	return status;
}

static int promote(struct keys *keys)
{
	return locked(keys, promote_locked);
}

static int retire(struct keys *keys)
{
	return locked(keys, retire_locked);
}

int authctl_keys_add(const struct arguments *arguments)
{
	return run(arguments, add);
}

int authctl_keys_promote(const struct arguments *arguments)
{
	return run(arguments, promote);
}

int authctl_keys_retire(const struct arguments *arguments)
{
	return run(arguments, retire);
}
