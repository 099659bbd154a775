/* SPDX-License-Identifier: Apache-2.0 */
/* A form that was posted without a session and waits for the login: sealed, in the
 * login page itself. Nothing is stored, and nobody can read or make one but us. */
#ifndef POLICY_KEPT_FORM_H
#define POLICY_KEPT_FORM_H

#include "policy/call.h"

enum { KEPT_FORM_SECONDS = 86400 };

struct kept_form {
	struct str address; /* where it was posted to: a safe address to return to */
	struct str type;    /* Content-Type */
	struct str body;
};

/* ERR_STORE without a key of forms; ERR_BAD_REQUEST: its type has a control byte. */
enum err kept_form_seal(const struct call *call, const struct kept_form *form, struct str *sealed);
/* ERR_NOT_FOUND: not one of ours, or too old. ERR_STORE. */
enum err kept_form_open(const struct call *call, struct str sealed, struct kept_form *out);
/* The sealed form in the fields of a login form; STR_NONE when there is none. */
struct str kept_form_find(struct str fields);

#endif
