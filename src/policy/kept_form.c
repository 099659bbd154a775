/* SPDX-License-Identifier: Apache-2.0 */
/* "expiry LF address LF type LF body", under a key derived from the key of forms. */
#include "policy/kept_form.h"

#include "base/clock.h"
#include "base/secret.h"
#include "http/url.h"
#include "policy/form_key.h"
#include "token/seal.h"

static enum err derive(const struct call *call, unsigned char key[SEAL_KEY_SIZE])
{
	char memory[FORM_KEY_SIZE];
	enum err err = form_key_load(call->worker->snapshot->server->state_dir.value.p, memory);
	if (err)
		return err;
	bool good = digest_mac(call->worker->token, (struct str){memory, sizeof memory}, STR("kept form"), key);
	secret_wipe(memory, sizeof memory);
	return good ? ERR_NONE : ERR_INTERNAL;
}

enum err kept_form_seal(const struct call *call, const struct kept_form *form, struct str *sealed)
{
	unsigned char key[SEAL_KEY_SIZE];
	struct arena *arena = call->worker->arena;
	size_t size = 32 + form->address.n + form->type.n + form->body.n;
	struct buf plain = arena_buf(arena, size), out = arena_buf(arena, SEAL_SIZE(size));
	if (str_has_control(form->address) || str_has_control(form->type))
		return ERR_BAD_REQUEST;
	enum err err = derive(call, key);
	if (err)
		return err;
	buf_int(&plain, clock_now() + KEPT_FORM_SECONDS);
	buf_char(&plain, '\n');
	buf_add(&plain, form->address);
	buf_char(&plain, '\n');
	buf_add(&plain, form->type);
	buf_char(&plain, '\n');
	buf_add(&plain, form->body);
	bool good = !plain.full && seal_close(arena, key, buf_str(&plain), &out);
	secret_wipe(key, sizeof key);
	if (!good)
		return ERR_INTERNAL;
	*sealed = buf_str(&out);
	return ERR_NONE;
}

enum err kept_form_open(const struct call *call, struct str sealed, struct kept_form *out)
{
	unsigned char key[SEAL_KEY_SIZE];
	struct kept_form form;
	struct str rest, expiry;
	uint64_t seconds;
	enum err err = derive(call, key);
	if (err)
		return err;
	bool good = sealed.n && seal_open(call->worker->arena, key, sealed, &rest);
	secret_wipe(key, sizeof key);
	if (!good || !str_split(&rest, '\n', &expiry) || !str_split(&rest, '\n', &form.address) ||
	    !str_split(&rest, '\n', &form.type) || !rest.p || !str_to_uint(expiry, INT64_MAX, &seconds) ||
	    (int64_t)seconds <= clock_now())
		return ERR_NOT_FOUND;
	form.body = rest;
	*out = form;
	return ERR_NONE;
}

struct str kept_form_find(struct str fields)
{
	struct str rest = fields, found = STR_NONE;
	struct url_field field;
	while (url_next_field(&rest, &field)) {
		if (!str_eq(field.name, STR("kept")))
			continue;
		if (found.p)
			return STR_NONE;
		found = field.value;
	}
	return found.n ? found : STR_NONE;
}
