/* SPDX-License-Identifier: Apache-2.0 */
/* Compact JWE: jwe.json and vectors-jwe.json have tokens of others, here is what
 * no token of others shows. json-c reads the data. */
#include "token/jwe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "token/claims.h"
#include "unit.h"
#include "vectors.h"

enum { ARENA = 1 << 20, TEXT = 1 << 10 };

static struct arena *arena;
static struct token_thread *thread;
static unsigned char bytes[ENCRYPTION_KEY_MAX + 1];

/* 00 01 02 … */
static struct str key_bytes(size_t n)
{
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)i;
	return (struct str){(char *)bytes, n};
}

static struct jwe_key *open_key(const struct encryption *encryption, struct str kid)
{
	struct jwe_key *key = NULL;
	CU_ASSERT_TRUE_FATAL(jwe_key_open(encryption, key_bytes(encryption->key_size), kid, &key));
	return key;
}

static const struct encryption *by_name(const char *name)
{
	const struct encryption *encryption = encryption_find(str_of(name), ENCRYPTION_ALL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(encryption);
	return encryption;
}

static struct encryption_set only(const struct encryption *encryption)
{
	struct encryption_set set = {0};
	CU_ASSERT_TRUE(encryption_add(&set, encryption));
	CU_ASSERT_FALSE(encryption_add(&set, encryption));
	return set;
}

static void table(void)
{
	static const char *const names[] = {"A128GCM",	     "A192GCM",	      "A256GCM",
					    "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"};
	static const char *const unknown[] = {"", "A256GC", "A256GCM ", "a256gcm", "A256CBC", "A512GCM", "dir"};
	char memory[128];
	struct buf all = buf_over(memory, sizeof memory);
	for (size_t i = 0; i < ENCRYPTION_ROWS; i++) {
		const struct encryption *encryption = encryption_at(i);
		UNIT_STR_EQ(str_of(encryption->name), str_of(names[i]), "order");
		CU_ASSERT_EQUAL(encryption_row(encryption), i);
		CU_ASSERT_PTR_EQUAL(encryption_find(str_of(names[i]), ENCRYPTION_ALL), encryption);
		CU_ASSERT_PTR_EQUAL(encryption_find(str_of(names[i]), only(encryption)), encryption);
		CU_ASSERT_PTR_NULL(encryption_find(str_of(names[i]), (struct encryption_set){0}));
		CU_ASSERT_PTR_NULL(encryption_find(str_of(names[(i + 1) % ENCRYPTION_ROWS]), only(encryption)));
		CU_ASSERT(encryption->key_size <= ENCRYPTION_KEY_MAX && encryption->iv_size <= ENCRYPTION_IV_MAX);
	}
	CU_ASSERT_PTR_NULL(encryption_at(ENCRYPTION_ROWS));
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
		UNIT_ROW(!encryption_find(str_of(unknown[i]), ENCRYPTION_ALL), unknown[i]);
	encryption_print_all(&all);
	UNIT_STR_EQ(buf_str(&all), STR("A128GCM, A192GCM, A256GCM, A128CBC-HS256, A192CBC-HS384, A256CBC-HS512"),
		    "all names");
}

static void keys(void)
{
	for (size_t i = 0; i < ENCRYPTION_ROWS; i++) {
		const struct encryption *encryption = encryption_at(i);
		struct jwe_key *key = NULL;
		for (size_t n = 0; n <= sizeof bytes; n++) {
			bool opened = jwe_key_open(encryption, key_bytes(n), STR("one"), &key);
			CU_ASSERT_EQUAL(opened, n == encryption->key_size);
			if (!opened)
				continue;
			UNIT_STR_EQ(jwe_key_kid(key), STR("one"), "kid");
			CU_ASSERT_PTR_EQUAL(jwe_key_encryption(key), encryption);
			jwe_key_close(&key);
			CU_ASSERT_PTR_NULL(key);
		}
		key = open_key(encryption, STR_NONE);
		CU_ASSERT_PTR_NULL(jwe_key_kid(key).p);
		jwe_key_close(&key);
		jwe_key_close(&key);
	}
}

static struct str from_hex(const char *text)
{
	size_t n = strlen(text) / 2;
	char *out = arena_alloc(arena, n + 1);
	for (size_t i = 0; out && i < n; i++) {
		const char digits[] = {text[2 * i], text[2 * i + 1], 0};
		out[i] = (char)strtoul(digits, NULL, 16);
	}
	return (struct str){out, n};
}

/* RFC 7518 appendix B: K is 00 01 02 …; P, A and the IV are the same in all three. */
static void rfc7518(void)
{
	static const struct {
		const char *name, *ciphertext, *tag;
	} rows[] = {
		{"A128CBC-HS256",
		 "c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9a94ac9b47ad2655c5f10f9aef71427e2"
		 "fc6f9b3f399a221489f16362c703233609d45ac69864e3321cf82935ac4096c86e133314c54019e8ca7980dfa4b9cf1b"
		 "384c486f3a54c51078158ee5d79de59fbd34d848b3d69550a67646344427ade54b8851ffb598f7f80074b9473c82e2db",
		 "652c3fa36b0a7c5b3219fab3a30bc1c4"},
		{"A192CBC-HS384",
		 "ea65da6b59e61edb419be62d19712ae5d303eeb50052d0dfd6697f77224c8edb000d279bdc14c1072654bd30944230c6"
		 "57bed4ca0c9f4a8466f22b226d1746214bf8cfc2400add9f5126e479663fc90b3bed787a2f0ffcbf3904be2a641d5c21"
		 "05bfe591bae23b1d7449e532eef60a9ac8bb6c6b01d35d49787bcd57ef484927f280adc91ac0c4e79c7b11efc60054e3",
		 "8490ac0e58949bfe51875d733f93ac2075168039ccc733d7"},
		{"A256CBC-HS512",
		 "4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd822c301dd67c373bccb584ad3e9279c2"
		 "e6d12a1374b77f077553df829410446b36ebd97066296ae6427ea75c2e0846a11a09ccf5370dc80bfecbad28c73f09b3"
		 "a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51950bbe2638d09dd7a4930930806d0703b1f6",
		 "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5"},
	};
	static const char text[] = "A cipher system must not be required to be secret, and it must be able to fall "
				   "into the hands of the enemy without inconvenience";
	for (size_t i = 0; i < 3; i++) {
		struct jwe_key *key = open_key(by_name(rows[i].name), STR_NONE);
		struct str plaintext = STR_NONE;
		struct token token = {.form = TOKEN_JWE};
		token.jwe.header = STR("The second principle of Auguste Kerckhoffs");
		token.jwe.iv = from_hex("1af38c2dc2b96ffdd86694092341bc04");
		token.jwe.ciphertext = from_hex(rows[i].ciphertext);
		token.jwe.tag = from_hex(rows[i].tag);
		CU_ASSERT_EQUAL(jwe_decrypt(key, thread, arena, &token, &plaintext), ERR_NONE);
		UNIT_STR_EQ(plaintext, STR(text), rows[i].name);
		token.jwe.header.n--;
		CU_ASSERT_EQUAL(jwe_decrypt(key, thread, arena, &token, &plaintext), ERR_DECRYPT_FAILED);
		jwe_key_close(&key);
	}
	arena_reset(arena);
}

static struct str encrypted(const struct jwe_key *key, struct str plaintext)
{
	struct buf text = arena_buf(arena, TEXT + 2 * plaintext.n);
	CU_ASSERT_TRUE_FATAL(jwe_encrypt(key, thread, arena, plaintext, &text));
	return buf_str(&text);
}

/* The verdict of the whole way. */
static enum err decrypt(const struct jwe_key *key, struct token_thread *of, struct str text, struct str *plaintext)
{
	struct token token;
	const struct encryption *encryption;
	enum err err = token_parse(arena, text, &token);
	if (err == ERR_NONE && token.form != TOKEN_JWE)
		return ERR_BAD_ALGORITHM;
	if (err == ERR_NONE)
		err = jwe_check_header(&token, only(jwe_key_encryption(key)), &encryption);
	if (err == ERR_NONE)
		err = jwe_decrypt(key, of, arena, &token, plaintext);
	return err;
}

/* What was encrypted is decrypted, with a thread and without one, each time under another IV. */
static void round_trips(void)
{
	for (size_t i = 0; i < ENCRYPTION_ROWS; i++) {
		struct jwe_key *key = open_key(encryption_at(i), i % 2 ? STR("a\"b") : STR_NONE);
		for (size_t n = 0; n <= 64; n++) {
			struct str text = {(const char *)bytes, n}, first = encrypted(key, text), got = STR_NONE;
			CU_ASSERT_FALSE(str_eq(first, encrypted(key, text)));
			CU_ASSERT_EQUAL(decrypt(key, thread, first, &got), ERR_NONE);
			UNIT_STR_EQ(got, text, "by the thread's context");
			CU_ASSERT_EQUAL(decrypt(key, NULL, first, &got), ERR_NONE);
			UNIT_STR_EQ(got, text, "by one of its own");
			arena_reset(arena);
		}
		jwe_key_close(&key);
	}
}

static void kid_is_printed(void)
{
	struct jwe_key *key = open_key(by_name("A256GCM"), STR("first"));
	struct token token;
	struct str kid;
	CU_ASSERT_EQUAL(token_parse(arena, encrypted(key, STR("{}")), &token), ERR_NONE);
	CU_ASSERT_TRUE(json_string(json_member(token.header, STR("kid")), &kid));
	UNIT_STR_EQ(kid, STR("first"), "kid");
	UNIT_STR_EQ(token.canonical, token.text, "canonical");
	CU_ASSERT_PTR_NULL(token.payload);
	jwe_key_close(&key);
	arena_reset(arena);
}

/* Keys take turns on one thread: none is left in a context. */
static void keys_take_turns(void)
{
	struct str first_key = key_bytes(32), got, text;
	struct jwe_key *keys[2];
	const struct encryption *encryption = by_name("A256GCM");
	CU_ASSERT_TRUE_FATAL(jwe_key_open(encryption, first_key, STR_NONE, &keys[0]));
	bytes[0] ^= 1;
	CU_ASSERT_TRUE_FATAL(jwe_key_open(encryption, first_key, STR_NONE, &keys[1]));
	for (size_t i = 0; i < 8; i++) {
		text = encrypted(keys[i % 2], STR("text"));
		CU_ASSERT_EQUAL(decrypt(keys[(i + 1) % 2], thread, text, &got), ERR_DECRYPT_FAILED);
		CU_ASSERT_EQUAL(decrypt(keys[i % 2], thread, text, &got), ERR_NONE);
	}
	jwe_key_close(&keys[0]);
	jwe_key_close(&keys[1]);
	arena_reset(arena);
}

/* One part of a token cut, or filled with zeros, to every size: only its own is taken. */
static void sizes(void)
{
	enum { LONGEST = 48 };
	for (size_t i = 0; i < ENCRYPTION_ROWS; i++) {
		struct jwe_key *key = open_key(encryption_at(i), STR_NONE);
		struct token good, token;
		struct str got;
		struct str text = encrypted(key, STR("thirty-two bytes are two blocks."));
		CU_ASSERT_EQUAL_FATAL(token_parse(arena, text, &good), ERR_NONE);
		struct str token_parts[] = {good.jwe.iv, good.jwe.ciphertext, good.jwe.tag};
		for (size_t part = 0; part < 3; part++) {
			for (size_t n = 0; n <= LONGEST; n++) {
				char memory[2 * LONGEST] = {0};
				memcpy(memory, token_parts[part].p, token_parts[part].n);
				token = good;
				struct str *const changed[] = {&token.jwe.iv, &token.jwe.ciphertext, &token.jwe.tag};
				*changed[part] = (struct str){memory, n};
				enum err want = n == token_parts[part].n ? ERR_NONE : ERR_DECRYPT_FAILED;
				CU_ASSERT_EQUAL(jwe_decrypt(key, thread, arena, &token, &got), want);
			}
		}
		jwe_key_close(&key);
		arena_reset(arena);
	}
}

/* Every single changed character is refused. */
static void each_character(void)
{
	static const char others[] = "A9-_.=+/ \n";
	for (size_t i = 0; i < ENCRYPTION_ROWS; i++) {
		struct jwe_key *key = open_key(encryption_at(i), STR_NONE);
		char memory[TEXT];
		struct buf text = buf_over(memory, sizeof memory);
		struct str got;
		CU_ASSERT_TRUE_FATAL(jwe_encrypt(key, thread, arena, STR("{\"sub\":\"alice\"}"), &text));
		for (size_t at = 0; at < text.n; at++) {
			char was = text.p[at];
			for (const char *other = others; *other; other++) {
				text.p[at] = *other;
				CU_ASSERT((decrypt(key, thread, buf_str(&text), &got) == ERR_NONE) == (*other == was));
				arena_reset(arena);
			}
			text.p[at] = was;
		}
		jwe_key_close(&key);
	}
}

/* Whatever the room: the token or an error. */
static void little_room(void)
{
	for (size_t i = 0; i < ENCRYPTION_ROWS; i++) {
		struct jwe_key *key = open_key(encryption_at(i), STR_NONE);
		struct str whole = encrypted(key, STR("{}")), got;
		bool was_good = false;
		for (size_t room = 0; room <= whole.n; room++) {
			char memory[TEXT];
			struct buf text = buf_over(memory, room);
			CU_ASSERT_EQUAL(jwe_encrypt(key, thread, arena, STR("{}"), &text), room == whole.n);
		}
		for (size_t size = 0; size < 4096; size += 16) {
			struct arena *small;
			struct token token;
			CU_ASSERT_FATAL(arena_open(size, &small));
			enum err err = jwe_parse(small, whole, &token);
			CU_ASSERT(err == ERR_NONE || (err == ERR_TOKEN_MALFORMED && !was_good));
			if (err == ERR_NONE)
				err = jwe_decrypt(key, thread, small, &token, &got);
			CU_ASSERT(err == ERR_NONE || (err != ERR_DECRYPT_FAILED && !was_good));
			was_good = err == ERR_NONE;
			arena_close(&small);
		}
		CU_ASSERT_TRUE(was_good);
		jwe_key_close(&key);
		arena_reset(arena);
	}
}

/* The words of vectors-jwe.json. */
static const char *our_reason(const char *reason)
{
	static const char *const words[][2] = {
		{"decrypt-failed", "decrypt_failed"}, {"alg-not-allowed", "bad_algorithm"},
		{"enc-not-allowed", "bad_algorithm"}, {"malformed", "token_malformed"},
		{"zip-not-supported", "token_malformed"}, {"crit", "token_malformed"},
		{"expired", "token_expired"},
	};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(reason, words[i][0]) == 0)
			return words[i][1];
	return reason;
}

/* The times of a claims set; tokens.json has the rest of them. */
static enum err check_times(struct json_object *row, struct str text, struct str plaintext)
{
	static const struct conf_text sub[] = {{.value = {"sub", 3}}};
	struct claims_rules rules = {.user_id = {sub, 1}, .require_exp = true};
	struct claims claims;
	struct token token;
	CU_ASSERT_EQUAL_FATAL(token_parse(arena, text, &token), ERR_NONE);
	CU_ASSERT_TRUE_FATAL(json_parse(arena, plaintext, &token.payload));
	return claims_check(&rules, &token, json_object_get_int64(member(row, "now")), &claims);
}

static void check_row(struct json_object *row)
{
	const char *name = json_object_get_string(member(row, "name"));
	struct json_object *enc = json_object_array_get_idx(member(member(row, "policy"), "encs"), 0);
	struct str text = text_of(member(row, "token")), k = text_of(member(member(member(row, "key"), "jwk"), "k"));
	struct str plaintext = STR_NONE, secret;
	const struct encryption *encryption = by_name(text_of(enc).p);
	unsigned char secret_bytes[128];
	size_t n;
	struct jwe_key *key;
	/* The row with a key of another size stands for a configuration of another encryption. */
	bool fits = base64url_decode(k, secret_bytes, &n) && n == encryption->key_size;
	secret = fits ? (struct str){(char *)secret_bytes, n} : key_bytes(encryption->key_size);
	CU_ASSERT_TRUE_FATAL(jwe_key_open(encryption, secret, STR_NONE, &key));
	enum err err = decrypt(key, thread, text, &plaintext);
	if (err == ERR_NONE && member(row, "now"))
		err = check_times(row, text, plaintext);
	struct str reason = text_of(member(row, "reason"));
	const char *want = reason.p ? our_reason(reason.p) : err_row(ERR_NONE)->reason;
	char said[256];
	snprintf(said, sizeof said, "%s: got %s, want %s", name, err_row(err)->reason, want);
	UNIT_ROW(strcmp(err_row(err)->reason, want) == 0, said);
	if (err == ERR_NONE && member(row, "payload_hex"))
		UNIT_STR_EQ(plaintext, from_hex(text_of(member(row, "payload_hex")).p), name);
	jwe_key_close(&key);
	arena_reset(arena);
}

/* kind: NULL for all rows. */
static void check_file(const char *name, const char *kind, size_t want)
{
	size_t n = 0;
	struct json_object *rows = vectors_open(name, 1);
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		if (kind && !str_eq(text_of(member(row, "kind")), str_of(kind)))
			continue;
		check_row(row);
		n++;
	}
	CU_ASSERT_EQUAL(n, want);
	json_object_put(rows);
}

static void made_tokens(void)
{
	check_file("jwe.json", NULL, 141);
}

static void foreign_tokens(void)
{
	check_file("vectors-jwe.json", "jwe-dir", 33);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"table", table},
		{"keys", keys},
		{"RFC 7518", rfc7518},
		{"round trips", round_trips},
		{"kid is printed", kid_is_printed},
		{"keys take turns", keys_take_turns},
		{"sizes", sizes},
		{"each character", each_character},
		{"little room", little_room},
		{"made tokens", made_tokens},
		{"tokens of other libraries", foreign_tokens},
		{0},
	};
	if (!token_start() || !arena_open(ARENA, &arena) || !token_thread_open(0, &thread))
		return 1;
	int status = unit_main("jwe", cases);
	token_thread_close(&thread);
	arena_close(&arena);
	return status;
}
