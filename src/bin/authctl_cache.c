/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl cache stats` and `cache flush`. */
#include <stdio.h>

#include "bin/authctl_output.h"
#include "bin/authctl_tool.h"
#include "store/generation.h"

static int stats(struct tool *tool)
{
	const struct store_driver *driver = tool->worker.store_driver;
	struct store_cache_size size = {-1, -1};
	if (driver->cache_count && !driver->cache_count(tool->worker.store, &size)) {
		output_error("the cache cannot be read; the log says why");
		return EXIT_FAILED;
	}
	if (tool->arguments->json) {
		struct document document;
		document_begin(&document);
		document_text(&document, "store", str_of(driver->name));
		document_time(&document, "entries", size.entries, -1);
		document_time(&document, "bytes", size.bytes, -1);
		document_end(&document);
	} else if (size.entries < 0) {
		printf("store    %s\nentries  not known: the servers hold them with those of others\n", driver->name);
	} else {
		printf("store    %s\nentries  %lld\nbytes    %lld\n", driver->name, (long long)size.entries,
		       (long long)size.bytes);
	}
	return EX_OK;
}

static int print_flushed(const struct tool *tool, const char *text)
{
	tool_log(tool, "cache_flush", str_of(arguments_value(tool->arguments, OPTION_USER)));
	if (tool->arguments->json) {
		struct document document;
		document_begin(&document);
		document_bool(&document, "flushed", true);
		document_end(&document);
	} else {
		puts(text);
	}
	return EX_OK;
}

static int flush_all(struct tool *tool)
{
	char text[1024];
	struct buf why = buf_over(text, sizeof text - 1);
	if (tool->worker.store_driver->cache_clear(tool->worker.store, &why) &&
	    generation_raise(tool->server->state_dir.value.p, &why))
		return print_flushed(tool, "the cache is empty: every profile is asked for anew");
	output_error("%s", buf_z(&why));
	return EXIT_FAILED;
}

static int flush(struct tool *tool)
{
	const struct arguments *arguments = tool->arguments;
	const char *name = arguments_value(arguments, OPTION_PROFILE), *user = arguments_value(arguments, OPTION_USER);
	struct store_key key;
	if (!name && !user)
		return flush_all(tool);
	if (!name || !user)
		return arguments_wrong(arguments, "--profile and --user go together: whose entry, of which profile?");
	const struct profile_source *source = profiles_find(tool->snapshot, str_of(name));
	if (!source)
		return arguments_wrong(arguments, "the configuration has no [profile \"%s\"]", name);
	if (profile_key(&tool->worker, source, str_of(user), &key) &&
	    tool->worker.store_driver->cache_remove(tool->worker.store, &key) &&
	    generation_announce(tool->server->state_dir.value.p))
		return print_flushed(tool, "the user's profile is asked for anew");
	output_error("the entry cannot be removed; the log says why");
	return EXIT_FAILED;
}

static int run(const struct arguments *arguments, int (*command)(struct tool *tool))
{
	struct tool tool;
	int status = tool_open(arguments, &tool);
	if (status)
		return status;
	status = tool_need_store(&tool) ? command(&tool) : EXIT_FAILED;
	tool_close(&tool);
	return status;
}

int authctl_cache_stats(const struct arguments *arguments)
{
	return run(arguments, stats);
}

int authctl_cache_flush(const struct arguments *arguments)
{
	return run(arguments, flush);
}
