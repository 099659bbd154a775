/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted tokens. The input is tried as it is, and as a header and a plaintext
 * that are encrypted here; of what decrypts no changed character may. */
#include <string.h>

#include "base/codec.h"
#include "fuzz.h"
#include "token/jwe.h"

enum { ARENA = 4 << 20, CHANGED_MAX = 4096 };

static struct arena *arena;
static struct token_thread *thread;
static struct jwe_key *keys[ENCRYPTION_ROWS];

/* The keys of make_jwe.py: 00 01 02 … */
static void open_all(void)
{
	unsigned char bytes[ENCRYPTION_KEY_MAX];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)i;
	FUZZ_CHECK(token_start() && arena_open(ARENA, &arena) && token_thread_open(0, &thread));
	for (size_t i = 0; i < ENCRYPTION_ROWS; i++) {
		struct str key = {(char *)bytes, encryption_at(i)->key_size};
		FUZZ_CHECK(jwe_key_open(encryption_at(i), key, STR_NONE, &keys[i]));
	}
}

/* By the key that the header asks for. */
static bool decrypt(struct str text, struct str *plaintext)
{
	struct token token;
	const struct encryption *encryption;
	enum err err = jwe_parse(arena, text, &token);
	FUZZ_CHECK(err == ERR_NONE || err == ERR_TOKEN_MALFORMED);
	if (err || jwe_check_header(&token, ENCRYPTION_ALL, &encryption) != ERR_NONE)
		return false;
	FUZZ_CHECK(!json_member(token.header, STR("crit")) && !json_member(token.header, STR("zip")));
	err = jwe_decrypt(keys[encryption_row(encryption)], thread, arena, &token, plaintext);
	FUZZ_CHECK(err == ERR_NONE || err == ERR_DECRYPT_FAILED);
	if (err)
		return false;
	FUZZ_CHECK(token.jwe.tag.n == encryption->tag_size && token.jwe.iv.n == encryption->iv_size);
	FUZZ_CHECK(token.jwe.encrypted_key.n == 0 && plaintext->n <= token.jwe.ciphertext.n);
	return true;
}

/* One text stands for one token: another character, another length, and it is none. */
static void check_changed(struct str text, size_t at, char by)
{
	struct str plaintext;
	char *p = arena_alloc(arena, text.n);
	if (!p)
		return;
	memcpy(p, text.p, text.n);
	p[at] = by;
	FUZZ_CHECK(by == text.p[at] || !decrypt((struct str){p, text.n}, &plaintext));
	FUZZ_CHECK(!decrypt((struct str){text.p, text.n - 1}, &plaintext));
}

/* What was encrypted comes back, under every encryption. */
static void check_round_trip(struct str plaintext)
{
	for (size_t i = 0; i < ENCRYPTION_ROWS; i++) {
		struct buf text = arena_buf(arena, 256 + 2 * plaintext.n);
		struct str got;
		if (text.full || !jwe_encrypt(keys[i], thread, arena, plaintext, &text))
			return;
		FUZZ_CHECK(decrypt(buf_str(&text), &got) && str_eq(got, plaintext));
		size_t at = plaintext.n > 0 ? (unsigned char)plaintext.p[0] * (text.n - 1) / 255 : 0;
		if (plaintext.n < CHANGED_MAX)
			check_changed(buf_str(&text), at, plaintext.n > 1 ? plaintext.p[1] : 'A');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = {(const char *)data, size}, plaintext;
	if (!arena)
		open_all();
	arena_reset(arena);
	if (size > TOKEN_MAX / 2)
		return 0;
	if (size > 0 && decrypt(input, &plaintext)) {
		for (size_t i = 0; size < CHANGED_MAX && i < size; i += 1 + size / 64)
			check_changed(input, i, input.p[i] == 'A' ? 'B' : 'A');
	}
	check_round_trip(input);
	return 0;
}
