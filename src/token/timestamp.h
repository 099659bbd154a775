/* SPDX-License-Identifier: Apache-2.0 */
/* Times as text: what JavaScript's Date prints, "2026-11-27T11:42:21.002Z". */
#ifndef TOKEN_TIMESTAMP_H
#define TOKEN_TIMESTAMP_H

#include "base/str.h"

/* RFC 3339 in UTC, from 1970 to 9999: "T" and "Z" in capitals, any fraction,
 * rounded down to seconds since 1970; no leap second. false: anything else. */
bool timestamp_parse(struct str text, int64_t *out);
/* For people: "2026-11-27 11:42 UTC". false: beyond these years; nothing is printed. */
bool timestamp_print_minute(int64_t seconds, struct buf *out);

#endif
