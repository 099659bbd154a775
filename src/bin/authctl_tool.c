/* SPDX-License-Identifier: Apache-2.0 */
/* Opening what a command works with. The worker is put together here rather than
 * by a runtime, because a command must also run where the store cannot be opened. */
#include "bin/authctl_tool.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "bin/authctl_output.h"
#include "policy/absent_store.h"

enum { ARENA_SIZE = 4 << 20 };

static bool begin(const struct arguments *arguments, struct tool *tool, struct conf_error *error)
{
	*tool = (struct tool){.arguments = arguments, .worker = {.store_driver = &absent_store}};
	if (token_start() && arena_open(ARENA_SIZE, &tool->worker.arena) && token_thread_open(0, &tool->worker.token))
		return true;
	snprintf(error->text, sizeof error->text, "no memory, or OpenSSL lacks an algorithm");
	tool_close(tool);
	return false;
}

int tool_load(const struct arguments *arguments, struct tool *out, struct conf_error *error)
{
	struct tool tool;
	if (!begin(arguments, &tool, error))
		return EXIT_FAILED;
	if (!snapshot_open(arguments->config, 1, &tool.snapshot, error)) {
		tool_close(&tool);
		return EX_CONFIG;
	}
	tool.worker.snapshot = tool.snapshot;
	tool.server = tool.snapshot->server;
	struct keys_settings keys = {tool.snapshot->server->state_dir.value.p, false, 1};
	char text[sizeof error->text];
	struct buf why = buf_over(text, sizeof text - 1);
	if (!keys_open(&keys, &tool.worker.keys) || !keys_adopt(tool.worker.keys, &tool.snapshot->issuers, &why) ||
	    !user_records_open(server_records_folder(tool.server), &tool.worker.user_records)) {
		snprintf(error->text, sizeof error->text, "no memory");
		tool_close(&tool);
		return EXIT_FAILED;
	}
	*out = tool;
	return EX_OK;
}

static int load_conf(const struct arguments *arguments, struct tool *out, struct conf_error *error)
{
	struct tool tool;
	if (!begin(arguments, &tool, error))
		return EXIT_FAILED;
	if (!conf_open(arguments->config, runtime_kinds, &tool.conf, error)) {
		tool_close(&tool);
		return EX_CONFIG;
	}
	tool.server = conf_find(tool.conf, &server_kind, STR_NONE);
	*out = tool;
	return EX_OK;
}

static int open_with_log(const struct arguments *arguments, struct tool *out,
			 int (*load)(const struct arguments *arguments, struct tool *out, struct conf_error *error))
{
	/* What is worth a warning is said by `authctl check`. */
	log_open("authctl", &(struct log_settings){LOG_TO_STDERR, LOG_AS_LOGFMT, LOG_ERR});
	struct conf_error error;
	int status = load(arguments, out, &error);
	if (status) {
		output_error("%s", error.text);
		return status;
	}
	const struct server_conf *server = out->server;
	if (server->log != LOG_TO_STDERR)
		log_open("authctl", &(struct log_settings){(enum log_sink)server->log,
							   (enum log_format)server->log_format, server->log_level});
	return EX_OK;
}

int tool_open(const struct arguments *arguments, struct tool *out)
{
	return open_with_log(arguments, out, tool_load);
}

int tool_open_conf(const struct arguments *arguments, struct tool *out)
{
	return open_with_log(arguments, out, load_conf);
}

void tool_close(struct tool *tool)
{
	accounts_close(&tool->worker.accounts);
	user_records_thread_close(&tool->worker.records);
	user_records_close(&tool->worker.user_records);
	fetch_close(&tool->worker.fetch);
	keys_close(&tool->worker.keys);
	if (tool->worker.store)
		tool->worker.store_driver->thread_close(&tool->worker.store);
	if (tool->store)
		tool->worker.store_driver->close(&tool->store);
	snapshot_close(&tool->snapshot);
	conf_close(&tool->conf);
	token_thread_close(&tool->worker.token);
	arena_close(&tool->worker.arena);
}

bool tool_open_store(struct tool *tool)
{
	struct buf why = buf_over(tool->store_why, sizeof tool->store_why - 1);
	const struct snapshot *s = tool->snapshot;
	const char *state_dir = s->server->state_dir.value.p;
	const struct store_driver *driver = stores_open(s->store, state_dir, false, &tool->store, &why);
	if (!driver) {
		buf_z(&why);
		return false;
	}
	if (!driver->thread_open(tool->store, &tool->worker.store)) {
		buf_printf(&why, "the revocations in %s cannot be read: authctl check says more", state_dir);
		buf_z(&why);
		driver->close(&tool->store);
		return false;
	}
	tool->worker.store_driver = driver;
	return true;
}

bool tool_need_store(struct tool *tool)
{
	if (tool_open_store(tool))
		return true;
	output_error("%s", tool->store_why);
	return false;
}

bool tool_need_accounts(struct tool *tool)
{
	char text[1024];
	struct buf why = buf_over(text, sizeof text - 1);
	if (accounts_open(tool->snapshot->server->state_dir.value.p, &tool->worker.accounts, &why))
		return true;
	output_error("%s", buf_z(&why));
	return false;
}

bool tool_login_iss(const struct tool *tool, const struct str **out, size_t *n)
{
	const struct snapshot *snapshot = tool->snapshot;
	*n = 0;
	if (!snapshot->login_issuer)
		return true;
	const struct issuer_conf *conf = conf_find(snapshot->conf, &issuer_kind, issuer_name(snapshot->login_issuer));
	size_t count = conf->iss.n ? conf->iss.n : 1;
	struct str *list = arena_array(tool->worker.arena, count, sizeof *list);
	if (!list) {
		output_error("no memory");
		return false;
	}
	for (size_t i = 0; i < conf->iss.n; i++)
		list[i] = conf->iss.items[i].value;
	*out = list;
	*n = count;
	return true;
}

/* false: standard error is the log, where people read what was printed. */
static bool begin_log(const struct tool *tool, const char *event, struct log_line *line)
{
	if (tool->server->log == LOG_TO_STDERR)
		return false;
	log_begin(line, LOG_NOTICE, event);
	log_field(line, "client", STR("-"));
	log_number(line, "by_uid", getuid());
	return true;
}

void tool_log(const struct tool *tool, const char *event, struct str user)
{
	struct log_line line;
	if (!begin_log(tool, event, &line))
		return;
	log_field(&line, "user", user);
	log_end(&line);
}

void tool_log_key(const struct tool *tool, const char *event, struct str issuer, struct str kid)
{
	struct log_line line;
	if (!begin_log(tool, event, &line))
		return;
	log_field(&line, "issuer", issuer);
	log_field(&line, "kid", kid);
	log_end(&line);
}
