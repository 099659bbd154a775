/* SPDX-License-Identifier: Apache-2.0 */
/* What keys and values on memcached servers look like, and which are believed. Threat L14. */
#include "store/memcache_key.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static const struct store_key zero, other = {{0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

static struct memcache_space space_of(struct str namespace)
{
	struct memcache_space space;
	memcache_space_of(namespace, &space);
	return space;
}

static void namespaces_are_hashed(void)
{
	/* FNV-1a, 128 bits: draft-eastlake-fnv, and its xor of the four words. */
	static const struct {
		const char *text, *mask, *id;
	} rows[] = {
		{"", "6c62272e07bb014262b821756295c58d", "6bf4c294"},
		{"a", "d228cb696f1a8caf78912b704e4a8964", "8be9e5d2"},
		{"foobar", "343e1662793c64bf6f0d3597ba446f18", "984b2852"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct memcache_space space = space_of(str_of(rows[i].text));
		char memory[64];
		struct buf hex = buf_over(memory, sizeof memory);
		buf_hex(&hex, space.mask, sizeof space.mask);
		UNIT_STR_EQ(buf_str(&hex), str_of(rows[i].mask), rows[i].text);
		UNIT_STR_EQ(((struct str){space.id, sizeof space.id}), str_of(rows[i].id), rows[i].text);
	}
}

static void sites_do_not_meet(void)
{
	static const char *const names[] = {"", "a", "b", "site1", "site2", "site1 ", "fcgi-auth"};
	enum { N = sizeof names / sizeof names[0] };
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < i; j++) {
			struct memcache_space a = space_of(str_of(names[i])), b = space_of(str_of(names[j]));
			struct memcache_key x = memcache_key_of(&a, MEMCACHE_REVOCATION, &other);
			struct memcache_key y = memcache_key_of(&b, MEMCACHE_REVOCATION, &other);
			UNIT_ROW(!str_eq(memcache_key_text(&x), memcache_key_text(&y)), names[i]);
			x = memcache_key_roster(&a);
			y = memcache_key_roster(&b);
			UNIT_ROW(!str_eq(memcache_key_text(&x), memcache_key_text(&y)), names[i]);
		}
}

static void keys_have_one_form(void)
{
	struct memcache_space space = space_of(STR("a"));
	static const enum memcache_class classes[] = {MEMCACHE_REVOCATION, MEMCACHE_NOT_BEFORE, MEMCACHE_RECORD,
						      MEMCACHE_CACHED, MEMCACHE_LOCK};
	static const char *const texts[] = {"r0ijLaW8ajK94kStwTkqJZA", "u0ijLaW8ajK94kStwTkqJZA",
					    "k0ijLaW8ajK94kStwTkqJZA", "p0ijLaW8ajK94kStwTkqJZA",
					    "l0ijLaW8ajK94kStwTkqJZA"};
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
		struct memcache_key key = memcache_key_of(&space, classes[i], &zero);
		UNIT_STR_EQ(memcache_key_text(&key), str_of(texts[i]), "of a store_key");
	}
	struct memcache_key key = memcache_key_roster(&space);
	UNIT_STR_EQ(memcache_key_text(&key), STR("m8be9e5d2"), "hosts");
	key = memcache_key_sentinel(&space, 0x0123456789abcdef);
	UNIT_STR_EQ(memcache_key_text(&key), STR("g8be9e5d2:0123456789abcdef"), "generation");
	key = memcache_key_mark(&space, 1);
	UNIT_STR_EQ(memcache_key_text(&key), STR("h8be9e5d2:0000000000000001"), "mark");
}

/* A key holds letters, digits, '-', '_' and ':' whatever it is made from. */
static void hostile_bytes_reach_no_key(void)
{
	static const struct str names[] = {
		{"x\r\nset pwned 0 0 3\r\nyes\r\nget x", 31},
		{"a b", 3},
		{"\0", 1},
		{"a\0b", 3},
		{"\xf0\x9f\x92\xa9", 4},
	};
	struct store_key key;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct memcache_space space = space_of(names[i]);
		memcpy(key.bytes, "\r\nset x 0 0 1\r\n ", sizeof key.bytes);
		struct memcache_key keys[] = {memcache_key_of(&space, MEMCACHE_CACHED, &key),
					      memcache_key_roster(&space),
					      memcache_key_mark(&space, 0x0d0a2000ffffffff)};
		for (size_t j = 0; j < sizeof keys / sizeof keys[0]; j++) {
			struct str text = memcache_key_text(&keys[j]);
			size_t good = 0;
			while (good < text.n && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
						       "0123456789-_:",
						       text.p[good]) &&
			       text.p[good])
				good++;
			UNIT_ROW(good == text.n && text.n <= MEMCACHE_OWN_KEY_SIZE, text.p);
		}
	}
}

static void revocations_name_their_key(void)
{
	struct memcache_space space = space_of(STR("a"));
	struct memcache_key key = memcache_key_of(&space, MEMCACHE_REVOCATION, &zero);
	struct memcache_key wrong = memcache_key_of(&space, MEMCACHE_REVOCATION, &other);
	char memory[MEMCACHE_REVOCATION_SIZE];
	enum store_entry_kind kind = STORE_USER;
	struct buf value = buf_over(memory, sizeof memory);
	memcache_value_revocation(&value, &key, STORE_TOKEN);
	UNIT_STR_EQ(buf_str(&value), STR("t0ijLa"), "token");
	CU_ASSERT(memcache_value_is_revocation(buf_str(&value), &key, &kind) && kind == STORE_TOKEN);
	CU_ASSERT(!memcache_value_is_revocation(buf_str(&value), &wrong, &kind));
	value.n = 0;
	memcache_value_revocation(&value, &key, STORE_SESSION);
	UNIT_STR_EQ(buf_str(&value), STR("s0ijLa"), "session");
	CU_ASSERT(memcache_value_is_revocation(buf_str(&value), &key, &kind) && kind == STORE_SESSION);
	static const char *const bad[] = {"", "t", "t0ijL", "t0ijLaW", "x0ijLa", "t0ijLb", "0ijLaW"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		UNIT_ROW(!memcache_value_is_revocation(str_of(bad[i]), &key, &kind), bad[i]);
	CU_ASSERT(!memcache_value_is_revocation(STR_NONE, &key, &kind));
}

static void marks_name_their_key(void)
{
	struct memcache_space space = space_of(STR("a"));
	struct memcache_key key = memcache_key_of(&space, MEMCACHE_NOT_BEFORE, &zero);
	static const int64_t times[] = {0, 1, 1700000000, INT64_MAX};
	char memory[MEMCACHE_NOT_BEFORE_MAX];
	int64_t found = -1;
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		struct buf value = buf_over(memory, sizeof memory);
		memcache_value_not_before(&value, &key, times[i]);
		CU_ASSERT(!value.full);
		CU_ASSERT(memcache_value_is_not_before(buf_str(&value), &key, &found) && found == times[i]);
	}
	static const char *const bad[] = {
		"", " ", "17", "17 ", " 0ijLaW8ajK94kStwTkqJZA", "-1 0ijLaW8ajK94kStwTkqJZA",
		"017 0ijLaW8ajK94kStwTkqJZA", "17 0ijLaW8ajK94kStwTkqJZ", "17 0ijLaW8ajK94kStwTkqJZB",
		"17 0ijLaW8ajK94kStwTkqJZA ", "17  0ijLaW8ajK94kStwTkqJZA", "1x 0ijLaW8ajK94kStwTkqJZA",
		"9223372036854775808 0ijLaW8ajK94kStwTkqJZA"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		UNIT_ROW(!memcache_value_is_not_before(str_of(bad[i]), &key, &found), bad[i]);
	CU_ASSERT(!memcache_value_is_not_before(STR_NONE, &key, &found));
}

static void texts_name_their_key(void)
{
	struct memcache_space space = space_of(STR("a"));
	struct memcache_key key = memcache_key_of(&space, MEMCACHE_RECORD, &zero);
	static const struct str texts[] = {{"", 0}, {" ", 1}, {"a b\r\nc", 6}, {"\0x", 2}};
	char memory[64];
	struct str found;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct buf value = buf_over(memory, sizeof memory);
		memcache_value_text(&value, &key, texts[i]);
		CU_ASSERT(value.n == MEMCACHE_TEXT_EXTRA + texts[i].n);
		CU_ASSERT(memcache_value_is_text(buf_str(&value), &key, &found));
		UNIT_STR_EQ(found, texts[i], "text");
	}
	static const char *const bad[] = {"", "0ijLaW8ajK94kStwTkqJZA", "0ijLaW8ajK94kStwTkqJZB x",
					  "0ijLaW8ajK94kStwTkqJZAx", "x", " 0ijLaW8ajK94kStwTkqJZA x"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		UNIT_ROW(!memcache_value_is_text(str_of(bad[i]), &key, &found), bad[i]);
	CU_ASSERT(!memcache_value_is_text(STR_NONE, &key, &found));
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"namespaces are hashed", namespaces_are_hashed},
		{"sites do not meet", sites_do_not_meet},
		{"keys have one form", keys_have_one_form},
		{"hostile bytes reach no key", hostile_bytes_reach_no_key},
		{"revocations name their key", revocations_name_their_key},
		{"marks name their key", marks_name_their_key},
		{"texts name their key", texts_name_their_key},
		{NULL, NULL},
	};
	return unit_main("memcache_key", cases);
}
