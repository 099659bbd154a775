/* SPDX-License-Identifier: Apache-2.0 */
/* json-c's opinion of what our parser read. */
#ifndef TESTS_JSON_ORACLE_H
#define TESTS_JSON_ORACLE_H

#include "token/json.h"

/* Does json-c read the same values out of the text? */
bool json_oracle_agrees(const struct json *ours, struct str text);

#endif
