/* SPDX-License-Identifier: Apache-2.0 */
/* The only user of the HTTP parser library. Distributions build that library
 * without its strict mode, so what it finds is believed only where it stands
 * exactly where the grammar puts it: every part's neighbours are looked at. */
#include "web/http_head.h"

#include <http_parser.h>
#include <string.h>

enum { HEAD_MAX = 2 << 20 /* of the library, above every max-request-headers */ };

struct reading {
	const char *bytes;
	struct http_head *out;
	struct params *params;
	const char *why;
	struct str target, name; /* name: a header whose value has not come yet */
	bool has_host, has_length, complete;
};

/* Always false. */
static bool wrong(struct reading *r, const char *why)
{
	if (!r->why)
		r->why = why;
	return false;
}

/* --- names ------------------------------------------------------------------- */

/* Of the characters from ' ' on: the one that stands for it in a parameter's name,
 * '!' where the header is left out, ' ' for what no name may have. */
static const char folded[] = " ! !!!!!  !! _! 0123456789       ABCDEFGHIJKLMNOPQRSTUVWXYZ   !!!"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ ! ! ";

enum naming { NAME_GOOD, NAME_LEFT_OUT, NAME_WRONG };

static enum naming fold(struct str name, char *to)
{
	enum naming naming = NAME_GOOD;
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];
		to[i] = c < ' ' || c > '~' ? ' ' : folded[c - ' '];
		if (to[i] == ' ')
			return NAME_WRONG;
		if (to[i] == '!')
			naming = NAME_LEFT_OUT;
	}
	return naming;
}

/* --- headers that say where the request ends ------------------------------------ */

static bool take_host(struct reading *r, struct str value)
{
	if (r->has_host)
		return wrong(r, "more than one Host");
	r->has_host = true;
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] <= ' ' || value.p[i] > '~' || strchr("\"#/<>?@\\^`{|}", value.p[i]))
			return wrong(r, "character in Host");
	return true;
}

static bool take_length(struct reading *r, struct str value)
{
	if (r->has_length)
		return wrong(r, "more than one Content-Length");
	r->has_length = true;
	return str_to_uint(value, INT64_MAX, &r->out->length) || wrong(r, "Content-Length");
}

static bool take_encoding(struct reading *r, struct str value)
{
	if (r->out->chunked || !str_eq_nocase(value, STR("chunked")))
		return wrong(r, "Transfer-Encoding");
	r->out->chunked = true;
	return true;
}

static bool take_expectation(struct reading *r, struct str value)
{
	if (!str_eq_nocase(value, STR("100-continue")))
		return wrong(r, "Expect");
	r->out->expects = true;
	return true;
}

static bool take_special(struct reading *r, struct str folded_name, struct str value)
{
	if (str_eq(folded_name, STR("HOST")))
		return take_host(r, value);
	if (str_eq(folded_name, STR("CONTENT_LENGTH")))
		return take_length(r, value);
	if (str_eq(folded_name, STR("TRANSFER_ENCODING")))
		return take_encoding(r, value);
	if (str_eq(folded_name, STR("EXPECT")))
		return take_expectation(r, value);
	return true;
}

/* What params_add would look for cannot be there: names are made here, and values
 * have no control byte but tabs. */
static bool add(struct reading *r, struct str name, struct str value)
{
	struct params *params = r->params;
	if (params->n == PARAMS_MAX)
		return wrong(r, "number of parameters");
	params->items[params->n++] = (struct param){name, value};
	return true;
}

static bool take_header(struct reading *r, struct str name, struct str value)
{
	static const char prefix[] = "HTTP_";
	enum { PREFIX = sizeof prefix - 1 };
	struct params *params = r->params;
	char *text = params->text + params->text_n;
	if (name.n > PARAMS_NAME_MAX - PREFIX || sizeof params->text - params->text_n < PREFIX + name.n)
		return wrong(r, "length of the header names");
	switch (fold(name, text + PREFIX)) {
	case NAME_WRONG:
		return wrong(r, "character in a header's name");
	case NAME_LEFT_OUT:
		return true;
	case NAME_GOOD:
		break;
	}
	memcpy(text, prefix, PREFIX);
	params->text_n += PREFIX + name.n;
	struct str all = {text, PREFIX + name.n}, bare = str_skip(all, PREFIX);
	if (!take_special(r, bare, value))
		return false;
	bool is_bare = str_eq(bare, STR("CONTENT_TYPE")) || str_eq(bare, STR("CONTENT_LENGTH"));
	return add(r, is_bare ? bare : all, value);
}

/* --- what the library finds ------------------------------------------------------- */

static bool is_blank(const char *from, const char *to)
{
	while (from < to && (*from == ' ' || *from == '\t'))
		from++;
	return from == to;
}

static bool is_line_end(const char *at)
{
	return at[0] == '\r' && at[1] == '\n';
}

/* Before the headers, so that a refusal's line in the log has them. A target with a
 * NUL does not get as far as this. */
static int on_url(http_parser *parser, const char *at, size_t n)
{
	struct reading *r = parser->data;
	struct str method = str_of(http_method_str((enum http_method)parser->method));
	r->target = (struct str){at, n};
	return !(add(r, STR("REQUEST_METHOD"), method) && add(r, STR("REQUEST_URI"), r->target));
}

static int on_header_field(http_parser *parser, const char *at, size_t n)
{
	struct reading *r = parser->data;
	if (r->name.p || at - r->bytes < 2 || !is_line_end(at - 2) || at[n] != ':')
		return !wrong(r, "header line");
	r->name = (struct str){at, n};
	return 0;
}

/* An empty value is told with the place behind its line. */
static int on_header_value(http_parser *parser, const char *at, size_t n)
{
	struct reading *r = parser->data;
	if (!r->name.p)
		return !wrong(r, "folded header line");
	const char *begin = r->name.p + r->name.n + 1, *end = n > 0 ? at + n : at - 2;
	if (end < begin || !is_blank(begin, n > 0 ? at : end) || !is_line_end(end))
		return !wrong(r, "header line");
	struct str value = str_trim((struct str){begin, (size_t)(end - begin)}), name = r->name;
	r->name = STR_NONE;
	/* The library looks at all but the first one. */
	if (value.n > 0 && str_has_control((struct str){value.p, 1}))
		return !wrong(r, "control byte in a header");
	return !take_header(r, name, value);
}

static int on_headers_complete(http_parser *parser)
{
	(void)parser;
	return 1; /* no body: that is not the library's */
}

static int on_message_complete(http_parser *parser)
{
	struct reading *r = parser->data;
	r->complete = true;
	http_parser_pause(parser, 1); /* whatever follows is no part of this message */
	return 0;
}

/* --- the request line, and all of it --------------------------------------------- */

static bool is_target(struct str target)
{
	for (size_t i = 0; i < target.n; i++)
		if (target.p[i] <= ' ' || target.p[i] > '~' || target.p[i] == '#')
			return false;
	return target.n > 0 && target.p[0] == '/';
}

/* "METHOD /target HTTP/1.x", and that to the byte. */
static bool check_request_line(struct reading *r, const http_parser *parser, struct str bytes)
{
	struct str method = str_of(http_method_str((enum http_method)parser->method)), target = r->target;
	if (!target.p || target.p != bytes.p + method.n + 1 || target.p[-1] != ' ' || !str_starts(bytes, method))
		return wrong(r, "request line");
	struct str version = str_skip(bytes, method.n + 1 + target.n);
	r->out->is_1_0 = str_starts(version, STR(" HTTP/1.0\r\n"));
	if (!r->out->is_1_0 && !str_starts(version, STR(" HTTP/1.1\r\n")))
		return wrong(r, "version of HTTP");
	if (!is_target(target) || str_eq(method, STR("CONNECT")))
		return wrong(r, "request target");
	r->out->is_head = str_eq(method, STR("HEAD"));
	return add(r, STR("SERVER_PROTOCOL"), r->out->is_1_0 ? STR("HTTP/1.0") : STR("HTTP/1.1"));
}

/* Where two readers could see another end of the request, there is none. */
static bool check_framing(struct reading *r, const http_parser *parser)
{
	struct http_head *out = r->out;
	bool chunked = parser->flags & F_CHUNKED, has_length = parser->flags & F_CONTENTLENGTH;
	if (!r->has_host && !out->is_1_0)
		return wrong(r, "no Host");
	if (out->chunked && (r->has_length || out->is_1_0))
		return wrong(r, "Transfer-Encoding");
	if (out->chunked != chunked || r->has_length != has_length ||
	    (has_length && parser->content_length != out->length))
		return wrong(r, "length of the body");
	out->keep = http_should_keep_alive(parser) && !(parser->flags & F_CONNECTION_CLOSE);
	return true;
}

void http_head_start(void)
{
	http_parser_set_max_header_size(HEAD_MAX);
}

const char *http_head_read(const char *bytes, size_t n, struct http_head *out, struct params *params)
{
	static const http_parser_settings settings = {
		.on_url = on_url,
		.on_header_field = on_header_field,
		.on_header_value = on_header_value,
		.on_headers_complete = on_headers_complete,
		.on_message_complete = on_message_complete,
	};
	struct reading r = {.bytes = bytes, .out = out, .params = params};
	http_parser parser = {.data = &r};
	*out = (struct http_head){0};
	params->n = params->text_n = 0;
	http_parser_init(&parser, HTTP_REQUEST);
	size_t read = http_parser_execute(&parser, &settings, bytes, n);
	if (!r.complete)
		wrong(&r, http_errno_description(HTTP_PARSER_ERRNO(&parser)));
	else if (read != n || r.name.p)
		wrong(&r, "line end without LF");
	if (!r.why && check_request_line(&r, &parser, (struct str){bytes, n}))
		check_framing(&r, &parser);
	return r.why;
}
