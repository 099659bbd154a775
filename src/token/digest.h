/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-2 and HMAC, without any memory of the heap: they can't fail on the way of
 * a request. And a worker thread's place in what has to be kept per thread. */
#ifndef TOKEN_DIGEST_H
#define TOKEN_DIGEST_H

#include "base/str.h"

enum digest_hash { DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };

enum { DIGEST_SIZE = 32, DIGEST_MAX = 64, DIGEST_SHA1_SIZE = 20 };

/* A worker thread's crypto: what is made once and used for every request. slot
 * is the worker's number, below the `slots` that issuers were opened with. */
struct token_thread;

/* Try every hash once, before the first thread, against OpenSSL's own HMAC: a
 * failed allocation inside the first use can end the process, a later one is an
 * error. What only some issuers need is tried when they are opened. false:
 * OpenSSL lacks one of them, or the answers differ. */
bool token_start(void);
bool token_thread_open(unsigned slot, struct token_thread **out);
void token_thread_close(struct token_thread **thread);
/* Name and version of the crypto library in use. */
const char *token_library(void);
unsigned token_thread_slot(const struct token_thread *thread);

/* SHA-256 over the parts in order, each followed by one NUL byte, so that no two
 * lists of parts (without NUL) give the same input. */
bool digest_parts(struct token_thread *thread, const struct str *parts, size_t n, unsigned char out[DIGEST_SIZE]);
/* SHA-256 (FIPS 180-4). */
bool digest_sha256(struct str bytes, unsigned char out[DIGEST_SIZE]);
/* SHA-1, for lists that others made by it; it proves nothing. */
bool digest_sha1(struct str bytes, unsigned char out[DIGEST_SHA1_SIZE]);
/* HMAC-SHA-256 over bytes with a key of at least 32 bytes; false for a shorter
 * one. For signed form values; tokens are verified by jws.h. */
bool digest_mac(struct token_thread *thread, struct str key, struct str bytes, unsigned char out[DIGEST_SIZE]);

/* An HMAC key (RFC 2104): the hash as it stands behind each of the two pads.
 * Immutable once made: any number of threads may use it. Its owner wipes it. */
struct digest_hmac {
	enum digest_hash hash;
	unsigned char inner[224], outer[224];
};

/* Bytes of the hash. */
size_t digest_size(enum digest_hash hash);
/* The hash of the bytes. Writes digest_size bytes. */
bool digest_bytes(enum digest_hash hash, struct str bytes, unsigned char out[DIGEST_MAX]);
bool digest_hmac_key(enum digest_hash hash, struct str key, struct digest_hmac *out);
/* Writes digest_size bytes. */
bool digest_hmac(const struct digest_hmac *key, struct str bytes, unsigned char out[DIGEST_MAX]);
/* The same over the parts as if they were one, nothing between them. */
bool digest_hmac_parts(const struct digest_hmac *key, const struct str *parts, size_t n,
		       unsigned char out[DIGEST_MAX]);

#endif
