/* SPDX-License-Identifier: Apache-2.0 */
/* The content encryptions (RFC 7518 section 5.1): one table, one comparison. */
#ifndef TOKEN_ENCRYPTION_H
#define TOKEN_ENCRYPTION_H

#include "token/digest.h"

/* A content encryption (RFC 7518 section 5.1). */
struct encryption {
	const char *name; /* value of the header's "enc", exactly */
	size_t key_size, iv_size, tag_size; /* bytes, exactly */
	const char *cipher; /* OpenSSL's */
	bool cbc;	    /* AES-CBC with HMAC (section 5.2); else AES-GCM (section 5.3) */
	enum digest_hash hash; /* of the HMAC */
};

enum { ENCRYPTION_ROWS = 6, ENCRYPTION_KEY_MAX = 64, ENCRYPTION_IV_MAX = 16, ENCRYPTION_TAG_MAX = 32 };

/* A set of encryptions: bit n stands for row n of the table. */
struct encryption_set {
	unsigned bits;
};

#define ENCRYPTION_ALL ((struct encryption_set){~0U})

/* Row n of the table, NULL after the last. */
const struct encryption *encryption_at(size_t n);
size_t encryption_row(const struct encryption *encryption);
/* The one of that exact name that is in the set, or NULL. */
const struct encryption *encryption_find(struct str name, struct encryption_set allowed);
/* Put the encryption into the set; false: it is in already. */
bool encryption_add(struct encryption_set *set, const struct encryption *encryption);
/* "A128GCM, A192GCM, …": all names, for messages. */
void encryption_print_all(struct buf *out);

#endif
