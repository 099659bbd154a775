/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "unit.h"
#include "http/reply.h"
#include "web/http_frame.h"

static char memory[128 + REPLY_MAX];

static struct str frame(const char *reply, bool is_1_0, bool is_head, bool closing)
{
	struct str text = str_of(reply);
	memset(memory, 0x5a, 128);
	memcpy(memory + 128, text.p, text.n);
	return http_frame_reply(memory + 128, text.n, &(struct http_frame){is_1_0, is_head, closing});
}

static void test_answers(void)
{
	static const char allow[] = "Status: 200 OK\r\nVariable-REMOTE_USER: u\r\n\r\n";
	static const char page[] = "Status: 404 Not Found\r\nContent-Type: t\r\ncontent-length: 4\r\n\r\nbody";
	static const struct {
		const char *row, *reply;
		bool is_1_0, is_head, closing;
		const char *want;
	} rows[] = {
		{"no body", allow, false, false, false,
		 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nVariable-REMOTE_USER: u\r\n\r\n"},
		{"body with its length", page, false, false, false,
		 "HTTP/1.1 404 Not Found\r\nContent-Type: t\r\ncontent-length: 4\r\n\r\nbody"},
		{"body without", "Status: 200 OK\r\n\r\nbody\r\n\r\n", false, false, false,
		 "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nbody\r\n\r\n"},
		{"HEAD", page, false, true, false,
		 "HTTP/1.1 404 Not Found\r\nContent-Type: t\r\ncontent-length: 4\r\n\r\n"},
		{"HEAD without length", "Status: 200 OK\r\n\r\nbody", false, true, false,
		 "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"},
		{"closing", allow, false, false, true,
		 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\nVariable-REMOTE_USER: u\r\n\r\n"},
		{"HTTP/1.0", allow, true, false, false,
		 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\nVariable-REMOTE_USER: u\r\n\r\n"},
		{"HTTP/1.0, closing", page, true, false, true,
		 "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Type: t\r\ncontent-length: 4\r\n\r\nbody"},
		{"204", "Status: 204 No Content\r\nVary: Origin\r\n\r\nno", false, false, false,
		 "HTTP/1.1 204 No Content\r\nVary: Origin\r\n\r\n"},
		{"the least", "Status: 200\r\n\r\n", false, false, false, "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_STR_EQ(frame(rows[i].reply, rows[i].is_1_0, rows[i].is_head, rows[i].closing),
			    str_of(rows[i].want), rows[i].row);
}

static void test_no_answers(void)
{
	static const char *const replies[] = {"Status: 200 OK\r\n", "Status: 200 OK\r\nA: b\r\n", "Status: 200 OK\n\n",
					      "Status: ", "Status:\r\n\r\n", "\n", "Status: 200 OK\r\nA: b\n\r\n"};
	for (size_t i = 0; i < sizeof replies / sizeof *replies; i++)
		UNIT_ROW(frame(replies[i], false, false, false).p == NULL, replies[i]);
}

static void test_large(void)
{
	char *reply = memory + 128;
	memset(reply, 'x', REPLY_MAX);
	memcpy(reply, "Status: 200 OK\r\n\r\n", 18);
	struct str answer = http_frame_reply(reply, REPLY_MAX, &(struct http_frame){.closing = true, .is_1_0 = true});
	CU_ASSERT_EQUAL(answer.n, REPLY_MAX + 1 + strlen("Content-Length: 65518\r\nConnection: close\r\n"));
	CU_ASSERT_PTR_EQUAL(answer.p + answer.n, reply + REPLY_MAX);
}

int main(void)
{
	static const struct unit_case cases[] = {{"answers", test_answers},
						 {"no answers", test_no_answers},
						 {"large", test_large},
						 {NULL, NULL}};
	return unit_main("http_frame", cases);
}
