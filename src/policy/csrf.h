/* SPDX-License-Identifier: Apache-2.0 */
/* Form tokens: a form is taken only from a page that we gave this browser within
 * the last half hour. A cookie holds a signed value, a hidden field another
 * signature of the same value for the form's purpose; nothing is stored. */
#ifndef POLICY_CSRF_H
#define POLICY_CSRF_H

#include "policy/call.h"

enum { CSRF_SECONDS = 1800 };

struct csrf {
	struct str cookie; /* "expiry.nonce.signature" */
	struct str field;  /* for the hidden field `csrf` */
	bool fresh;	   /* the browser has to be given the cookie */
};

/* For a page: the cookie that the request brought while it is good for half its
 * time (forms in other tabs stay good), else a new one. ERR_STORE without a key. */
enum err csrf_open(const struct call *call, const char *purpose, struct csrf *out);
/* Does the field belong to the request's cookie, and is there time left? *out is
 * what a page that shows the form again needs. ERR_CROSS_SITE, ERR_STORE. */
enum err csrf_check(const struct call *call, const char *purpose, struct str field, struct csrf *out);
/* The Set-Cookie value of a fresh one; STR_NONE otherwise. */
struct str csrf_cookie_line(const struct call *call, const struct csrf *csrf);

#endif
