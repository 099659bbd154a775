/* SPDX-License-Identifier: Apache-2.0 */
/* What the pages of local accounts send, and how they are refused. */
#ifndef POLICY_LOGIN_INPUT_H
#define POLICY_LOGIN_INPUT_H

#include "policy/csrf.h"
#include "policy/form.h"
#include "policy/pages.h"

/* A form or JSON that has come, and the page it came from. */
struct login_input {
	const char *purpose; /* of the form's token */
	const char *event;   /* for the log, when it is refused: "register_failed" */
	const char *page;    /* template of the page; its fields are filled by the owner */
	struct form form;
	struct csrf csrf; /* of a form */
};

/* Is it a form of ours, or JSON, which no page of another site can send here without a
 * preflight that is never granted? purpose, event and page are set. false: refused,
 * and the reply is complete. */
bool login_input_read(const struct call *call, struct login_input *input);
/* Is the answer a page, for a person, as opposed to JSON? */
bool login_input_wants_page(const struct call *call, const struct login_input *input);
/* The text of a field without blanks around it; STR_NONE as form_text. */
struct str login_input_text(const struct call *call, const struct login_input *input, const char *name);
/* Open the page again, with the form's token. */
struct page *login_input_page(const struct call *call, const struct login_input *input);
/* Open the page for the first time; NULL: refused, and the reply is complete. */
struct page *login_input_first_page(const struct call *call, const char *page, const char *purpose);
/* {"success":true,"message":…} */
void login_input_confirm(const struct call *call, const char *message);
/* Nobody counts the attempts of this client any more, or lets it try: the whole reply. */
void login_input_refuse(const struct call *call, enum err err, int64_t retry_after, const char *text);

#endif
