/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "web/record.h"

/* --- building requests ------------------------------------------------------- */

static struct buf out;
static char out_memory[2 << 20];

static void start(void)
{
	out = buf_over(out_memory, sizeof out_memory);
}

static void header(unsigned version, unsigned type, unsigned id, size_t content, unsigned padding)
{
	const unsigned char bytes[8] = {(unsigned char)version, (unsigned char)type, (unsigned char)(id >> 8),
					(unsigned char)id, (unsigned char)(content >> 8), (unsigned char)content,
					(unsigned char)padding};
	buf_add(&out, (struct str){(const char *)bytes, sizeof bytes});
}

static void record(unsigned type, unsigned id, struct str content, unsigned padding)
{
	static const char zeros[255];
	header(1, type, id, content.n, padding);
	buf_add(&out, content);
	buf_add(&out, (struct str){zeros, padding});
}

enum { BEGIN = 1, ABORT = 2, PARAMS = 4, STDIN = 5, DATA = 8, GET_VALUES = 9 };
enum { RESPONDER = 1, AUTHORIZER = 2, FILTER = 3 };

static void begin(unsigned id, unsigned role, bool keep)
{
	const char content[8] = {0, (char)role, keep};
	record(BEGIN, id, (struct str){content, sizeof content}, 0);
}

#define BYTES(literal) ((struct str){literal, sizeof(literal) - 1})
#define PAIR_AB BYTES("\1\1AB")

static void end(unsigned type, unsigned id)
{
	record(type, id, STR_NONE, 0);
}

/* --- reading them, cut in every way -------------------------------------------- */

enum { LIMIT = 65536, BODY_MAX = 1000, MEMORY = LIMIT + BODY_MAX + RECORD_PENDING_MAX };

/* A line for each event: what a transport would do. */
struct result {
	struct buf text;
	char memory[65536];
};

static void tell_request(struct result *result, const struct record_stream *stream, const struct params *params)
{
	for (size_t i = 0; i < params->n; i++) {
		struct param p = params->items[i]; /* long ones by their length, to stay readable */
		if (p.value.n > 100)
			buf_printf(&result->text, " %.*s=(%zu)", STR_ARGS(p.name), p.value.n);
		else
			buf_printf(&result->text, " %.*s=%.*s", STR_ARGS(p.name), STR_ARGS(p.value));
	}
	struct str body = record_body(stream);
	if (body.p)
		buf_printf(&result->text, " body(%zu)%.*s", body.n, (int)(body.n < 20 ? body.n : 20), body.p);
	buf_add(&result->text, stream->in.keep ? STR(" keep\n") : STR("\n"));
}

/* false: the connection would be closed now. */
static bool tell(struct result *result, struct record_stream *stream, enum record_event event,
		 const struct params *params)
{
	switch (event) {
	case RECORD_REQUEST:
		buf_printf(&result->text, "request %u", stream->id);
		tell_request(result, stream, params);
		bool keep = stream->in.keep;
		record_finish(stream);
		return keep;
	case RECORD_REFUSE:
		buf_printf(&result->text, "refuse %s\n", stream->in.why);
		return false;
	case RECORD_BROKEN:
		buf_printf(&result->text, "close %s\n", stream->in.why);
		return false;
	case RECORD_VALUES:
		buf_add(&result->text, STR("values\n"));
		return true;
	case RECORD_UNKNOWN:
		buf_printf(&result->text, "unknown type %u\n", stream->unknown_type);
		return true;
	case RECORD_MORE:
		break;
	}
	return true;
}

/* Feed the bytes in pieces of that size, as a transport with little memory would. */
static void feed(struct result *result, struct str bytes, size_t piece, bool reads_body)
{
	static struct params params;
	char *memory = malloc(MEMORY), *other = malloc(MEMORY);
	struct record_stream stream = {.in = {.bytes = memory, .cap = MEMORY}};
	const struct stream_limits limits = {.head = LIMIT, .body = BODY_MAX, .reads_body = reads_body};
	bool open = memory && other;

	result->text = buf_over(result->memory, sizeof result->memory);
	while (open && bytes.n > 0) {
		/* Into the other memory each time: nothing may point into the old one. */
		char *from = stream.in.bytes;
		record_move(&stream, from == memory ? other : memory, MEMORY);
		memset(from, 0x5a, MEMORY);
		size_t n = piece < bytes.n ? piece : bytes.n;
		n = n < stream.in.cap - stream.in.n ? n : stream.in.cap - stream.in.n;
		memcpy(stream.in.bytes + stream.in.n, bytes.p, n);
		stream.in.n += n;
		bytes = str_skip(bytes, n);
		enum record_event event;
		do {
			event = record_parse(&stream, &limits, &params);
			open = tell(result, &stream, event, &params);
		} while (open && event != RECORD_MORE);
	}
	static const char *const phases[] = {"between", "head", "body", "skip"};
	if (open)
		buf_printf(&result->text, "waits %s\n", phases[record_phase(&stream)]);
	free(memory);
	free(other);
}

/* The events, however the bytes are cut. */
static void check(const char *row, bool reads_body, const char *want)
{
	static struct result whole, cut;
	static const size_t pieces[] = {1, 2, 3, 5, 7, 8, 9, 16, 24, 100, 4096};
	UNIT_ROW(!out.full, row);
	feed(&whole, buf_str(&out), MEMORY / 2, reads_body);
	UNIT_STR_EQ(buf_str(&whole.text), str_of(want), row);
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		if (out.n / pieces[i] > 200000)
			continue;
		feed(&cut, buf_str(&out), pieces[i], reads_body);
		UNIT_STR_EQ(buf_str(&cut.text), buf_str(&whole.text), row);
	}
}

/* --- cases ------------------------------------------------------------------- */

static void test_roles(void)
{
	start();
	begin(1, AUTHORIZER, false);
	record(PARAMS, 1, PAIR_AB, 4);
	end(PARAMS, 1);
	check("authorizer without STDIN", false, "request 1 A=B\n");

	start();
	begin(1, AUTHORIZER, true);
	record(PARAMS, 1, PAIR_AB, 4);
	end(PARAMS, 1);
	end(STDIN, 1);
	check("authorizer with an empty STDIN", false, "request 1 A=B keep\nwaits between\n");

	start();
	begin(1, RESPONDER, true);
	record(PARAMS, 1, PAIR_AB, 0);
	end(PARAMS, 1);
	record(STDIN, 1, BYTES("not read"), 3);
	check("responder whose body is not read", false, "request 1 A=B keep\nwaits between\n");

	start();
	begin(1, RESPONDER, true);
	record(PARAMS, 1, PAIR_AB, 0);
	end(PARAMS, 1);
	record(STDIN, 1, BYTES("bo"), 255);
	record(STDIN, 1, BYTES("dy"), 1);
	end(STDIN, 1);
	check("responder with a body", true, "request 1 A=B body(4)body keep\nwaits between\n");

	start();
	begin(1, RESPONDER, false);
	record(PARAMS, 1, PAIR_AB, 0);
	end(PARAMS, 1);
	end(STDIN, 1);
	check("responder without a body", true, "request 1 A=B body(0)\n");

	start();
	begin(1, AUTHORIZER, false);
	record(PARAMS, 1, PAIR_AB, 0);
	end(PARAMS, 1);
	check("a program with pages asked as an authorizer", true, "refuse asked as an authorizer\n");

	static const unsigned wrong[] = {0, FILTER, 9};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		start();
		begin(1, wrong[i], true);
		record(PARAMS, 1, PAIR_AB, 0);
		end(PARAMS, 1);
		check("another role", false, "close a role that is not served\n");
	}
}

static void test_params(void)
{
	start();
	begin(1, AUTHORIZER, false);
	record(PARAMS, 1, BYTES("\4\3NA"), 7);
	record(PARAMS, 1, BYTES("MEv"), 0);
	record(PARAMS, 1, BYTES("al\x80\0\0\1\x80\0"), 255);
	record(PARAMS, 1, BYTES("\0\0X"), 1);
	end(PARAMS, 1);
	check("pairs cut by records, long lengths", false, "request 1 NAME=val X=\n");

	static char large[65535];
	memset(large, 'v', sizeof large);
	memcpy(large, "\1\x80\0\xff\xf9N", 6);
	start();
	begin(1, AUTHORIZER, false);
	record(PARAMS, 1, (struct str){large, sizeof large}, 255);
	end(PARAMS, 1);
	check("the longest record", false, "request 1 N=(65529)\n");

	start();
	begin(1, AUTHORIZER, false);
	end(PARAMS, 1);
	check("no parameters", false, "refuse no parameters\n");

	const struct {
		const char *row;
		struct str pairs;
		const char *want;
	} rows[] = {
		{"name longer than the rest", BYTES("\5\1abc"), "close a parameter longer than its stream\n"},
		{"both as long as can be", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff" "abc"),
		 "close a parameter longer than its stream\n"},
		{"end within a pair", BYTES("\1\1ab\1\1a"), "close a parameter longer than its stream\n"},
		{"refused and broken", BYTES("\0\1a\1\1a"), "close a parameter longer than its stream\n"},
		{"= in a name", BYTES("\3\1a=bc"), "refuse character in a parameter's name\n"},
		{"other bytes in a value", BYTES("\1\3a\1\n\xff"), "request 1 a=\1\n\xff\n"},
		{"twice with the same value", BYTES("\1\1ab\1\1ab"), "request 1 a=b a=b\n"},
		{"names of another case", BYTES("\1\1ab\1\1Ac"), "request 1 a=b A=c\n"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start();
		begin(1, AUTHORIZER, false);
		record(PARAMS, 1, rows[i].pairs, 0);
		end(PARAMS, 1);
		check(rows[i].row, false, rows[i].want);
	}
}

static void add_pairs(unsigned n)
{
	begin(1, AUTHORIZER, false);
	for (unsigned i = 0; i < n; i++)
		record(PARAMS, 1, BYTES("\1\0N"), 0);
	end(PARAMS, 1);
}

static void test_limits(void)
{
	static struct result result;
	start();
	add_pairs(PARAMS_MAX);
	feed(&result, buf_str(&out), 1000, false);
	UNIT_ROW(str_starts(buf_str(&result.text), STR("request 1 N= N=")), "256 pairs");
	start();
	add_pairs(PARAMS_MAX + 1);
	check("257 pairs", false, "refuse number of parameters\n");
	start();
	add_pairs(20000);
	check("20000 pairs in as many records", false, "refuse number of parameters\n");

	static char long_name[302] = "\x80\0\1\0";
	memset(long_name + 5, 'N', 256);
	start();
	begin(1, AUTHORIZER, false);
	record(PARAMS, 1, (struct str){long_name, 5 + 256}, 0);
	end(PARAMS, 1);
	check("name of 256 bytes", false, "refuse length of a parameter's name\n");
	memcpy(long_name, "\x80\0\0\xff", 4);
	start();
	begin(1, AUTHORIZER, false);
	record(PARAMS, 1, (struct str){long_name, 5 + 255}, 0);
	end(PARAMS, 1);
	feed(&result, buf_str(&out), 1000, false);
	UNIT_ROW(str_starts(buf_str(&result.text), STR("request 1 NNN")), "name of 255 bytes");

	static char chunk[60000];
	start();
	begin(1, AUTHORIZER, false);
	for (unsigned i = 0; i < 3; i++)
		record(PARAMS, 1, (struct str){chunk, sizeof chunk}, 0);
	end(PARAMS, 1);
	check("more than 64 KiB is read away", false, "refuse length of the parameters\n");
	start();
	begin(1, AUTHORIZER, false);
	for (unsigned i = 0; i < 18; i++)
		record(PARAMS, 1, (struct str){chunk, sizeof chunk}, 0);
	check("more than 1 MiB is not", false, "close parameters without end\n");
}

static void ask_with_length(struct str length, struct str body)
{
	char memory[200];
	struct buf pairs = buf_over(memory, sizeof memory);
	buf_char(&pairs, 14);
	buf_char(&pairs, (char)length.n);
	buf_add(&pairs, STR("CONTENT_LENGTH"));
	buf_add(&pairs, length);
	start();
	begin(1, RESPONDER, false);
	record(PARAMS, 1, buf_str(&pairs), 0);
	end(PARAMS, 1);
	if (body.p) {
		record(STDIN, 1, body, 0);
		end(STDIN, 1);
	}
}

static void test_body(void)
{
	ask_with_length(STR("4"), STR("body"));
	check("body as long as told", true, "request 1 CONTENT_LENGTH=4 body(4)body\n");
	ask_with_length(STR(""), STR("body"));
	check("length not told", true, "request 1 CONTENT_LENGTH= body(4)body\n");
	ask_with_length(STR("3"), STR("body"));
	check("body longer than told", true, "refuse body and CONTENT_LENGTH differ\n");
	ask_with_length(STR("5"), STR("body"));
	check("body shorter than told", true, "refuse body and CONTENT_LENGTH differ\n");
	ask_with_length(STR("-1"), STR_NONE);
	check("length no number", true, "refuse CONTENT_LENGTH\n");
	ask_with_length(STR("1001"), STR_NONE);
	check("length over the limit is refused before the body", true, "refuse length of the body\n");

	static char chunk[600];
	memset(chunk, 'b', sizeof chunk);
	start();
	begin(1, RESPONDER, true);
	record(PARAMS, 1, PAIR_AB, 0);
	end(PARAMS, 1);
	record(STDIN, 1, (struct str){chunk, sizeof chunk}, 0);
	record(STDIN, 1, (struct str){chunk, sizeof chunk}, 0);
	check("body over the limit", true, "refuse length of the body\n");
}

/* Each continues a request that is open at the end of its parameters' first record. */
static void test_order(void)
{
	const struct {
		const char *row;
		unsigned type, id;
		struct str content;
		const char *want;
	} rows[] = {
		{"end of file", 0, 0, STR_NONE, "waits head\n"},
		{"STDIN within PARAMS", STDIN, 1, STR_NONE, "close STDIN out of order\n"},
		{"abort within PARAMS", ABORT, 1, STR_NONE, "close aborted\n"},
		{"begin within PARAMS", BEGIN, 1, BYTES("\0\2\1\0\0\0\0\0"), "close a request within a request\n"},
		{"begin of another within PARAMS", BEGIN, 2, BYTES("\0\2\1\0\0\0\0\0"),
		 "close a request within a request\n"},
		{"PARAMS of another", PARAMS, 2, PAIR_AB, "close PARAMS out of order\n"},
		{"DATA", DATA, 1, PAIR_AB, "close type of a record\n"},
		{"END_REQUEST", 3, 1, PAIR_AB, "close type of a record\n"},
		{"STDOUT", 6, 1, PAIR_AB, "close type of a record\n"},
		{"GET_VALUES with an id", GET_VALUES, 1, STR_NONE, "close type of a record\n"},
		{"unknown application type", 200, 1, PAIR_AB, "close type of a record\n"},
		{"PARAMS of request 0", PARAMS, 0, PAIR_AB, "close request id 0\n"},
		{"GET_VALUES between", GET_VALUES, 0, BYTES("\16\0FCGI_MAX_CONNS"), "values\nwaits head\n"},
		{"unknown management between", 77, 0, BYTES("xyz"), "unknown type 77\nwaits head\n"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start();
		begin(1, AUTHORIZER, true);
		record(PARAMS, 1, PAIR_AB, 0);
		if (rows[i].type)
			record(rows[i].type, rows[i].id, rows[i].content, 0);
		check(rows[i].row, false, rows[i].want);
	}
}

static void test_first_record(void)
{
	const struct {
		const char *row;
		unsigned version, type, id;
		struct str content;
		const char *want;
	} rows[] = {
		{"version 0", 0, BEGIN, 1, BYTES("\0\2\1\0\0\0\0\0"), "close version of a record\n"},
		{"version 2", 2, BEGIN, 1, BYTES("\0\2\1\0\0\0\0\0"), "close version of a record\n"},
		{"begin of 7 bytes", 1, BEGIN, 1, BYTES("\0\2\1\0\0\0\0"), "close BEGIN_REQUEST of a wrong length\n"},
		{"begin of 9 bytes", 1, BEGIN, 1, BYTES("\0\2\1\0\0\0\0\0\0"),
		 "close BEGIN_REQUEST of a wrong length\n"},
		{"begin of request 0", 1, BEGIN, 0, BYTES("\0\2\1\0\0\0\0\0"), "close request id 0\n"},
		{"role over one byte", 1, BEGIN, 1, BYTES("\1\2\1\0\0\0\0\0"), "close a role that is not served\n"},
		{"PARAMS first", 1, PARAMS, 1, PAIR_AB, "close PARAMS out of order\n"},
		{"STDIN first", 1, STDIN, 1, PAIR_AB, "close STDIN out of order\n"},
		{"ABORT first", 1, ABORT, 1, STR_NONE, "close aborted\n"},
		{"values without content", 1, GET_VALUES, 0, STR_NONE, "values\nwaits head\n"},
		{"values that are no pairs", 1, GET_VALUES, 0, BYTES("\5\5a"),
		 "close a parameter longer than its stream\n"},
		{"type 0", 1, 0, 0, STR_NONE, "unknown type 0\nwaits head\n"},
		{"UNKNOWN_TYPE", 1, 11, 0, BYTES("\1\0\0\0\0\0\0\0"), "unknown type 11\nwaits head\n"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start();
		header(rows[i].version, rows[i].type, rows[i].id, rows[i].content.n, 0);
		buf_add(&out, rows[i].content);
		check(rows[i].row, false, rows[i].want);
	}
	static char values[RECORD_VALUES_MAX + 1];
	start();
	record(GET_VALUES, 0, (struct str){values, sizeof values}, 0);
	check("values over the limit", false, "close length of GET_VALUES\n");
	start();
	buf_add(&out, BYTES("\1\1\0\1\0"));
	check("header cut after 5 bytes", false, "waits head\n");
}

static void ask(unsigned id, unsigned role, bool keep)
{
	begin(id, role, keep);
	record(PARAMS, id, PAIR_AB, 4);
	end(PARAMS, id);
}

static void test_kept(void)
{
	start();
	ask(1, AUTHORIZER, true);
	ask(1, AUTHORIZER, true);
	ask(2, RESPONDER, true);
	check("several at once", false, "request 1 A=B keep\nrequest 1 A=B keep\nrequest 2 A=B keep\nwaits between\n");

	start();
	ask(1, AUTHORIZER, true);
	end(STDIN, 1);
	record(DATA, 1, STR("late"), 5);
	record(ABORT, 1, STR_NONE, 0);
	ask(2, AUTHORIZER, true);
	record(STDIN, 2, STR("late"), 5);
	check("what comes late is skipped", false, "request 1 A=B keep\nrequest 2 A=B keep\nwaits between\n");

	start();
	ask(1, AUTHORIZER, true);
	begin(2, AUTHORIZER, true);
	record(STDIN, 1, STR("late"), 5);
	record(PARAMS, 2, PAIR_AB, 0);
	end(PARAMS, 2);
	check("even when the next has begun", false, "request 1 A=B keep\nrequest 2 A=B keep\nwaits between\n");

	start();
	ask(1, AUTHORIZER, true);
	end(STDIN, 2);
	check("STDIN of a request that never was", false, "request 1 A=B keep\nclose STDIN out of order\n");
	start();
	ask(1, AUTHORIZER, true);
	end(PARAMS, 1);
	check("PARAMS of a finished request", false, "request 1 A=B keep\nclose PARAMS out of order\n");

	start();
	ask(1, RESPONDER, true);
	header(1, STDIN, 1, 100, 0);
	buf_add(&out, STR("half of it"));
	check("within a body that is skipped", false, "request 1 A=B keep\nwaits skip\n");
	start();
	ask(1, AUTHORIZER, false);
	ask(1, AUTHORIZER, false);
	check("not kept", false, "request 1 A=B\n");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"roles", test_roles},		 {"parameters", test_params}, {"limits", test_limits},
		{"bodies", test_body},		 {"order", test_order},	      {"first record", test_first_record},
		{"kept connections", test_kept}, {NULL, NULL}};
	return unit_main("record", cases);
}
