/* SPDX-License-Identifier: Apache-2.0 */
/* The two forms of an ECDSA signature: r and s side by side, each as long as the
 * curve's field (RFC 7518 section 3.4), and the DER that OpenSSL reads and writes. */
#ifndef TOKEN_ECDSA_H
#define TOKEN_ECDSA_H

#include "base/str.h"

/* P-521: two numbers of 66 bytes, each with a byte for the sign. */
enum { ECDSA_DER_MAX = 3 + 2 * (2 + 67) };

/* false: r or s is 0, or their size is none of a curve's. */
bool ecdsa_to_der(struct str signature, unsigned char out[ECDSA_DER_MAX], size_t *n);
/* out takes size bytes, r and s of half each; false: it is no DER, or does not fit. */
bool ecdsa_from_der(const unsigned char *der, size_t n, unsigned char *out, size_t size);

#endif
