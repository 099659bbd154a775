/* SPDX-License-Identifier: Apache-2.0 */
/* A Cookie header: one cookie by its name, and one in chunks. What is found is
 * in the header, and is found again when it is written in another way. */
#include <string.h>

#include "fuzz.h"
#include "http/cookie.h"

enum { HEADER_MAX = 1 << 16 };

static bool is_inside(struct str value, struct str header)
{
	return value.n == 0 || (value.p >= header.p && value.p + value.n <= header.p + header.n);
}

/* How many pairs are chunks; each has its own name in the header. */
static size_t count_pairs(struct str header, struct str name)
{
	struct str rest = header, pair, own;
	unsigned number;
	size_t n = 0;
	while (str_split(&rest, ';', &pair)) {
		if (!cookie_is_chunk(pair, name, &number, &own))
			continue;
		FUZZ_CHECK(number < COOKIE_CHUNKS_MAX && is_inside(own, header) && str_starts(own, name));
		FUZZ_CHECK(own.n <= name.n + 3 && str_find(own, '=') == own.n);
		n++;
	}
	return n;
}

/* Last chunk first, in quotes, of which exactly one pair is taken off. */
static void find_again(const struct cookie_chunks *chunks, struct str name)
{
	static char memory[2 * HEADER_MAX];
	struct cookie_chunks again;
	struct buf header = buf_over(memory, sizeof memory);
	for (size_t i = chunks->n; i-- > 0;)
		buf_printf(&header, ";%.*s.%zu=\"%.*s\"; %.*s.x=y", STR_ARGS(name), i, STR_ARGS(chunks->values[i]),
			   STR_ARGS(name));
	if (header.full)
		return;
	FUZZ_CHECK(cookie_find_chunks(buf_str(&header), name, &again) == COOKIE_CHUNKS_ALL);
	FUZZ_CHECK(again.n == chunks->n && again.size == chunks->size);
	for (size_t i = 0; i < chunks->n; i++)
		FUZZ_CHECK(str_eq(again.values[i], chunks->values[i]));
}

static void check_chunks(struct str header, struct str name)
{
	static char memory[HEADER_MAX];
	struct cookie_chunks chunks;
	size_t pairs = count_pairs(header, name);
	enum cookie_chunks_found found = cookie_find_chunks(header, name, &chunks);
	FUZZ_CHECK(found != COOKIE_CHUNKS_NONE || pairs == 0);
	if (found != COOKIE_CHUNKS_ALL)
		return;
	FUZZ_CHECK(chunks.n > 0 && chunks.n <= COOKIE_CHUNKS_MAX && chunks.n <= pairs && chunks.size < header.n);
	for (size_t i = 0; i < chunks.n; i++)
		FUZZ_CHECK(chunks.values[i].p && is_inside(chunks.values[i], header));
	struct buf joined = buf_over(memory, sizeof memory);
	cookie_join(&chunks, &joined);
	FUZZ_CHECK(joined.full || joined.n == chunks.size);
	/* A blank or NUL inside a value would end it in print. */
	for (size_t i = 0; i < chunks.n; i++)
		if (memchr(chunks.values[i].p, '\0', chunks.values[i].n))
			return;
	find_again(&chunks, name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str header = {(const char *)data, size}, value = STR_NONE;
	if (size > HEADER_MAX)
		return 0;
	unsigned found = cookie_find(header, STR("a"), &value);
	FUZZ_CHECK(found <= 2 && (found == 0) == (value.p == NULL) && is_inside(value, header));
	check_chunks(header, STR("a"));
	check_chunks(header, STR("authjs.session-token"));
	return 0;
}
