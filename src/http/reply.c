/* SPDX-License-Identifier: Apache-2.0 */
/* Printing replies. Nothing that would break the head apart gets into it. */
#include "http/reply.h"

struct phrase {
	int status;
	const char *text;
};

static const char *phrase(int status)
{
	static const struct phrase phrases[] = {
		{200, "OK"},	       {201, "Created"},	     {204, "No Content"},
		{302, "Found"},	       {307, "Temporary Redirect"},
		{303, "See Other"},    {400, "Bad Request"},	     {401, "Unauthorized"},
		{403, "Forbidden"},    {404, "Not Found"},	     {405, "Method Not Allowed"},
		{402, "Payment Required"}, {409, "Conflict"},	     {410, "Gone"},
		{413, "Content Too Large"}, {415, "Unsupported Media Type"}, {422, "Unprocessable Content"},
		{423, "Locked"},       {429, "Too Many Requests"},
		{500, "Internal Server Error"}, {502, "Bad Gateway"},
		{503, "Service Unavailable"}, {504, "Gateway Timeout"},
	};
	for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
		if (phrases[i].status == status)
			return phrases[i].text;
	return "Status";
}

void reply_begin(struct reply *reply, int status)
{
	reply->out.n = 0;
	reply->out.full = false;
	reply->status = status;
	reply->in_body = false;
	buf_add(&reply->out, STR("Status: "));
	buf_int(&reply->out, status);
	buf_char(&reply->out, ' ');
	buf_add(&reply->out, str_of(phrase(status)));
	buf_add(&reply->out, STR("\r\n"));
}

static bool add_line(struct reply *reply, const char *name, struct str value, size_t most)
{
	struct str key = str_of(name);
	size_t line = key.n + 2 + value.n + 2;
	if (line >= most || reply->out.n + line >= REPLY_HEAD_MAX || str_has_control(value))
		return false;
	buf_add(&reply->out, key);
	buf_add(&reply->out, STR(": "));
	buf_add(&reply->out, value);
	buf_add(&reply->out, STR("\r\n"));
	return true;
}

bool reply_header(struct reply *reply, const char *name, struct str value)
{
	return add_line(reply, name, value, REPLY_LINE_MAX);
}

bool reply_cookie(struct reply *reply, struct str value)
{
	return add_line(reply, "Set-Cookie", value, REPLY_COOKIE_MAX);
}

bool reply_header_int(struct reply *reply, const char *name, int64_t value)
{
	char text[21];
	struct buf b = buf_over(text, sizeof text);
	buf_int(&b, value);
	return reply_header(reply, name, buf_str(&b));
}

void reply_body(struct reply *reply, const char *content_type, struct str body)
{
	reply_header(reply, "Content-Type", str_of(content_type));
	reply_header_int(reply, "Content-Length", (int64_t)body.n);
	reply_end(reply);
	buf_add(&reply->out, body);
}

void reply_end(struct reply *reply)
{
	buf_add(&reply->out, STR("\r\n"));
	reply->in_body = true;
}
