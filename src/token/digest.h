/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 and HMAC, with contexts that each worker thread keeps. */
#ifndef TOKEN_DIGEST_H
#define TOKEN_DIGEST_H

#include "base/str.h"

enum { DIGEST_SIZE = 32 };

/* A worker thread's crypto: contexts that are made once and used for every
 * request. slot is the worker's number, below the `slots` that keys were opened
 * with: slot N of a key belongs to worker N alone. */
struct token_thread;

/* Fetch and try every algorithm once, before the first thread: a failed
 * allocation inside the first use can end the process, a later one is an error.
 * false: OpenSSL lacks one of them, or computes it wrongly. */
bool token_start(void);
bool token_thread_open(unsigned slot, struct token_thread **out);
void token_thread_close(struct token_thread **thread);
/* Name and version of the crypto library in use. */
const char *token_library(void);
unsigned token_thread_slot(const struct token_thread *thread);

/* SHA-256 over the parts in order, each followed by one NUL byte, so that no two
 * lists of parts (without NUL) give the same input. */
bool digest_parts(struct token_thread *thread, const struct str *parts, size_t n, unsigned char out[DIGEST_SIZE]);
/* HMAC-SHA-256 over bytes with a key of at least 32 bytes; false for a shorter
 * one. For signed form values; tokens are verified by jws.h. */
bool digest_mac(struct token_thread *thread, struct str key, struct str bytes, unsigned char out[DIGEST_SIZE]);

#endif
