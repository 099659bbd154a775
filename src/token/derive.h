/* SPDX-License-Identifier: Apache-2.0 */
/* Keys made of secrets, and names made of keys, as the NextAuth family does. */
#ifndef TOKEN_DERIVE_H
#define TOKEN_DERIVE_H

#include "token/digest.h"

/* HKDF with SHA-256 (RFC 5869); salt and info may be empty. n bytes, at most 255 * 32. */
bool derive_hkdf(struct str secret, struct str salt, struct str info, unsigned char *out, size_t n);
/* The JWK thumbprint (RFC 7638) of a symmetric key, base64url: over
 * {"k":"…","kty":"oct"} with that hash. A key of more than ENCRYPTION_KEY_MAX bytes, which none
 * is, sets full. */
void derive_oct_thumbprint(enum digest_hash hash, struct str key, struct buf *out);

#endif
