/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a JWK Set that lives elsewhere: replaced as a whole while workers use it. */
#ifndef TOKEN_KEY_SOURCE_H
#define TOKEN_KEY_SOURCE_H

#include "token/key.h"

struct key_source;

/* Without keys. A source is shared by those who hold it: opened by one, held by
 * others; the last close frees it. Any thread may call any of these. */
bool key_source_open(struct key_source **out);
struct key_source *key_source_hold(struct key_source *source);
void key_source_close(struct key_source **source);
/* Take the set over; those who use the old one go on with it. */
bool key_source_put(struct key_source *source, struct key_set *fresh);
/* Back to none; those who use the old set go on with it. */
void key_source_empty(struct key_source *source);
/* The current set, to be given back; NULL: none. */
const struct key_set *key_source_take(struct key_source *source);
void key_source_give_back(struct key_source *source, const struct key_set *set);

#endif
