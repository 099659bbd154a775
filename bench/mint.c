/* SPDX-License-Identifier: Apache-2.0 */
/* mint KIND: a token of that kind, good for ten years, and in the lines below it
 * the [issuer] that takes it, without what all of the benchmark's have. */
#include <stdio.h>

#include "base/clock.h"
#include "kinds.h"

enum { TEN_YEARS = 10 * 365 * 86400 };

int main(int argc, char **argv)
{
	static struct kind_token t;
	const struct kind *kind = argc == 2 ? kind_find(argv[1]) : NULL;
	if (!kind) {
		fprintf(stderr, "usage: mint HS256|RS256|…|A256GCM|A256CBC-HS512\n");
		return 64;
	}
	bool good = token_start() && kind_open(kind, clock_now(), TEN_YEARS, &t);
	if (good)
		printf("%.*s\n%s", STR_ARGS(t.text), t.lines);
	kind_close(&t);
	return good ? 0 : 1;
}
