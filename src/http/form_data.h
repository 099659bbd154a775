/* SPDX-License-Identifier: Apache-2.0 */
/* What a browser's form has sent, in any of its three encodings (HTML standard,
 * section 4.10.22): enough to send the same from another page. */
#ifndef HTTP_FORM_DATA_H
#define HTTP_FORM_DATA_H

#include "base/arena.h"

enum form_encoding { FORM_URLENCODED, FORM_MULTIPART, FORM_PLAIN, FORM_ENCODINGS };

enum { FORM_DATA_FIELDS_MAX = 1000 };

struct form_data_field {
	struct str name, value; /* UTF-8; of a file its name, as the browser has told it */
	bool is_file;		/* its content is left out: no server can put a file into a form */
};

struct form_data {
	enum form_encoding encoding;
	/* The form was in another character encoding than UTF-8, whose bytes have been
	 * read as windows-1252: sent in that, every byte is again what it was. */
	bool windows_1252;
	const struct form_data_field *fields; /* in their order */
	size_t n;
};

/* Is it a Content-Type that forms have? */
bool form_data_encoding(struct str content_type, enum form_encoding *out);
/* The value of enctype. */
struct str form_data_enctype(enum form_encoding encoding);
/* false: no such content type, more than FORM_DATA_FIELDS_MAX fields, a body that
 * no browser would send, or one with a byte that a page cannot hold (NUL). */
bool form_data_read(struct arena *arena, struct str content_type, struct str body, struct form_data *out);

#endif
