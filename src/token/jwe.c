/* SPDX-License-Identifier: Apache-2.0 */
/* Compact JWE with direct encryption. OpenSSL takes tags of one byte and any IV:
 * every size is checked here, before it is asked. */
#include "token/jwe.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/secret.h"
#include "token/compact.h"
#include "token/thread.h"

enum { AES_KEY_MAX = 32, AES_BLOCK = 16 };

struct jwe_key {
	const struct encryption *encryption;
	EVP_CIPHER *cipher;
	uint64_t number; /* random: no other key's, not even of one that was closed */
	unsigned char bytes[AES_KEY_MAX];
	struct digest_hmac mac; /* of CBC */
	size_t kid_size;
	char kid[];
};

enum err jwe_parse(struct arena *arena, struct str text, struct token *out)
{
	struct token token = {.form = TOKEN_JWE, .text = text, .canonical = text};
	struct str rest = text, iv, ciphertext;
	if (!str_split(&rest, '.', &token.jwe.header) || !str_split(&rest, '.', &token.jwe.encrypted_key) ||
	    !str_split(&rest, '.', &iv) || !str_split(&rest, '.', &ciphertext) || !rest.p)
		return ERR_TOKEN_MALFORMED;
	/* A further dot is outside the alphabet: more than five parts end here. */
	if (!compact_header(arena, token.jwe.header, &token.header) || !compact_decode(arena, iv, &token.jwe.iv) ||
	    !compact_decode(arena, ciphertext, &token.jwe.ciphertext) || !compact_decode(arena, rest, &token.jwe.tag))
		return ERR_TOKEN_MALFORMED;
	*out = token;
	return ERR_NONE;
}

enum err jwe_check_header(const struct token *token, struct encryption_set allowed, const struct encryption **out)
{
	struct str alg, enc;
	if (!json_string(json_member(token->header, STR("alg")), &alg) || !str_eq(alg, STR("dir")) ||
	    !json_string(json_member(token->header, STR("enc")), &enc))
		return ERR_BAD_ALGORITHM;
	const struct encryption *encryption = encryption_find(enc, allowed);
	if (!encryption)
		return ERR_BAD_ALGORITHM;
	if (token->jwe.encrypted_key.n > 0)
		return ERR_TOKEN_MALFORMED;
	*out = encryption;
	return ERR_NONE;
}

bool jwe_key_open(const struct encryption *encryption, struct str key, struct str kid, struct jwe_key **out)
{
	if (key.n != encryption->key_size)
		return false;
	struct jwe_key *fresh = calloc(1, sizeof *fresh + kid.n);
	if (!fresh)
		return false;
	fresh->encryption = encryption;
	random_bytes(&fresh->number, sizeof fresh->number);
	fresh->kid_size = kid.n;
	if (kid.n > 0)
		memcpy(fresh->kid, kid.p, kid.n);
	/* CBC: the first half is for the HMAC, the second for AES (RFC 7518 section 5.2.2.1). */
	size_t half = encryption->cbc ? key.n / 2 : 0;
	memcpy(fresh->bytes, key.p + half, key.n - half);
	fresh->cipher = EVP_CIPHER_fetch(NULL, encryption->cipher, NULL);
	struct str mac_key = {key.p, half};
	if (!fresh->cipher || (encryption->cbc && !digest_hmac_key(encryption->hash, mac_key, &fresh->mac))) {
		jwe_key_close(&fresh);
		return false;
	}
	*out = fresh;
	return true;
}

void jwe_key_close(struct jwe_key **key)
{
	if (!*key)
		return;
	EVP_CIPHER_free((*key)->cipher);
	secret_wipe(*key, sizeof **key + (*key)->kid_size);
	free(*key);
	*key = NULL;
}

const struct encryption *jwe_key_encryption(const struct jwe_key *key)
{
	return key->encryption;
}

struct str jwe_key_kid(const struct jwe_key *key)
{
	return key->kid_size > 0 ? (struct str){key->kid, key->kid_size} : STR_NONE;
}

/* What goes through a cipher. */
struct pass {
	const struct jwe_key *key;
	struct token_cipher *cipher;
	struct token_cipher own; /* without a thread */
	struct str header;	 /* additional authenticated data */
	struct str iv, in;
	unsigned char *out; /* of in.n + AES_BLOCK bytes */
	size_t n;	    /* bytes that came out */
};

/* By the thread's cipher, or one that close_pass frees. */
static bool open_pass(struct pass *pass, struct token_thread *thread, struct arena *arena)
{
	pass->cipher = thread ? &thread->ciphers[encryption_row(pass->key->encryption)] : &pass->own;
	if (!pass->cipher->context)
		pass->cipher->context = EVP_CIPHER_CTX_new();
	pass->out = arena_alloc(arena, pass->in.n + AES_BLOCK);
	return pass->cipher->context && pass->out;
}

static void close_pass(struct pass *pass)
{
	EVP_CIPHER_CTX_free(pass->own.context);
}

/* A cipher that is there keeps its memory, and a key that is there its schedule. */
static bool begin(const struct pass *pass, bool encrypt)
{
	struct token_cipher *kept = pass->cipher;
	const struct jwe_key *key = pass->key;
	bool has_cipher = EVP_CIPHER_CTX_get0_cipher(kept->context) == key->cipher;
	bool has_key = has_cipher && kept->key == key->number && kept->encrypts == encrypt;
	bool good = EVP_CipherInit_ex2(kept->context, has_cipher ? NULL : key->cipher, has_key ? NULL : key->bytes,
				       (const unsigned char *)pass->iv.p, encrypt, NULL);
	kept->key = good ? key->number : 0;
	kept->encrypts = encrypt;
	return good;
}

static bool add_header(const struct pass *pass)
{
	int n;
	return EVP_CipherUpdate(pass->cipher->context, NULL, &n, (const unsigned char *)pass->header.p,
				(int)pass->header.n);
}

static bool add_text(struct pass *pass)
{
	int n = 0;
	bool good = pass->in.n == 0 || EVP_CipherUpdate(pass->cipher->context, pass->out, &n,
							(const unsigned char *)pass->in.p, (int)pass->in.n);
	pass->n = (size_t)n;
	return good;
}

/* The last block with its padding (CBC), or the tag (GCM). */
static bool end(struct pass *pass)
{
	int n = 0;
	bool good = EVP_CipherFinal_ex(pass->cipher->context, pass->out + pass->n, &n);
	pass->n += (size_t)n;
	return good;
}

/* RFC 7518 section 5.2.2.1, steps 4 and 5. */
static bool print_mac(const struct jwe_key *key, struct str header, struct str iv, struct str ciphertext,
		      unsigned char out[DIGEST_MAX])
{
	unsigned char bits[8];
	uint64_t n = (uint64_t)header.n * CHAR_BIT;
	for (size_t i = sizeof bits; i-- > 0; n >>= CHAR_BIT)
		bits[i] = (unsigned char)n;
	const struct str parts[] = {header, iv, ciphertext, {(char *)bits, sizeof bits}};
	return digest_hmac_parts(&key->mac, parts, 4, out);
}

static bool decrypt_cbc(struct pass *pass, struct str tag)
{
	unsigned char mac[DIGEST_MAX];
	return print_mac(pass->key, pass->header, pass->iv, pass->in, mac) && secret_equal(mac, tag.p, tag.n) &&
	       begin(pass, false) && add_text(pass) && end(pass);
}

static bool decrypt_gcm(struct pass *pass, struct str tag)
{
	unsigned char copy[AES_BLOCK]; /* OpenSSL's parameter is no const */
	memcpy(copy, tag.p, sizeof copy);
	return begin(pass, false) && add_header(pass) && add_text(pass) &&
	       EVP_CIPHER_CTX_ctrl(pass->cipher->context, EVP_CTRL_AEAD_SET_TAG, sizeof copy, copy) && end(pass);
}

static bool are_sizes_right(const struct encryption *encryption, const struct token *token)
{
	if (token->jwe.iv.n != encryption->iv_size || token->jwe.tag.n != encryption->tag_size)
		return false;
	size_t n = token->jwe.ciphertext.n;
	return token->text.n <= TOKEN_MAX && (!encryption->cbc || (n > 0 && n % AES_BLOCK == 0));
}

enum err jwe_decrypt(const struct jwe_key *key, struct token_thread *thread, struct arena *arena,
		     const struct token *token, struct str *plaintext)
{
	if (!are_sizes_right(key->encryption, token))
		return ERR_DECRYPT_FAILED;
	struct pass pass = {
		.key = key,
		.header = token->jwe.header,
		.iv = token->jwe.iv,
		.in = token->jwe.ciphertext,
	};
	bool ready = open_pass(&pass, thread, arena);
	bool good = ready && (key->encryption->cbc ? decrypt_cbc : decrypt_gcm)(&pass, token->jwe.tag);
	close_pass(&pass);
	if (!ready)
		return ERR_INTERNAL;
	if (!good) {
		secret_wipe(pass.out, pass.in.n + AES_BLOCK);
		return ERR_DECRYPT_FAILED;
	}
	*plaintext = (struct str){(char *)pass.out, pass.n};
	return ERR_NONE;
}

static bool encrypt(struct pass *pass, unsigned char tag[DIGEST_MAX])
{
	if (pass->key->encryption->cbc)
		return begin(pass, true) && add_text(pass) && end(pass) &&
		       print_mac(pass->key, pass->header, pass->iv, (struct str){(char *)pass->out, pass->n}, tag);
	return begin(pass, true) && add_header(pass) && add_text(pass) && end(pass) &&
	       EVP_CIPHER_CTX_ctrl(pass->cipher->context, EVP_CTRL_AEAD_GET_TAG, AES_BLOCK, tag);
}

static bool print_header(const struct jwe_key *key, struct arena *arena, struct buf *out)
{
	struct buf header = arena_buf(arena, 64 + 6 * key->kid_size);
	buf_printf(&header, "{\"alg\":\"dir\",\"enc\":\"%s\"", key->encryption->name);
	if (key->kid_size > 0) {
		buf_add(&header, STR(",\"kid\":"));
		buf_json(&header, jwe_key_kid(key));
	}
	buf_char(&header, '}');
	base64url_encode(out, (const unsigned char *)header.p, header.n);
	return !header.full && !out->full;
}

bool jwe_encrypt(const struct jwe_key *key, struct token_thread *thread, struct arena *arena, struct str plaintext,
		 struct buf *out)
{
	const struct encryption *encryption = key->encryption;
	unsigned char iv[ENCRYPTION_IV_MAX], tag[DIGEST_MAX];
	size_t start = out->n;
	if (plaintext.n > TOKEN_MAX || !print_header(key, arena, out))
		return false;
	random_bytes(iv, encryption->iv_size);
	struct pass pass = {
		.key = key,
		.header = {out->p + start, out->n - start},
		.iv = {(char *)iv, encryption->iv_size},
		.in = plaintext,
	};
	bool good = open_pass(&pass, thread, arena) && encrypt(&pass, tag);
	close_pass(&pass);
	if (!good)
		return false;
	buf_add(out, STR(".."));
	base64url_encode(out, iv, encryption->iv_size);
	buf_char(out, '.');
	base64url_encode(out, pass.out, pass.n);
	buf_char(out, '.');
	base64url_encode(out, tag, encryption->tag_size);
	return !out->full;
}

/* The plaintext "known answer" under the key 00 01 02 …, made by jwcrypto. */
static const char *const known_tokens[ENCRYPTION_ROWS] = {
	"eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..jTdx1Dy78S8nZZ3c.NqwZXayP-huATESC.WRknHHNEIB1zJg1ohQCSAA",
	"eyJhbGciOiJkaXIiLCJlbmMiOiJBMTkyR0NNIn0..rW6_D-a9f03hKNqu.JZIAOZY4HiqPFinN.XH-SXLj9R9ZmahPveLoY4w",
	"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..d_EU8JPVaqEUfmvS.UEi-e1PO0oHF9Yxn.LDndN2CGjnOl_2JQekTWcQ",
	"eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0..lEEPdmDRRtXsKbGkzzILmA.07q1hEQEkjGlPUsTqKoeIg."
	"dk6VIBNP05meMDMxSGw4AA",
	"eyJhbGciOiJkaXIiLCJlbmMiOiJBMTkyQ0JDLUhTMzg0In0..h_XwYADwV15tgu_zFk8wjg.lpDWml9__Lflt26NaqHBmw."
	"pjjFLE4VxILCs5fbtjvvZAc_VznozWVP",
	"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIn0..LnEm8Z-AFVjZBZxUHe0gtA.MLS8CfVFwak7x88WDmPj0g."
	"D9q-MfbvyhaXUq3N0iFKugf6F4mLgsM7lEmxlgV13Z4",
};

static bool decrypts_known(struct arena *arena, const struct encryption *encryption, const char *text)
{
	unsigned char bytes[ENCRYPTION_KEY_MAX];
	struct jwe_key *key;
	struct token token;
	struct str plaintext;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)i;
	if (jwe_parse(arena, str_of(text), &token) ||
	    !jwe_key_open(encryption, (struct str){(char *)bytes, encryption->key_size}, STR_NONE, &key))
		return false;
	bool good = jwe_decrypt(key, NULL, arena, &token, &plaintext) == ERR_NONE &&
		    str_eq(plaintext, STR("known answer"));
	jwe_key_close(&key);
	return good;
}

bool encryption_works(const struct encryption *encryption)
{
	struct arena *arena;
	if (!arena_open(1 << 14, &arena))
		return false;
	bool good = decrypts_known(arena, encryption, known_tokens[encryption_row(encryption)]);
	arena_close(&arena);
	return good;
}
