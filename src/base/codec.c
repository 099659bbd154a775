/* SPDX-License-Identifier: Apache-2.0 */
/* Strict decoding and encoding of bytes as text. */
#include "base/codec.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#define RUN4(v) v, v + 1, v + 2, v + 3
#define RUN8(v) RUN4(v), RUN4(v + 4)
#define NONE8 255, 255, 255, 255, 255, 255, 255, 255
#define NONE64 NONE8, NONE8, NONE8, NONE8, NONE8, NONE8, NONE8, NONE8
/* The value of each byte in the alphabet of base64url, 255 for the others. */
static const unsigned char values[256] = {
	NONE8, NONE8, NONE8, NONE8,
	/* ' ' … '/' has '-' alone, then the digits */
	NONE8, 255, 255, 255, 255, 255, 62, 255, 255,
	RUN8(52), 60, 61, 255, 255, 255, 255, 255, 255,
	/* '@', 'A' … 'Z', '_' */
	255, 0, 1, 2, 3, 4, 5, 6, RUN8(7), RUN8(15), 23, 24, 25, 255, 255, 255, 255, 63,
	/* '`', 'a' … 'z' */
	255, 26, 27, 28, 29, 30, 31, 32, RUN8(33), RUN8(41), 49, 50, 51, 255, 255, 255, 255, 255,
	NONE64, NONE64,
};

bool base64url_decode(struct str s, unsigned char *out, size_t *n)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned char *to = out;
	unsigned char bad = 0;
	size_t whole = s.n / 4, rest = s.n % 4;
	if (rest == 1)
		return false;
	for (size_t i = 0; i < whole; i++, p += 4, to += 3) {
		unsigned a = values[p[0]], b = values[p[1]], c = values[p[2]], d = values[p[3]];
		bad |= (unsigned char)(a | b | c | d);
		to[0] = (unsigned char)(a << 2 | b >> 4);
		to[1] = (unsigned char)(b << 4 | c >> 2);
		to[2] = (unsigned char)(c << 6 | d);
	}
	if (rest) {
		unsigned a = values[p[0]], b = values[p[1]], c = rest == 3 ? values[p[2]] : 0;
		bad |= (unsigned char)(a | b | c);
		/* Unused bits that are set would give one byte string several texts. */
		if (rest == 3 ? c & 3 : b & 15)
			return false;
		*to++ = (unsigned char)(a << 2 | b >> 4);
		if (rest == 3)
			*to++ = (unsigned char)(b << 4 | c >> 2);
	}
	if (bad & 0xc0)
		return false;
	*n = (size_t)(to - out);
	return true;
}

void base64url_encode(struct buf *out, const unsigned char *bytes, size_t n)
{
	size_t i = 0;
	for (; i + 2 < n; i += 3) {
		char text[4] = {alphabet[bytes[i] >> 2], alphabet[(bytes[i] & 3) << 4 | bytes[i + 1] >> 4],
				alphabet[(bytes[i + 1] & 15) << 2 | bytes[i + 2] >> 6], alphabet[bytes[i + 2] & 63]};
		buf_add(out, (struct str){text, 4});
	}
	if (i + 1 == n) {
		buf_char(out, alphabet[bytes[i] >> 2]);
		buf_char(out, alphabet[(bytes[i] & 3) << 4]);
	} else if (i + 2 == n) {
		buf_char(out, alphabet[bytes[i] >> 2]);
		buf_char(out, alphabet[(bytes[i] & 3) << 4 | bytes[i + 1] >> 4]);
		buf_char(out, alphabet[(bytes[i + 1] & 15) << 2]);
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool percent_decode(struct str s, bool plus, char *out, size_t *n)
{
	size_t length = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '%') {
			int high = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
			int low = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (plus && c == '+') {
			c = ' ';
		}
		out[length++] = c;
	}
	*n = length;
	return true;
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~", c));
}

void percent_encode(struct buf *out, struct str s, const char *keep)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (is_unreserved(s.p[i]) || (c != 0 && strchr(keep, c))) {
			buf_char(out, s.p[i]);
			continue;
		}
		char text[3] = {'%', digits[c >> 4], digits[c & 15]};
		buf_add(out, (struct str){text, 3});
	}
}
