/* SPDX-License-Identifier: Apache-2.0 */
/* The two password hashes of Apache's htpasswd files that crypt(3) does not know.
 * Both are read only: neither is made here, for neither is safe any more. */
#ifndef TOKEN_APACHE_HASH_H
#define TOKEN_APACHE_HASH_H

#include "base/str.h"

/* Is it $apr1$SALT$… (Apache's MD5) or {SHA}… (base64 of SHA-1), whole? */
bool apache_hash_is(struct str hash);
/* Is it the hash of that password? false also when OpenSSL refuses MD5 or SHA-1;
 * the log says so. */
bool apache_hash_verify(struct str password, struct str hash);

#endif
