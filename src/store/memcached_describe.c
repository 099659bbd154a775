/* SPDX-License-Identifier: Apache-2.0 */
/* How the farm looks from this host, a line for each server and host. */
#include "base/clock.h"
#include "store/memcached.h"

enum { BEAT_MS = 2000, SILENT_MS = 5000, LINE_SIZE = 512 };

static bool describe_link(struct farm *farm, struct buf *line)
{
	int64_t beat = atomic_load(&farm_page(farm)->beat);
	bool linked = beat != 0 && clock_boot_ms() - beat < BEAT_MS;
	if (linked)
		buf_add(line, STR("ok this host is "));
	else
		buf_add(line, STR("bad no program of this host keeps the link with the others: start one that goes on"
				  " running, say auth-verify; this host is "));
	farm_id_print(line, farm->host);
	return linked;
}

static void describe_server(struct farm *farm, size_t i, bool linked, struct buf *line)
{
	const struct farm_page_server *s = &farm_page(farm)->servers[i];
	enum farm_health health = atomic_load(&s->health);
	int64_t now = clock_boot_ms();
	uint64_t waits_for = atomic_load(&s->waits_for);
	bool trusted = linked && atomic_load(&s->trusted_until) > now;
	buf_printf(line, "%s memcached %.*s ", trusted ? "ok" : "bad", STR_ARGS(farm->addresses[i]));
	if (!linked) {
		buf_add(line, STR("is not looked after"));
		return;
	}
	buf_add(line, str_of(farm_health_text(health)));
	if (trusted) {
		buf_add(line, STR("; its answers count"));
	} else if (health == FARM_GOOD && waits_for) {
		buf_add(line, STR("; its answers do not count: they may lack what host "));
		farm_id_print(line, waits_for);
		buf_add(line, STR(" has revoked"));
	} else if (health == FARM_GOOD) {
		buf_add(line, STR("; its answers do not count yet"));
	}
}

static const char *text_of(enum farm_state state)
{
	return state == FARM_RESTING ? "has ended in good order" : state == FARM_WHOLE ? "runs" : "is joining";
}

/* One that is silent is no fault of this host: the servers' lines tell what follows. */
static bool describe_host(struct farm *farm, size_t i, struct buf *line)
{
	struct farm_known known;
	farm_page_get_host(farm_page(farm), i, &known);
	if (known.id == 0 || known.sequence == 0)
		return false;
	int64_t silent = clock_boot_ms() - known.changed_at;
	bool good = silent < SILENT_MS || known.state == FARM_RESTING || silent >= farm->host_timeout_ms;
	buf_printf(line, "%s host ", good && !known.other_list ? "ok" : "bad");
	farm_id_print(line, known.id);
	buf_printf(line, " %s, last seen %lld s ago", silent < SILENT_MS || known.state == FARM_RESTING
							      ? text_of(known.state)
							      : "is silent",
		   (long long)(silent / 1000));
	if (silent >= farm->host_timeout_ms)
		buf_add(line, STR(", not waited for any more (host-timeout)"));
	if (known.other_list)
		buf_add(line, STR("; it has other servers than this host: "
				  "[store] memcached must be the same everywhere"));
	return true;
}

void memcached_describe(struct store_thread *thread, bool (*each)(void *context, struct str line), void *context)
{
	struct farm *farm = thread->store->farm;
	char memory[LINE_SIZE];
	struct buf line = buf_over(memory, sizeof memory);
	bool linked = describe_link(farm, &line), more = each(context, buf_str(&line));
	for (size_t i = 0; more && i < farm->servers; i++) {
		line.n = 0;
		describe_server(farm, i, linked, &line);
		more = each(context, buf_str(&line));
	}
	for (size_t i = 0; more && i < FARM_HOSTS_MAX; i++) {
		line.n = 0;
		if (describe_host(farm, i, &line))
			more = each(context, buf_str(&line));
	}
}
