/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and values; who writes which, and when, is decided elsewhere. */
#include "store/memcache_key.h"

#include <assert.h>
#include <string.h>

#include "base/codec.h"

enum { REVOCATION_NAME = MEMCACHE_REVOCATION_SIZE - 1 };

static_assert(BASE64URL_ENCODED(STORE_KEY_SIZE) - 2 == MEMCACHE_NAME_SIZE, "base64url without padding");

/* FNV-1a, 128 bits, least byte first: the prime is 2^88 + 0x13b. It tells namespaces
 * apart; it need not withstand anybody, for an admin chose them all. */
static void hash(struct str text, unsigned char h[STORE_KEY_SIZE])
{
	static const unsigned char basis[STORE_KEY_SIZE] = {0x8d, 0xc5, 0x95, 0x62, 0x75, 0x21, 0xb8, 0x62,
							    0x42, 0x01, 0xbb, 0x07, 0x2e, 0x27, 0x62, 0x6c};
	memcpy(h, basis, STORE_KEY_SIZE);
	for (size_t i = 0; i < text.n; i++) {
		unsigned char before[STORE_KEY_SIZE];
		unsigned carry = 0;
		h[0] ^= (unsigned char)text.p[i];
		memcpy(before, h, sizeof before);
		for (size_t digit = 0; digit < STORE_KEY_SIZE; digit++) {
			carry += before[digit] * 0x13bU + (digit >= 11 ? before[digit - 11] : 0U);
			h[digit] = (unsigned char)carry;
			carry >>= 8;
		}
	}
}

void memcache_space_of(struct str namespace, struct memcache_space *out)
{
	unsigned char h[STORE_KEY_SIZE], folded[4] = {0};
	hash(namespace, h);
	for (size_t i = 0; i < STORE_KEY_SIZE; i++) {
		out->mask[i] = h[STORE_KEY_SIZE - 1 - i];
		folded[i % sizeof folded] ^= out->mask[i];
	}
	struct buf id = buf_over(out->id, sizeof out->id);
	buf_hex(&id, folded, sizeof folded);
}

static struct buf begin(struct memcache_key *key, char class)
{
	struct buf text = buf_over(key->text, sizeof key->text);
	buf_char(&text, class);
	return text;
}

struct memcache_key memcache_key_of(const struct memcache_space *space, enum memcache_class class,
				    const struct store_key *key)
{
	struct memcache_key out;
	unsigned char mixed[STORE_KEY_SIZE];
	for (size_t i = 0; i < STORE_KEY_SIZE; i++)
		mixed[i] = key->bytes[i] ^ space->mask[i];
	struct buf text = begin(&out, (char)class);
	base64url_encode(&text, mixed, sizeof mixed);
	out.n = (unsigned char)text.n;
	return out;
}

static struct memcache_key own_key(const struct memcache_space *space, char class, const uint64_t *host)
{
	struct memcache_key out;
	struct buf text = begin(&out, class);
	buf_add(&text, (struct str){space->id, sizeof space->id});
	if (host) {
		unsigned char bytes[8];
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (unsigned char)(*host >> (56 - 8 * i));
		buf_char(&text, ':');
		buf_hex(&text, bytes, sizeof bytes);
	}
	out.n = (unsigned char)text.n;
	return out;
}

struct memcache_key memcache_key_roster(const struct memcache_space *space)
{
	return own_key(space, 'm', NULL);
}

struct memcache_key memcache_key_sentinel(const struct memcache_space *space, uint64_t host)
{
	return own_key(space, 'g', &host);
}

struct memcache_key memcache_key_mark(const struct memcache_space *space, uint64_t host)
{
	return own_key(space, 'h', &host);
}

struct str memcache_key_text(const struct memcache_key *key)
{
	return (struct str){key->text, key->n};
}

/* Without the class. */
static struct str name_of(const struct memcache_key *key)
{
	return (struct str){key->text + 1, MEMCACHE_NAME_SIZE};
}

void memcache_value_revocation(struct buf *out, const struct memcache_key *key, enum store_entry_kind kind)
{
	buf_char(out, kind == STORE_SESSION ? 's' : 't');
	buf_add(out, (struct str){name_of(key).p, REVOCATION_NAME});
}

bool memcache_value_is_revocation(struct str value, const struct memcache_key *key, enum store_entry_kind *kind)
{
	if (value.n != MEMCACHE_REVOCATION_SIZE || (value.p[0] != 't' && value.p[0] != 's') ||
	    !str_eq(str_skip(value, 1), (struct str){name_of(key).p, REVOCATION_NAME}))
		return false;
	*kind = value.p[0] == 's' ? STORE_SESSION : STORE_TOKEN;
	return true;
}

void memcache_value_not_before(struct buf *out, const struct memcache_key *key, int64_t not_before)
{
	buf_uint(out, (uint64_t)not_before);
	buf_char(out, ' ');
	buf_add(out, name_of(key));
}

bool memcache_value_is_not_before(struct str value, const struct memcache_key *key, int64_t *not_before)
{
	size_t blank = str_find(value, ' ');
	uint64_t number;
	if (blank == value.n || !str_eq(str_skip(value, blank + 1), name_of(key)) ||
	    !str_to_uint((struct str){value.p, blank}, INT64_MAX, &number))
		return false;
	*not_before = (int64_t)number;
	return true;
}

void memcache_value_text(struct buf *out, const struct memcache_key *key, struct str text)
{
	buf_add(out, name_of(key));
	buf_char(out, ' ');
	buf_add(out, text);
}

bool memcache_value_is_text(struct str value, const struct memcache_key *key, struct str *text)
{
	if (value.n < MEMCACHE_TEXT_EXTRA || value.p[MEMCACHE_NAME_SIZE] != ' ' || !str_starts(value, name_of(key)))
		return false;
	*text = str_skip(value, MEMCACHE_TEXT_EXTRA);
	return true;
}
