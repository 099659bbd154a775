/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl secret generate`, and `authctl reference`: what needs no configuration. */
#include <stdio.h>

#include "base/codec.h"
#include "base/secret.h"
#include "bin/authctl.h"
#include "bin/authctl_output.h"
#include "policy/runtime.h"

/* 48 bytes are 64 characters: enough for HS512, which wants 64. */
enum { BYTES_MIN = 32, BYTES_MAX = 1024, BYTES_DEFAULT = 48 };

int authctl_secret_generate(const struct arguments *arguments)
{
	unsigned char bytes[BYTES_MAX];
	char text[BASE64URL_ENCODED(BYTES_MAX)];
	uint64_t n = BYTES_DEFAULT;
	const char *wanted = arguments_value(arguments, OPTION_BYTES);
	if (wanted && (!str_to_uint(str_of(wanted), BYTES_MAX, &n) || n < BYTES_MIN))
		return arguments_wrong(arguments, "--bytes is a number from %d to %d", BYTES_MIN, BYTES_MAX);
	struct buf out = buf_over(text, sizeof text);
	random_bytes(bytes, n);
	base64url_encode(&out, bytes, n);
	if (arguments->json) {
		struct document document;
		document_begin(&document);
		document_text(&document, "secret", buf_str(&out));
		document_end(&document);
	} else {
		printf("%.*s\n", STR_ARGS(buf_str(&out)));
	}
	secret_wipe(bytes, sizeof bytes);
	secret_wipe(text, sizeof text);
	return EX_OK;
}

static void print_kind(const struct conf_kind *kind)
{
	for (const struct conf_opt *opt = kind->opts; opt->key; opt++) {
		struct document document;
		document_begin(&document);
		document_text(&document, "section", str_of(kind->name));
		document_text(&document, "key", str_of(opt->key));
		document_text(&document, "default", str_of(opt->initial));
		document_text(&document, "range", str_of(opt->range));
		document_text(&document, "help", str_of(opt->help));
		document_end(&document);
	}
}

int authctl_reference(const struct arguments *arguments)
{
	char text[65536];
	struct buf out = buf_over(text, sizeof text);
	for (size_t i = 0; arguments->json && runtime_kinds[i]; i++)
		print_kind(runtime_kinds[i]);
	if (!arguments->json)
		conf_reference(&out, runtime_kinds);
	if (out.full) {
		output_error("the reference is longer than %zu bytes", sizeof text);
		return EXIT_FAILED;
	}
	fwrite(out.p, 1, out.n, stdout);
	return EX_OK;
}
