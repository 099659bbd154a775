/* SPDX-License-Identifier: Apache-2.0 */
/* Rate-limited log lines of the transports, one per kind and period. */
#include "web/complaint.h"

#include "base/clock.h"
#include "base/log.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60000 };

static const struct {
	int level;
	int period_ms;
	const char *text;
} rows[COMPLAINT_COUNT] = {
	[COMPLAINT_BROKEN] = {LOG_NOTICE, SECOND_MS, "connection closed: broken request"},
	[COMPLAINT_DEADLINE] = {LOG_NOTICE, SECOND_MS, "connection closed: too slow"},
	[COMPLAINT_CONNECTIONS] = {LOG_WARNING, MINUTE_MS, "max-connections reached"},
	[COMPLAINT_DESCRIPTORS] = {LOG_ERR, MINUTE_MS, "no descriptor for a new connection"},
	[COMPLAINT_MEMORY] = {LOG_ERR, SECOND_MS, "connection closed: no memory"},
	[COMPLAINT_OVERLOADED] = {LOG_WARNING, SECOND_MS, "requests waited too long for a worker"},
	[COMPLAINT_REPLY] = {LOG_ERR, SECOND_MS, "connection closed: no complete reply"},
	[COMPLAINT_DRAIN] = {LOG_WARNING, SECOND_MS, "connection closed: drain-timeout is over"},
};

void complaint_add(struct complaints *complaints, enum complaint_kind kind, const char *detail)
{
	uint64_t count = atomic_fetch_add(&complaints->kind[kind].count, 1) + 1;
	int64_t now = clock_monotonic_ms();
	int64_t silent_until = atomic_load(&complaints->kind[kind].silent_until_ms);
	if (now < silent_until ||
	    !atomic_compare_exchange_strong(&complaints->kind[kind].silent_until_ms, &silent_until,
					    now + rows[kind].period_ms))
		return;
	log_text(rows[kind].level, "transport", "%s%s%s (%llu until now)", rows[kind].text, detail ? ": " : "",
		 detail ? detail : "", (unsigned long long)count);
}
