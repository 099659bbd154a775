/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords that were stolen somewhere: a file of their SHA-1 hashes in rising order, as
 * the public list has it. It is searched where it lies; nothing of it is kept in memory. */
#ifndef POLICY_BREACHED_H
#define POLICY_BREACHED_H

#include "base/str.h"

struct breached;

/* A line is 40 hexadecimal digits, and may go on with ':' and a count. false: why says what is
 * wrong with the file, after its path and line where that is one. */
bool breached_open(const char *path, struct breached **out, struct buf *why);
void breached_close(struct breached **breached);

enum breached_answer { BREACHED_NO, BREACHED_YES, BREACHED_FAILED };

/* Any thread. BREACHED_FAILED: the file cannot be read or is damaged; the log says it. */
enum breached_answer breached_find(const struct breached *breached, struct str password);
/* Are lines at so many places of the file, and at its ends, in order? false: why says where not. */
bool breached_check(const struct breached *breached, unsigned places, struct buf *why);

#endif
