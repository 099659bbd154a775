/* SPDX-License-Identifier: Apache-2.0 */
/* A mark is nine words with one blank between them:
 *   1 HOST GENERATION STATE SEQUENCE SINCE LIST WITHOUT ECHOES
 * WITHOUT: hashes with commas between them, or "-". ECHOES: HOST:SEQUENCE, the same. */
#include "store/farm_mark.h"

enum { HASH_DIGITS = 8 };

static void print_hex(struct buf *out, uint64_t number, size_t digits)
{
	static const char alphabet[] = "0123456789abcdef";
	for (size_t i = digits; i-- > 0;)
		buf_char(out, alphabet[number >> 4 * i & 15]);
}

static bool read_hex(struct str text, size_t digits, uint64_t *out)
{
	uint64_t number = 0;
	if (text.n != digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		char c = text.p[i];
		if (c >= '0' && c <= '9')
			number = number << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			number = number << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*out = number;
	return true;
}

void farm_id_print(struct buf *out, uint64_t id)
{
	print_hex(out, id, FARM_ID_DIGITS);
}

bool farm_id_read(struct str text, uint64_t *out)
{
	uint64_t id;
	if (!read_hex(text, FARM_ID_DIGITS, &id) || id == 0)
		return false;
	*out = id;
	return true;
}

void farm_mark_print(struct buf *out, const struct farm_mark *mark)
{
	buf_add(out, STR("1 "));
	farm_id_print(out, mark->host);
	buf_char(out, ' ');
	farm_id_print(out, mark->generation);
	buf_char(out, ' ');
	buf_char(out, (char)mark->state);
	buf_char(out, ' ');
	farm_id_print(out, mark->sequence);
	buf_char(out, ' ');
	farm_id_print(out, mark->since);
	buf_char(out, ' ');
	print_hex(out, mark->list, HASH_DIGITS);
	buf_add(out, mark->n_without ? STR(" ") : STR(" -"));
	for (size_t i = 0; i < mark->n_without; i++) {
		if (i > 0)
			buf_char(out, ',');
		print_hex(out, mark->without[i], HASH_DIGITS);
	}
	buf_add(out, mark->n_echoes ? STR(" ") : STR(" -"));
	for (size_t i = 0; i < mark->n_echoes; i++) {
		if (i > 0)
			buf_char(out, ',');
		farm_id_print(out, mark->echoes[i].host);
		buf_char(out, ':');
		farm_id_print(out, mark->echoes[i].sequence);
	}
}

static bool read_without(struct str text, struct farm_mark *out)
{
	struct str word;
	uint64_t hash;
	out->n_without = 0;
	if (str_eq(text, STR("-")))
		return true;
	while (str_split(&text, ',', &word)) {
		if (out->n_without == FARM_SERVERS_MAX || !read_hex(word, HASH_DIGITS, &hash))
			return false;
		out->without[out->n_without++] = (uint32_t)hash;
	}
	return true;
}

static bool read_echoes(struct str text, struct farm_mark *out)
{
	struct str word;
	out->n_echoes = 0;
	if (str_eq(text, STR("-")))
		return true;
	while (str_split(&text, ',', &word)) {
		if (out->n_echoes == FARM_HOSTS_MAX || word.n != 2 * FARM_ID_DIGITS + 1 ||
		    word.p[FARM_ID_DIGITS] != ':')
			return false;
		struct farm_echo *echo = &out->echoes[out->n_echoes++];
		if (!farm_id_read((struct str){word.p, FARM_ID_DIGITS}, &echo->host) ||
		    !farm_id_read(str_skip(word, FARM_ID_DIGITS + 1), &echo->sequence))
			return false;
	}
	return true;
}

bool farm_mark_read(struct str text, uint64_t host, struct farm_mark *out)
{
	enum { VERSION, HOST, GENERATION, STATE, SEQUENCE, SINCE, LIST, WITHOUT, ECHOES, WORDS };
	struct str words[WORDS], rest = text, word;
	size_t n = 0;
	uint64_t list;
	while (str_split(&rest, ' ', &word)) {
		if (n == WORDS)
			return false;
		words[n++] = word;
	}
	if (n != WORDS || !str_eq(words[VERSION], STR("1")) || !farm_id_read(words[HOST], &out->host) ||
	    out->host != host || !farm_id_read(words[GENERATION], &out->generation) || words[STATE].n != 1 ||
	    !farm_id_read(words[SEQUENCE], &out->sequence) || !farm_id_read(words[SINCE], &out->since) ||
	    out->since > out->sequence || !read_hex(words[LIST], HASH_DIGITS, &list))
		return false;
	char state = words[STATE].p[0];
	if (state != FARM_PUBLISHING && state != FARM_WHOLE && state != FARM_RESTING)
		return false;
	out->state = (enum farm_state)state;
	out->list = (uint32_t)list;
	return read_without(words[WITHOUT], out) && read_echoes(words[ECHOES], out);
}

void farm_roster_print(struct buf *out, const struct farm_roster *roster)
{
	for (size_t i = 0; i < roster->n; i++) {
		if (i > 0)
			buf_char(out, ' ');
		farm_id_print(out, roster->hosts[i]);
	}
}

bool farm_roster_read(struct str text, struct farm_roster *out)
{
	struct str word;
	uint64_t id;
	out->n = 0;
	while (str_split(&text, ' ', &word)) {
		if (out->n > FARM_HOSTS_MAX || !farm_id_read(word, &id) || farm_roster_has(out, id))
			return false;
		out->hosts[out->n++] = id;
	}
	return true;
}

bool farm_roster_has(const struct farm_roster *roster, uint64_t host)
{
	for (size_t i = 0; i < roster->n; i++)
		if (roster->hosts[i] == host)
			return true;
	return false;
}

/* FNV-1a. An admin chose the addresses: it need not withstand anybody. */
uint32_t farm_server_hash(struct str address)
{
	uint32_t h = 0x811c9dc5;
	for (size_t i = 0; i < address.n; i++)
		h = (h ^ (unsigned char)address.p[i]) * 0x01000193;
	return h;
}

uint32_t farm_list_hash(const struct str *addresses, size_t n)
{
	uint32_t all = (uint32_t)n;
	for (size_t i = 0; i < n; i++)
		all += farm_server_hash(addresses[i]) * 0x9e3779b1;
	return all;
}
