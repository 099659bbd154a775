/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "unit.h"
#include "web/frame.h"

enum { LARGE = 3 * FRAME_CONTENT_MAX + 17 };
static char memory[FRAME_HEAD + LARGE + FRAME_TAIL(LARGE)];

static void test_small(void)
{
	memcpy(memory + FRAME_HEAD, "Status: 200 OK\r\n\r\n", 18);
	size_t n = frame_reply(memory, 18, 0x0102);
	UNIT_STR_EQ(((struct str){memory, n}),
		    ((struct str){"\1\6\1\2\0\22\0\0Status: 200 OK\r\n\r\n"
				  "\1\6\1\2\0\0\0\0"
				  "\1\3\1\2\0\10\0\0\0\0\0\0\0\0\0\0",
				  8 + 18 + 8 + 16}),
		    "one record, its end, the request's end");
}

/* Take the STDOUT records apart again; gives their content's length. */
static size_t unframe(const char *frame, size_t n, char *content)
{
	size_t length = 0, at = 0;
	while (at < n && frame[at + 1] == 6) {
		size_t here = (size_t)(unsigned char)frame[at + 4] << 8 | (unsigned char)frame[at + 5];
		memcpy(content + length, frame + at + 8, here);
		length += here;
		at += 8 + here;
	}
	CU_ASSERT_EQUAL(n - at, 16);
	CU_ASSERT_EQUAL(frame[at + 1], 3);
	return length;
}

static void test_large(void)
{
	static const size_t sizes[] = {1, 65527, 65528, 65529, 65535, REPLY_MAX, 2 * FRAME_CONTENT_MAX,
				       2 * FRAME_CONTENT_MAX + 1, LARGE};
	static char content[LARGE + FRAME_CONTENT_MAX];
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		for (size_t j = 0; j < sizes[i]; j++)
			memory[FRAME_HEAD + j] = (char)(j % 251);
		size_t n = frame_reply(memory, sizes[i], 1);
		CU_ASSERT_FATAL(n <= sizeof memory);
		CU_ASSERT_EQUAL_FATAL(unframe(memory, n, content), sizes[i]);
		bool same = true;
		for (size_t j = 0; j < sizes[i]; j++)
			same = same && content[j] == (char)(j % 251);
		CU_ASSERT(same);
	}
}

static void test_takes(void)
{
	char text[32];
	struct reply reply = {.out = buf_over(text, sizeof text)};
	CU_ASSERT_FALSE(frame_takes(&reply));
	buf_add(&reply.out, STR("Status: 200 OK\r\n\r\n"));
	CU_ASSERT_TRUE(frame_takes(&reply));
	buf_add(&reply.out, STR("more than there is room for"));
	CU_ASSERT_FALSE(frame_takes(&reply));
	reply.out = buf_over(text, sizeof text);
	buf_add(&reply.out, STR("Variable-A: b\r\n\r\n"));
	CU_ASSERT_FALSE(frame_takes(&reply));
}

static void test_management(void)
{
	size_t n = frame_values(memory, 1024);
	UNIT_STR_EQ(((struct str){memory, n}),
		    ((struct str){"\1\12\0\0\0\71\0\0"
				  "\16\4FCGI_MAX_CONNS1024"
				  "\15\4FCGI_MAX_REQS1024"
				  "\17\1FCGI_MPXS_CONNS0",
				  8 + 20 + 19 + 18}),
		    "values");
	n = frame_unknown_type(memory, 200);
	UNIT_STR_EQ(((struct str){memory, n}), ((struct str){"\1\13\0\0\0\10\0\0\310\0\0\0\0\0\0\0", 16}), "unknown");
}

int main(void)
{
	static const struct unit_case cases[] = {{"a small reply", test_small},
						 {"large replies", test_large},
						 {"what is framed", test_takes},
						 {"management", test_management},
						 {NULL, NULL}};
	return unit_main("frame", cases);
}
