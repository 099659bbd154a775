/* SPDX-License-Identifier: Apache-2.0 */
/* What a person calls the program behind a header User-Agent. */
#ifndef POLICY_AGENT_H
#define POLICY_AGENT_H

#include "base/arena.h"

/* "Firefox, Linux"; of a program that is no browser its name alone; STR_NONE when
 * nothing is known of it. Names are the same in all languages. */
struct str agent_name(struct arena *arena, struct str agent);

#endif
