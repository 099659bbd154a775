/* SPDX-License-Identifier: Apache-2.0 */
/* Which verdicts a web server may keep and use again without asking, for how long and
 * for which requests. It looks at the page of changes (store/generation.h) each time, so
 * a change ends them at once: here is what ends by time, and what nobody may keep. */
#ifndef POLICY_VERDICT_CACHE_H
#define POLICY_VERDICT_CACHE_H

#include "policy/verify.h"

struct verdict_hold {
	int64_t seconds;  /* 0: it may not be kept */
	bool every_path;  /* for all that the web server asks under this policy; else for the same target alone */
};

/* Of an allow, for a web server that has asked for it (AUTH_CACHE_WANTED = 1) and keys
 * what it keeps by policy, host, scheme, Authorization and Cookie. The process must notice
 * when files change, runtime_watches(). */
struct verdict_hold verdict_cache_hold(const struct snapshot *snapshot, const struct request *request,
				       const struct verdict *verdict);

#endif
