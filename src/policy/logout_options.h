/* SPDX-License-Identifier: Apache-2.0 */
/* [logout] */
#ifndef POLICY_LOGOUT_OPTIONS_H
#define POLICY_LOGOUT_OPTIONS_H

#include "base/conf.h"

enum logout_upstream { LOGOUT_UPSTREAM_BEST_EFFORT, LOGOUT_UPSTREAM_OFF };

struct logout_conf {
	struct conf_text return_to;
	struct conf_list cookies, cors_origin;
	int upstream; /* enum logout_upstream */
	struct conf_list clear; /* cache, storage */
	bool backchannel;
};

extern const struct conf_kind logout_kind;

struct snapshot;
/* What the table cannot say: browsers read return-to in one way, cookies are names. */
bool logout_options_check(const struct snapshot *snapshot, struct conf_error *error);

#endif
