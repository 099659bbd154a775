/* SPDX-License-Identifier: Apache-2.0 */
/* base64url: each text that is accepted is the only one of its bytes. */
#include <string.h>

#include "base/codec.h"
#include "fuzz.h"

static void check_text(struct str text)
{
	unsigned char *bytes = malloc(BASE64URL_DECODED(text.n));
	char *again = malloc(text.n + 4);
	size_t n = 0;
	FUZZ_CHECK(bytes && again);
	if (base64url_decode(text, bytes, &n)) {
		struct buf b = buf_over(again, text.n + 4);
		FUZZ_CHECK(n <= BASE64URL_DECODED(text.n));
		base64url_encode(&b, bytes, n);
		FUZZ_CHECK(str_eq(buf_str(&b), text));
	}
	free(again);
	free(bytes);
}

static void check_bytes(const uint8_t *data, size_t size)
{
	char *text = malloc(BASE64URL_ENCODED(size) + 1);
	unsigned char *again = malloc(BASE64URL_DECODED(BASE64URL_ENCODED(size)));
	size_t n = 0;
	FUZZ_CHECK(text && again);
	struct buf b = buf_over(text, BASE64URL_ENCODED(size));
	base64url_encode(&b, data, size);
	FUZZ_CHECK(!b.full && base64url_decode(buf_str(&b), again, &n));
	FUZZ_CHECK(n == size && (size == 0 || memcmp(again, data, size) == 0));
	free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_text((struct str){(const char *)data, size});
	check_bytes(data, size);
	return 0;
}
