/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of the fuzz targets: libFuzzer's entry, and a check that ends the
 * process where it finds something. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition) \
	do {                  \
		if (!(condition)) \
			abort();  \
	} while (0)

#endif
