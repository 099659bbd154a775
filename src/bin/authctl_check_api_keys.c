/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check`: which policies take API keys, and how many are known. */
#include "bin/authctl_check.h"

struct count {
	struct checkup *checkup;
	size_t n, foreign;
};

static bool count_record(void *context, const struct store_key *key, struct str text, int64_t expires)
{
	struct count *count = context;
	struct tool *tool = &count->checkup->tool;
	(void)key;
	(void)expires;
	if (api_key_is_sealed(tool->worker.token, &tool->snapshot->api_keys, text))
		count->n++;
	else
		count->foreign++;
	return true;
}

static bool takes_keys(const struct policy *policy)
{
	for (size_t i = 0; i < policy->sources.n_carriers; i++)
		if (policy->sources.carriers[i] == CARRIER_API_KEY)
			return true;
	return false;
}

/* The names of those that do: "api", "hooks". */
static void list_policies(const struct snapshot *snapshot, struct buf *out)
{
	for (size_t i = 0; i < snapshot->n_policies; i++)
		if (takes_keys(&snapshot->policies[i]))
			buf_printf(out, "%s\"%.*s\"", out->n ? ", " : "", STR_ARGS(snapshot->policies[i].name));
}

void check_api_keys(struct checkup *checkup)
{
	const struct snapshot *snapshot = checkup->tool.snapshot;
	struct worker *worker = &checkup->tool.worker;
	struct count count = {.checkup = checkup};
	char memory[512];
	struct buf policies = buf_over(memory, sizeof memory - 1);
	const struct api_key_settings *settings = &snapshot->api_keys;
	list_policies(snapshot, &policies);
	bool known = worker->store && !worker->store_driver->record_list(worker->store, count_record, &count);
	size_t n = settings->n_lines + count.n;
	if (policies.n == 0 && n == 0)
		return;
	if (!known)
		check_line(checkup, CHECK_FAILED, "api-keys",
			   "those in the store cannot be read; look at the log and "
			   "the disk");
	else if (policies.n == 0)
		check_line(
			checkup, CHECK_WARNING, "api-keys",
			"there are keys (%zu), but no policy takes them: write token-from = bearer, cookie, api-key "
			"into the policy that shall",
			n);
	else if (n == 0)
		check_line(checkup, CHECK_WARNING, "api-keys",
			   "policies take them (%s), but there is none; make one: authctl api-keys add --owner ID",
			   buf_z(&policies));
	else
		check_line(checkup, CHECK_OK, "api-keys",
			   "policies: %s; header %.*s, prefix %.*s; keys in the file: %zu, in the store: %zu",
			   buf_z(&policies), STR_ARGS(settings->header), STR_ARGS(settings->prefix),
			   settings->n_lines, count.n);
	if (count.foreign)
		check_line(checkup, CHECK_WARNING, "api-keys",
			   "the store has records that no secret of [api-keys] has signed (%zu): they are good for "
			   "nothing; name the secret they were signed with behind the new one",
			   count.foreign);
}
