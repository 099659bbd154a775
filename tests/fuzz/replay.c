/* SPDX-License-Identifier: Apache-2.0 */
/* main() of a fuzz target without libFuzzer: feed it the files given. */
#include <stdio.h>

#include "fuzz.h"

enum { INPUT_MAX = 1 << 20 };

static int replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(INPUT_MAX);
	size_t n = file && data ? fread(data, 1, INPUT_MAX, file) : 0;
	int good = file && data && !ferror(file);
	if (file)
		fclose(file);
	/* Memory of exactly its size: a read beyond the end shows. */
	uint8_t *exact = malloc(n ? n : 1);
	for (size_t i = 0; good && exact && i < n; i++)
		exact[i] = data[i];
	if (good && exact)
		LLVMFuzzerTestOneInput(exact, n);
	else
		perror(path);
	free(exact);
	free(data);
	return good;
}

int main(int argc, char **argv)
{
	int good = argc > 1;
	for (int i = 1; i < argc; i++)
		good &= replay(argv[i]);
	printf("%d inputs\n", argc - 1);
	return good ? 0 : 1;
}
