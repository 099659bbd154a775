/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl templates list` and `templates show`: the pages as they are compiled in, to begin one's own with. */
#include <stdio.h>

#include "bin/authctl.h"
#include "bin/authctl_output.h"
#include "policy/page_files.h"

int authctl_templates_list(const struct arguments *arguments)
{
	for (const struct page_file *file = page_files; file->name.p; file++) {
		if (!arguments->json) {
			printf("%.*s\n", STR_ARGS(file->name));
			continue;
		}
		struct document document;
		document_begin(&document);
		document_text(&document, "file", file->name);
		document_number(&document, "bytes", (int64_t)file->text.n);
		document_end(&document);
	}
	return EX_OK;
}

int authctl_templates_show(const struct arguments *arguments)
{
	struct str name = str_of(arguments->operands[0]);
	const struct page_file *file = page_files;
	while (file->name.p && !str_eq(file->name, name))
		file++;
	if (!file->name.p) {
		output_error("there is no file \"%.*s\": `authctl templates list` names them", STR_ARGS(name));
		return EXIT_FAILED;
	}
	if (arguments->json) {
		struct document document;
		document_begin(&document);
		document_text(&document, "file", file->name);
		document_text(&document, "text", file->text);
		document_end(&document);
	} else {
		fwrite(file->text.p, 1, file->text.n, stdout);
	}
	return EX_OK;
}
