/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying a token takes no memory of the heap once a worker has seen one. Our
 * calls are counted by the linker's --wrap, OpenSSL's by its own hooks. */
#include <openssl/crypto.h>
#include <stdlib.h>

#include "issuer_setup.h"
#include "token/jwe.h"
#include "unit.h"

static unsigned long ours, openssls;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
	ours++;
	return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	ours++;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	ours++;
	return __real_realloc(p, n);
}

static void *openssl_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	openssls++;
	return __real_malloc(n);
}

static void *openssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	openssls++;
	return __real_realloc(p, n);
}

static void openssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

static struct arena *arena;
static struct token_thread *thread;

static void verify(const struct issuer *issuer, struct str text, enum err want)
{
	struct token token;
	struct claims c;
	unsigned char hash[DIGEST_SIZE];
	enum err err = token_parse(arena, text, &token);
	if (err == ERR_NONE)
		err = issuer_verify(issuer, &(struct verification){thread, arena, 1010}, &token, &c);
	CU_ASSERT_EQUAL(err, want);
	CU_ASSERT_TRUE(digest_parts(thread, &text, 1, hash));
	arena_reset(arena);
}

static void none_after_the_first(void)
{
	struct issuer_setup setup;
	struct issuer *issuer;
	struct conf_error error;
	struct str text;
	char good[1024], bad[1024];
	issuer_setup(&setup);
	issuer_setup_add(&setup, &setup.conf.algorithms, STR("HS256"));
	issuer_setup_add(&setup, &setup.conf.user_id, STR("sub"));
	issuer_setup_secret(&setup, STR("first-Dw8fQm2LrXk5Zs9TbVy3Hc6Np1Jg4Ea7Ui0Oo"));
	issuer_setup_secret(&setup, STR("second-Kp4Wn8Rt1Yx6Bq3Mv9Lz2Cd5Fh7Gj0Sa4Eu"));
	CU_ASSERT_FATAL(issuer_open(&setup.section, 1, &issuer, &error));
	struct issue issue = {STR("alice"),
			      STR("\"email\":\"a\\u006cice@a.test\",\"roles\":[\"a\",\"b\"]"), 1000, 100, STR_NONE};
	CU_ASSERT_EQUAL_FATAL(issuer_sign(issuer, thread, arena, &issue, &text), ERR_NONE);
	struct buf b = buf_over(good, sizeof good);
	buf_add(&b, text);
	struct buf other = buf_over(bad, sizeof bad);
	buf_add(&other, text);
	bad[other.n - 2] = bad[other.n - 2] == 'A' ? 'B' : 'A';
	arena_reset(arena);

	verify(issuer, buf_str(&b), ERR_NONE);
	CU_ASSERT(ours > 0 && openssls > 0);
	ours = openssls = 0;
	for (int i = 0; i < 100; i++) {
		verify(issuer, buf_str(&b), ERR_NONE);
		verify(issuer, buf_str(&other), ERR_BAD_SIGNATURE);
		verify(issuer, STR("a.b.c"), ERR_TOKEN_MALFORMED);
	}
	CU_ASSERT_EQUAL(ours, 0);
	CU_ASSERT_EQUAL(openssls, 0);
	issuer_close(&issuer);
}

/* Keys of every encryption in turn. */
static void none_for_encrypted_tokens(void)
{
	static char texts[ENCRYPTION_ROWS][1024];
	struct str key_bytes = STR("first-Dw8fQm2LrXk5Zs9TbVy3Hc6Np1Jg4Ea7Ui0Oo-Dw8fQm2LrXk5Zs9TbVy3Hc"), got;
	struct jwe_key *keys[ENCRYPTION_ROWS];
	struct token token;
	for (size_t i = 0; i < ENCRYPTION_ROWS; i++) {
		struct buf text = buf_over(texts[i], sizeof texts[i] - 1);
		key_bytes.n = encryption_at(i)->key_size;
		CU_ASSERT_FATAL(jwe_key_open(encryption_at(i), key_bytes, STR_NONE, &keys[i]));
		CU_ASSERT_FATAL(jwe_encrypt(keys[i], thread, arena, STR("{\"sub\":\"alice\"}"), &text));
	}
	for (int i = 0; i < 100; i++) {
		for (size_t j = 0; j < ENCRYPTION_ROWS; j++) {
			CU_ASSERT_EQUAL(token_parse(arena, str_of(texts[j]), &token), ERR_NONE);
			CU_ASSERT_EQUAL(jwe_decrypt(keys[j], thread, arena, &token, &got), ERR_NONE);
			arena_reset(arena);
		}
		if (i == 0)
			ours = openssls = 0;
	}
	CU_ASSERT_EQUAL(ours, 0);
	CU_ASSERT_EQUAL(openssls, 0);
	for (size_t i = 0; i < ENCRYPTION_ROWS; i++)
		jwe_key_close(&keys[i]);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"none after the first", none_after_the_first},
		{"none for encrypted tokens", none_for_encrypted_tokens},
		{0},
	};
	if (!CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free))
		return 1;
	if (!token_start() || !arena_open(1 << 18, &arena) || !token_thread_open(0, &thread))
		return 1;
	int status = unit_main("allocations", cases);
	token_thread_close(&thread);
	arena_close(&arena);
	return status;
}
