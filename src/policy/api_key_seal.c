/* SPDX-License-Identifier: Apache-2.0 */
/* The MAC of a record: whoever can write to the servers that hosts share could
 * otherwise make keys for any user. It is the last member, over all before it. */
#include <string.h>

#include "base/codec.h"
#include "base/secret.h"
#include "policy/api_key.h"

#define NAME ",\"mac\":\""

enum { NAME_SIZE = sizeof NAME - 1, MAC_SIZE = 43, SEAL_SIZE = NAME_SIZE + MAC_SIZE + 2 };

/* A secret that signs other things as well signs nothing else that begins so. */
static bool print_mac(struct token_thread *thread, struct str secret, struct str record, char out[MAC_SIZE + 1])
{
	char memory[STORE_RECORD_MAX + 32];
	unsigned char mac[DIGEST_SIZE];
	struct buf input = buf_over(memory, sizeof memory), text = buf_over(out, MAC_SIZE + 1);
	buf_add(&input, STR("fcgi-auth api-key record\n"));
	buf_add(&input, record);
	if (input.full || !digest_mac(thread, secret, buf_str(&input), mac))
		return false;
	base64url_encode(&text, mac, sizeof mac);
	return text.n == MAC_SIZE;
}

bool api_key_seal(struct token_thread *thread, const struct api_key_settings *settings, struct buf *record)
{
	char mac[MAC_SIZE + 1];
	if (settings->n_secrets == 0 || record->full || record->n == 0)
		return !record->full;
	record->n--; /* the brace */
	if (!print_mac(thread, settings->secrets[0], buf_str(record), mac))
		return false;
	buf_add(record, STR(NAME));
	buf_add(record, (struct str){mac, MAC_SIZE});
	buf_add(record, STR("\"}"));
	return !record->full;
}

bool api_key_is_sealed(struct token_thread *thread, const struct api_key_settings *settings, struct str record)
{
	char mac[MAC_SIZE + 1];
	bool good = settings->n_secrets == 0;
	if (record.n <= SEAL_SIZE || record.n > STORE_RECORD_MAX)
		return good;
	struct str sealed = {record.p, record.n - SEAL_SIZE}, seal = str_skip(record, sealed.n);
	if (!str_starts(seal, STR(NAME)) || !str_ends(seal, STR("\"}")))
		return good;
	for (size_t i = 0; i < settings->n_secrets; i++)
		good = (print_mac(thread, settings->secrets[i], sealed, mac) &&
			secret_equal(mac, seal.p + NAME_SIZE, MAC_SIZE)) || good;
	return good;
}
