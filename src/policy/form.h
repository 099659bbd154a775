/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a POST: form fields or a JSON object, read alike. */
#ifndef POLICY_FORM_H
#define POLICY_FORM_H

#include "http/request.h"
#include "token/json.h"

enum form_kind {
	FORM_EMPTY,  /* neither body nor Content-Type */
	FORM_FIELDS, /* application/x-www-form-urlencoded */
	FORM_JSON,   /* application/json, an object */
	FORM_OTHER   /* anything else: 415 */
};

struct form {
	enum form_kind kind;
	struct str body;
	const struct json *json; /* the object, for FORM_JSON */
};

/* ERR_BAD_REQUEST: a JSON body that is no object in strict JSON (json.h); kind is set even so. */
enum err form_read(struct arena *arena, const struct request *request, struct form *out);
/* The text of a field or member. STR_NONE: absent, given twice, no text, or not UTF-8. */
struct str form_text(struct arena *arena, const struct form *form, const char *name);
/* Is the JSON member true? ERR_BAD_REQUEST when it is there and neither true nor false. */
enum err form_json_flag(const struct form *form, const char *name, bool *out);
/* Overwrite a text that form_text gave, and the whole body: a password is in both. */
void form_forget(const struct form *form, struct str text);

#endif
