/* SPDX-License-Identifier: Apache-2.0 */
/* Text encodings of bytes: base64url (RFC 4648 section 5, as RFC 7515 uses it),
 * percent-encoding (RFC 3986 section 2.1), hexadecimal. */
#ifndef BASE_CODEC_H
#define BASE_CODEC_H

#include "base/str.h"

/* Size of the result of decoding n characters, at most. */
#define BASE64URL_DECODED(n) ((n) / 4 * 3 + 2)
#define BASE64URL_ENCODED(n) (((n) + 2) / 3 * 4)

/* Strict: no padding, no white space, no other alphabet, no length of 4k+1, and
 * the unused bits of the last character are 0, so that one byte string has
 * exactly one text. out has room for BASE64URL_DECODED(s.n). */
bool base64url_decode(struct str s, unsigned char *out, size_t *n);
/* Without padding. */
void base64url_encode(struct buf *out, const unsigned char *bytes, size_t n);

/* %XX becomes its byte; with plus, '+' a blank (forms). false: a '%' without two
 * hexadecimal digits. out has room for s.n bytes and may be s.p itself. */
bool percent_decode(struct str s, bool plus, char *out, size_t *n);
/* Everything but unreserved characters (RFC 3986 2.3) and those in keep. */
void percent_encode(struct buf *out, struct str s, const char *keep);

#endif
