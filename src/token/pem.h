/* SPDX-License-Identifier: Apache-2.0 */
/* PEM files (RFC 7468) with one key. */
#ifndef TOKEN_PEM_H
#define TOKEN_PEM_H

#include "token/jwk.h"

/* Is it a PEM file, good or not? */
bool pem_is(struct str text);
/* Read a public key: exactly one block PUBLIC KEY (RFC 5280 SubjectPublicKeyInfo)
 * and nothing else but white space. The numbers are judged. false: why says what
 * is wrong and which command makes it right. */
bool pem_read_public(struct arena *arena, struct str text, struct jwk *out, struct buf *why);
/* The same of a private key: PRIVATE KEY (PKCS #8, RFC 5958). */
bool pem_read_private(struct arena *arena, struct str text, struct jwk *out, struct buf *why);

#endif
