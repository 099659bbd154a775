/* SPDX-License-Identifier: Apache-2.0 */
/* DER (ITU-T X.690) of two positive integers is written here, and read by OpenSSL. */
#include "token/ecdsa.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <string.h>

/* A DER INTEGER: no leading zeros but one in front of a set sign bit. */
static bool add_integer(struct str number, unsigned char *out, size_t *n)
{
	while (number.n > 0 && number.p[0] == 0)
		number = str_skip(number, 1);
	if (number.n == 0)
		return false;
	bool sign = (unsigned char)number.p[0] & 0x80;
	out[(*n)++] = 0x02;
	out[(*n)++] = (unsigned char)(number.n + sign);
	if (sign)
		out[(*n)++] = 0;
	memcpy(out + *n, number.p, number.n);
	*n += number.n;
	return true;
}

bool ecdsa_to_der(struct str signature, unsigned char out[ECDSA_DER_MAX], size_t *n)
{
	unsigned char integers[ECDSA_DER_MAX];
	size_t half = signature.n / 2, size = 0, head = 0;
	if (half > 66 || !add_integer((struct str){signature.p, half}, integers, &size) ||
	    !add_integer(str_skip(signature, half), integers, &size))
		return false;
	out[head++] = 0x30;
	if (size >= 0x80)
		out[head++] = 0x81;
	out[head++] = (unsigned char)size;
	memcpy(out + head, integers, size);
	*n = head + size;
	return true;
}

bool ecdsa_from_der(const unsigned char *der, size_t n, unsigned char *out, size_t size)
{
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)n);
	int half = (int)(size / 2);
	bool good = pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, half) == half &&
		    BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + half, half) == half;
	ECDSA_SIG_free(pair);
	return good;
}
