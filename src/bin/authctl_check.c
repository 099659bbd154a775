/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check`: everything that can be judged without a running web server,
 * one line for each thing; what takes one is in authctl_live.c. */
#include "bin/authctl_check.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/secret.h"
#include "bin/authctl_output.h"
#include "store/generation.h"
#include "token/algorithm.h"

/* 2024-01-01: before that no clock is right. */
#define CLOCK_LEAST INT64_C(1704067200)

static const char *const words[] = {[CHECK_OK] = "ok", [CHECK_WARNING] = "warning", [CHECK_FAILED] = "FAILED",
				   [CHECK_SKIPPED] = "skipped"};

static void print_document(enum check_result result, const char *what, struct str text,
			   const struct check_detail *detail)
{
	struct document document;
	document_begin(&document);
	document_text(&document, "result", str_of(words[result]));
	document_text(&document, "what", str_of(what));
	document_text(&document, "text", text);
	if (detail->url.p)
		document_text(&document, "url", detail->url);
	if (detail->remedy.p)
		document_text(&document, "remedy", detail->remedy);
	document_end(&document);
}

void check_print(struct checkup *checkup, enum check_result result, const char *what, struct str text,
		 const struct check_detail *detail)
{
	checkup->failed = checkup->failed || result == CHECK_FAILED;
	if (checkup->tool.arguments->json) {
		print_document(result, what, text, detail);
		return;
	}
	printf("%-8s %-14s ", words[result], what);
	if (detail->url.p) {
		output_text(detail->url);
		fputs(": ", stdout);
	}
	output_text(text);
	if (detail->remedy.p) {
		fputs("; ", stdout);
		output_text(detail->remedy);
	}
	putchar('\n');
}

void check_line(struct checkup *checkup, enum check_result result, const char *what, const char *format, ...)
{
	char text[1536];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	check_print(checkup, result, what, str_of(text), &(struct check_detail){STR_NONE, STR_NONE});
}

/* Keys ------------------------------------------------------------------- */

/* The issuer is open already: what is wrong with a key has been said. Here is
 * what is allowed and yet not good. */
static void check_secret(struct checkup *checkup, const struct conf_section *section, const struct conf_text *where)
{
	const struct issuer_conf *conf = section->values;
	char memory[512], what[96];
	struct buf why = buf_over(memory, sizeof memory - 1);
	struct arena *arena;
	struct str secret = STR_NONE, spec = where->value;
	snprintf(what, sizeof what, "issuer \"%.*s\"", STR_ARGS(section->name));
	if (!arena_open(3 * SECRET_MAX, &arena) || !secret_load(arena, spec, &secret, &why)) {
		check_line(checkup, CHECK_FAILED, what, "%s:%u: secret: %s", where->file, where->line,
			   why.n ? buf_z(&why) : "no memory");
		arena_close(&arena);
		return;
	}
	bool text = str_starts(spec, STR("text:"));
	struct str source = text ? STR("text:…") : spec;
	check_line(checkup, CHECK_OK, what, "secret %.*s, %zu bytes", STR_ARGS(source), secret.n);
	if (text)
		check_line(checkup, CHECK_WARNING, what,
			   "%s:%u: secret: stands in the configuration itself; put it into a file of its own, mode "
			   "0400, and write secret = file:PATH",
			   where->file, where->line);
	for (size_t i = 0; i < conf->algorithms.n; i++) {
		const struct algorithm *algorithm = algorithm_find(conf->algorithms.items[i].value, ALGORITHM_ALL);
		if (algorithm && algorithm->family == KEY_HMAC && secret.n < algorithm->key_size)
			check_line(checkup, CHECK_WARNING, what,
				   "%s:%u: secret: has %zu bytes, %s wants %zu (RFC 7518 section 3.2) and it can be "
				   "guessed; make a new one on both sides: authctl secret generate",
				   where->file, where->line, secret.n, algorithm->name, algorithm->key_size);
	}
	arena_close(&arena);
}

struct key_check {
	struct checkup *checkup;
	const struct issuer_conf *conf;
	const char *what;
};

/* Where a key comes from: secrets stand beside public keys in one type alone. */
static struct str source_of(const struct issuer_conf *conf, const struct issuer_key *key)
{
	const struct algorithm *algorithm = algorithm_find(str_of(key->algorithm), ALGORITHM_ALL);
	if (conf->secret.n > 0 && (!algorithm || algorithm->family == KEY_HMAC))
		return STR("secret");
	if (conf->key_ring.value.p)
		return conf->key_ring.value;
	return conf->jwks.value.p ? conf->jwks.value : STR("public-key");
}

static void check_key(void *context, const struct issuer_key *key)
{
	const struct key_check *c = context;
	struct str source = source_of(c->conf, key);
	check_line(c->checkup, CHECK_OK, c->what, "key for %s, %s%.*s%s, %zu bits, from %.*s", key->algorithm,
		   key->kid.p ? "kid \"" : "any kid", STR_ARGS(key->kid), key->kid.p ? "\"" : "", key->bits,
		   STR_ARGS(source));
}

static void check_issuer(struct checkup *checkup, const struct conf_section *section, const struct issuer *issuer)
{
	const struct issuer_conf *conf = section->values;
	struct issuer_wants wants = issuer_wants(issuer);
	char what[96], text[512];
	struct buf names = buf_over(text, sizeof text - 1);
	snprintf(what, sizeof what, "issuer \"%.*s\"", STR_ARGS(section->name));
	for (size_t i = 0; algorithm_at(i); i++)
		if (algorithm_has(wants.algorithms, algorithm_at(i)))
			buf_printf(&names, "%s%s", names.n ? ", " : "", algorithm_at(i)->name);
	for (size_t i = 0; encryption_at(i); i++)
		if (encryption_find(str_of(encryption_at(i)->name), wants.encryptions))
			buf_printf(&names, "%s%s", names.n ? ", " : "", encryption_at(i)->name);
	check_line(checkup, CHECK_OK, what, "type %s, algorithms %s", wants.type, buf_z(&names));
	for (size_t i = 0; i < conf->secret.n; i++)
		check_secret(checkup, section, &conf->secret.items[i]);
	issuer_each_key(issuer, check_key, &(struct key_check){checkup, conf, what});
}

static void check_issuers(struct checkup *checkup)
{
	const struct snapshot *snapshot = checkup->tool.snapshot;
	if (snapshot->issuers.n == 0)
		check_line(checkup, CHECK_WARNING, "issuers",
			   "there is none: no token will be accepted; add [issuer \"NAME\"]");
	for (const struct conf_section *s = snapshot->conf->sections; s; s = s->next)
		if (s->kind == &issuer_kind)
			check_issuer(checkup, s, snapshot_issuer(snapshot, s->name));
}

static void check_policies(struct checkup *checkup)
{
	const struct snapshot *snapshot = checkup->tool.snapshot;
	if (snapshot->n_policies == 0)
		check_line(checkup, CHECK_WARNING, "policies", "there is none: nobody gets in; add [policy \"NAME\"]");
	for (size_t i = 0; i < snapshot->n_policies; i++) {
		const struct policy *policy = &snapshot->policies[i];
		char what[96];
		snprintf(what, sizeof what, "policy \"%.*s\"", STR_ARGS(policy->name));
		check_line(checkup, CHECK_OK, what, "paths: %zu, issuers: %zu, rules: %zu, attributes: %zu",
			   policy->conf->path.n, policy->issuers.n, policy->n_rules, policy->n_attributes);
	}
	if (snapshot->login_issuer)
		check_line(checkup, CHECK_OK, "login", "issuer \"%.*s\" signs the tokens of local accounts",
			   STR_ARGS(issuer_name(snapshot->login_issuer)));
	else
		check_line(checkup, CHECK_OK, "login", "no issuer signs: local accounts cannot log in");
}

static void check_breached(struct checkup *checkup)
{
	enum { PLACES = 4096 };
	const struct snapshot *snapshot = checkup->tool.snapshot;
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory - 1);
	if (!snapshot->breached)
		return;
	if (breached_check(snapshot->breached, PLACES, &why))
		check_line(checkup, CHECK_OK, "breached-passwords", "%s is in order at %d places",
			   snapshot->login->breached_passwords.value.p, PLACES);
	else
		check_line(checkup, CHECK_FAILED, "breached-passwords", "%s", buf_z(&why));
}

/* Stores ----------------------------------------------------------------- */

static void check_state_dir(struct checkup *checkup)
{
	const char *path = checkup->tool.snapshot->server->state_dir.value.p;
	struct stat st;
	if (stat(path, &st) != 0)
		check_line(checkup, CHECK_FAILED, "state-dir",
			   "%s is not there or cannot be reached; make it: install -d -m 2770 -o USER -g GROUP %s",
			   path, path);
	else if (st.st_mode & S_IWOTH)
		check_line(checkup, CHECK_FAILED, "state-dir",
			   "%s can be written by everybody (mode %04o): chmod o= %s", path,
			   (unsigned)st.st_mode & 07777, path);
	else
		check_line(checkup, CHECK_OK, "state-dir", "%s (uid %u, gid %u, mode %04o)", path, (unsigned)st.st_uid,
			   (unsigned)st.st_gid, (unsigned)st.st_mode & 07777);
}

static bool count_entry(void *context, const struct store_entry *entry)
{
	(void)entry;
	++*(size_t *)context;
	return true;
}

/* A line of a driver's description; it begins with "ok " or "bad ". */
static bool check_described(void *context, struct str line)
{
	bool good = str_starts(line, STR("ok "));
	struct str text = str_skip(line, good ? 3 : str_starts(line, STR("bad ")) ? 4 : 0);
	check_line(context, good ? CHECK_OK : CHECK_FAILED, "hosts", "%.*s", STR_ARGS(text));
	return true;
}

static void check_store(struct checkup *checkup)
{
	struct tool *tool = &checkup->tool;
	struct worker *worker = &tool->worker;
	char text[1024];
	struct buf why = buf_over(text, sizeof text - 1);
	size_t n = 0;
	if (!tool_open_store(tool))
		check_line(checkup, CHECK_FAILED, "revocations", "%s", tool->store_why);
	else if (!worker->store_driver->check(worker->store, &why))
		check_line(checkup, CHECK_FAILED, "revocations", "%s", buf_z(&why));
	else if (worker->store_driver->list(worker->store, clock_now(), count_entry, &n))
		check_line(checkup, CHECK_FAILED, "revocations", "cannot be listed; look at the log and the disk");
	else
		check_line(checkup, CHECK_OK, "revocations", "the store is whole (revocations held: %zu)", n);
	if (worker->store)
		worker->store_driver->describe(worker->store, check_described, checkup);
}

static void check_page(struct checkup *checkup)
{
	char text[1024];
	struct buf why = buf_over(text, sizeof text - 1);
	bool good = generation_check(checkup->tool.snapshot->server->state_dir.value.p, &why);
	check_line(checkup, good ? CHECK_OK : CHECK_FAILED, "web servers", "%s",
		   good ? "those that keep verdicts learn of each change" : buf_z(&why));
}

static bool count_account(void *context, const struct account *account)
{
	(void)account;
	++*(size_t *)context;
	return true;
}

static void check_accounts(struct checkup *checkup)
{
	struct tool *tool = &checkup->tool;
	char text[1024];
	struct buf why = buf_over(text, sizeof text - 1);
	size_t n = 0;
	if (!accounts_open(tool->snapshot->server->state_dir.value.p, &tool->worker.accounts, &why) ||
	    !accounts_check(tool->worker.accounts, &why))
		check_line(checkup, CHECK_FAILED, "accounts", "%s", buf_z(&why));
	else if (accounts_list(tool->worker.accounts, count_account, &n))
		check_line(checkup, CHECK_FAILED, "accounts", "cannot be listed; look at the log and the disk");
	else
		check_line(checkup, CHECK_OK, "accounts", "the store is whole (accounts: %zu)", n);
}

static bool count_record(void *context, const struct user_record *record)
{
	(void)record;
	++*(size_t *)context;
	return true;
}

static void check_user_records(struct checkup *checkup)
{
	struct tool *tool = &checkup->tool;
	char text[1024];
	struct buf why = buf_over(text, sizeof text - 1);
	bool wanted = false;
	size_t n = 0;
	for (size_t i = 0; i < tool->snapshot->n_policies; i++)
		wanted = wanted || tool->snapshot->policies[i].conf->local_user;
	if (!wanted)
		return;
	struct user_records_thread *records = worker_user_records(&tool->worker);
	if (!records || !user_records_check(records, &why))
		check_line(checkup, CHECK_FAILED, "user-records", "%s", records ? buf_z(&why) : "no memory");
	else if (user_records_list(records, count_record, &n))
		check_line(checkup, CHECK_FAILED, "user-records", "cannot be listed; look at the log and the disk");
	else
		check_line(checkup, CHECK_OK, "user-records", "the store is whole (users seen: %zu)", n);
}

static void check_clock(struct checkup *checkup)
{
	char date[OUTPUT_DATE_SIZE], changed[OUTPUT_DATE_SIZE];
	int64_t now = clock_now();
	struct stat st = {0};
	output_date(now, date);
	if (stat(checkup->tool.snapshot->conf->path, &st) == 0 && st.st_mtim.tv_sec > now + 60)
		check_line(checkup, CHECK_WARNING, "clock",
			   "it is %s, but the configuration was changed at %s: was the clock set back? tokens are "
			   "judged by it",
			   date, output_date(st.st_mtim.tv_sec, changed));
	if (now < CLOCK_LEAST)
		check_line(checkup, CHECK_FAILED, "clock",
			   "it is %s, which cannot be: expired tokens would be good; set it (timedatectl set-ntp true)",
			   date);
	else
		check_line(checkup, CHECK_OK, "clock", "%s", date);
}

int authctl_check(const struct arguments *arguments)
{
	struct checkup checkup = {.tool.arguments = arguments};
	struct check_capture capture;
	struct conf_error error;
	int status = check_live_arguments(arguments);
	if (status)
		return status;
	check_capture_begin(&capture);
	status = tool_load(arguments, &checkup.tool, &error);
	check_capture_end(&capture, &checkup);
	if (status) {
		check_line(&checkup, CHECK_FAILED, "configuration", "%s", error.text);
		return status;
	}
	check_line(&checkup, CHECK_OK, "configuration", "%s (files read: %zu)", checkup.tool.snapshot->conf->path,
		   checkup.tool.snapshot->conf->files.n);
	check_issuers(&checkup);
	check_keys(&checkup);
	check_profiles(&checkup);
	check_upstream(&checkup);
	check_policies(&checkup);
	check_breached(&checkup);
	check_state_dir(&checkup);
	check_capture_begin(&capture);
	check_store(&checkup);
	check_page(&checkup);
	check_accounts(&checkup);
	check_user_records(&checkup);
	check_api_keys(&checkup);
	check_capture_end(&capture, &checkup);
	check_users(&checkup);
	check_clock(&checkup);
	status = check_live(&checkup);
	tool_close(&checkup.tool);
	return status ? status : checkup.failed ? EXIT_FAILED : EX_OK;
}
