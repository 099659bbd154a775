/* SPDX-License-Identifier: Apache-2.0 */
/* Making and reading the tokens of links. */
#include "policy/login_link.h"

#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"
#include "base/secret.h"
#include "policy/form_key.h"

enum {
	EXPIRY_MAX = 20,
	SIGNATURE_SIZE = BASE64URL_ENCODED(DIGEST_SIZE),
	LINK_MAX = EXPIRY_MAX + 1 + BASE64URL_ENCODED(ACCOUNT_ID_MAX) + 1 + SIGNATURE_SIZE,
	SIGNED_MAX = 32 + EXPIRY_MAX + ACCOUNT_ID_MAX + ACCOUNT_EMAIL_MAX + ACCOUNT_HASH_MAX
};

static const struct {
	const char *name;
	int64_t seconds;
} purposes[] = {
	[LINK_CONFIRM] = {"link confirm", LINK_CONFIRM_SECONDS},
	[LINK_RESET] = {"link reset", LINK_RESET_SECONDS},
};

/* Over what the link is for, and what it must not outlive. */
static bool sign(const struct call *call, enum link_purpose purpose, const struct account *account, int64_t expiry,
		 char out[SIGNATURE_SIZE])
{
	char memory[FORM_KEY_SIZE], text[SIGNED_MAX];
	unsigned char mac[DIGEST_SIZE];
	struct buf b = buf_over(text, sizeof text), signature = buf_over(out, SIGNATURE_SIZE);
	const struct str parts[] = {account->id, account->email, account->password};
	if (form_key_load(call->worker->snapshot->server->state_dir.value.p, memory))
		return false;
	buf_add(&b, str_of(purposes[purpose].name));
	buf_char(&b, '\0');
	buf_int(&b, expiry);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		buf_char(&b, '\0'); /* no part has one */
		buf_add(&b, parts[i]);
	}
	bool good = !b.full &&
		    digest_mac(call->worker->token, (struct str){memory, sizeof memory}, buf_str(&b), mac);
	secret_wipe(memory, sizeof memory);
	secret_wipe(text, sizeof text);
	if (good)
		base64url_encode(&signature, mac, sizeof mac);
	return good && !signature.full;
}

struct str login_link_make(const struct call *call, enum link_purpose purpose, const struct account *account)
{
	char signature[SIGNATURE_SIZE];
	struct buf b = arena_buf(call->worker->arena, LINK_MAX);
	int64_t expiry = clock_now() + purposes[purpose].seconds;
	bool good = sign(call, purpose, account, expiry, signature);
	buf_int(&b, expiry);
	buf_char(&b, '.');
	base64url_encode(&b, (const unsigned char *)account->id.p, account->id.n);
	buf_char(&b, '.');
	buf_add(&b, (struct str){signature, BASE64URL_ENCODED(DIGEST_SIZE) - 1});
	if (good && !b.full)
		return buf_str(&b);
	log_text(LOG_ERR, "link", "a link for a mail could not be made");
	return STR_NONE;
}

static bool split(struct arena *arena, struct str token, int64_t *expiry, struct str *id, struct str *signature)
{
	struct str rest = token, part, encoded;
	uint64_t seconds;
	if (token.n > LINK_MAX || !str_split(&rest, '.', &part) || !str_to_uint(part, INT64_MAX, &seconds) ||
	    !str_split(&rest, '.', &encoded) || !str_split(&rest, '.', signature) || rest.p)
		return false;
	unsigned char *bytes = arena_alloc(arena, BASE64URL_DECODED(encoded.n));
	if (!bytes || !base64url_decode(encoded, bytes, &id->n) || id->n == 0 || id->n > ACCOUNT_ID_MAX)
		return false;
	id->p = (const char *)bytes;
	*expiry = (int64_t)seconds;
	return true;
}

enum err login_link_read(const struct call *call, enum link_purpose purpose, struct str token, struct account *out)
{
	struct accounts *accounts = worker_accounts(call->worker);
	struct str id, signature;
	struct account account;
	char want[SIGNATURE_SIZE];
	int64_t expiry;
	if (!accounts)
		return ERR_STORE;
	if (!split(call->worker->arena, token, &expiry, &id, &signature) || str_has_control(id) ||
	    expiry < clock_now())
		return ERR_NOT_FOUND;
	enum err err = accounts_find(accounts, call->worker->arena, id, &account);
	if (err)
		return err;
	if (!sign(call, purpose, &account, expiry, want))
		return ERR_STORE;
	bool good = str_eq(account.id, id) && signature.n == BASE64URL_ENCODED(DIGEST_SIZE) - 1 &&
		    secret_equal(signature.p, want, signature.n);
	if (!good || account.disabled)
		return ERR_NOT_FOUND;
	*out = account;
	return ERR_NONE;
}
