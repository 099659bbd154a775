/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP as it comes in, the head with it: what is taken, and what is not. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "web/http_stream.h"

enum { LIMIT = 65536, BODY_MAX = 1000, MEMORY = LIMIT + BODY_MAX + HTTP_STREAM_PENDING_MAX };

#define BYTES(literal) {literal, sizeof(literal) - 1}
#define HOST "Host: h\r\n"
/* What each request's line begins with, without other headers. */
#define PLAIN " REQUEST_METHOD=GET REQUEST_URI=/ HTTP_HOST=h SERVER_PROTOCOL=HTTP/1.1"

/* --- reading, cut in every way ---------------------------------------------------- */

/* A line for each event: what a transport would do. */
struct result {
	struct buf text;
	char memory[65536];
};

static void tell_request(struct result *result, const struct http_stream *stream, const struct params *params)
{
	buf_add(&result->text, STR("request"));
	for (size_t i = 0; i < params->n; i++)
		buf_printf(&result->text, " %.*s=%.*s", STR_ARGS(params->items[i].name),
			   STR_ARGS(params->items[i].value));
	struct str body = http_stream_body(stream);
	if (body.n > 0)
		buf_printf(&result->text, " body(%zu)%.*s", body.n, (int)(body.n < 20 ? body.n : 20), body.p);
	buf_add(&result->text, stream->in.keep ? STR(" keep\n") : STR("\n"));
}

/* false: the connection would be closed now. */
static bool tell(struct result *result, struct http_stream *stream, enum protocol_event event,
		 const struct params *params)
{
	switch (event) {
	case PROTOCOL_REQUEST:
		tell_request(result, stream, params);
		http_stream_finish(stream);
		return stream->in.keep;
	case PROTOCOL_REFUSE:
		buf_printf(&result->text, "refuse %s\n", stream->in.why);
		CU_ASSERT_TRUE(http_stream_lingers(stream));
		return false;
	case PROTOCOL_BROKEN:
		buf_printf(&result->text, "close %s\n", stream->in.why);
		return false;
	case PROTOCOL_INTERIM:
		buf_add(&result->text, STR("continue\n"));
		return true;
	case PROTOCOL_MORE:
		break;
	}
	return true;
}

/* Feed the bytes in pieces of that size, as a transport with little memory would. */
static void feed(struct result *result, struct str bytes, size_t piece, bool reads_body)
{
	static struct params params;
	char *memory = malloc(MEMORY), *other = malloc(MEMORY);
	struct http_stream stream = {.in = {.bytes = memory, .cap = MEMORY}};
	const struct stream_limits limits = {.head = LIMIT, .body = BODY_MAX, .reads_body = reads_body};
	bool open = memory && other;

	result->text = buf_over(result->memory, sizeof result->memory);
	while (open && bytes.n > 0) {
		/* Into the other memory each time: nothing may point into the old one. */
		char *from = stream.in.bytes;
		http_stream_move(&stream, from == memory ? other : memory, MEMORY);
		memset(from, 0x5a, MEMORY);
		size_t n = piece < bytes.n ? piece : bytes.n;
		n = n < stream.in.cap - stream.in.n ? n : stream.in.cap - stream.in.n;
		memcpy(stream.in.bytes + stream.in.n, bytes.p, n);
		stream.in.n += n;
		bytes = str_skip(bytes, n);
		enum protocol_event event;
		do {
			event = http_stream_parse(&stream, &limits, &params);
			open = tell(result, &stream, event, &params);
		} while (open && event != PROTOCOL_MORE);
	}
	static const char *const phases[] = {"between", "head", "body", "skip"};
	if (open)
		buf_printf(&result->text, "waits %s\n", phases[http_stream_phase(&stream)]);
	free(memory);
	free(other);
}

struct row {
	const char *row;
	struct str bytes;
	const char *want;
};

/* The events, however the bytes are cut. */
static void check(const struct row *row, bool reads_body)
{
	static struct result whole, cut;
	static const size_t pieces[] = {1, 2, 3, 5, 7, 16, 100, 4096};
	feed(&whole, row->bytes, MEMORY / 2, reads_body);
	UNIT_STR_EQ(buf_str(&whole.text), str_of(row->want), row->row);
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		feed(&cut, row->bytes, pieces[i], reads_body);
		UNIT_STR_EQ(buf_str(&cut.text), buf_str(&whole.text), row->row);
	}
}

#define CHECK(rows, reads_body)                                                                                        \
	for (size_t i = 0; i < sizeof(rows) / sizeof *(rows); i++)                                                     \
	check(&(rows)[i], reads_body)

/* --- cases ------------------------------------------------------------------------- */

static void test_taken(void)
{
	static const struct row rows[] = {
		{"the least", BYTES("GET / HTTP/1.1\r\n" HOST "\r\n"), "request" PLAIN " keep\nwaits between\n"},
		{"two at once",
		 BYTES("GET / HTTP/1.1\r\n" HOST "\r\nGET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"),
		 "request" PLAIN " keep\nrequest REQUEST_METHOD=GET REQUEST_URI=/ HTTP_HOST=h HTTP_CONNECTION=close "
		 "SERVER_PROTOCOL=HTTP/1.1\n"},
		{"names",
		 BYTES("PROPFIND /a?b=c HTTP/1.1\r\n" HOST "x-y-1:v\r\nX_Y: no\r\nx.y: no\r\nContent-Type: t\r\n\r\n"),
		 "request REQUEST_METHOD=PROPFIND REQUEST_URI=/a?b=c HTTP_HOST=h HTTP_X_Y_1=v CONTENT_TYPE=t "
		 "SERVER_PROTOCOL=HTTP/1.1 keep\nwaits between\n"},
		{"blanks around values", BYTES("GET / HTTP/1.1\r\nHost:\t h \t\r\nA:\r\nB:  \t\r\nC: d  e\r\n\r\n"),
		 "request REQUEST_METHOD=GET REQUEST_URI=/ HTTP_HOST=h HTTP_A= HTTP_B= HTTP_C=d  e "
		 "SERVER_PROTOCOL=HTTP/1.1 keep\nwaits between\n"},
		{"bytes above ASCII", BYTES("GET / HTTP/1.1\r\n" HOST "A: \xff\xc3\xa4\r\n\r\n"),
		 "request REQUEST_METHOD=GET REQUEST_URI=/ HTTP_HOST=h HTTP_A=\xff\xc3\xa4 "
		 "SERVER_PROTOCOL=HTTP/1.1 keep\n"
		 "waits between\n"},
		{"HTTP/1.0", BYTES("GET / HTTP/1.0\r\n\r\n"),
		 "request REQUEST_METHOD=GET REQUEST_URI=/ SERVER_PROTOCOL=HTTP/1.0\n"},
		{"HTTP/1.0, kept", BYTES("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
		 "request REQUEST_METHOD=GET REQUEST_URI=/ HTTP_CONNECTION=Keep-Alive SERVER_PROTOCOL=HTTP/1.0 keep\n"
		 "waits between\n"},
		{"kept and not", BYTES("GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n"),
		 "request REQUEST_METHOD=GET REQUEST_URI=/ HTTP_CONNECTION=close, keep-alive "
		 "SERVER_PROTOCOL=HTTP/1.0\n"},
		{"an upgrade is not made",
		 BYTES("GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"
						 "GET / HTTP/1.1\r\n" HOST "\r\n"),
		 "request REQUEST_METHOD=GET REQUEST_URI=/ HTTP_HOST=h HTTP_CONNECTION=upgrade HTTP_UPGRADE=websocket "
		 "SERVER_PROTOCOL=HTTP/1.1 keep\nrequest" PLAIN " keep\nwaits between\n"},
		{"half a head", BYTES("GET / HTTP/1.1\r\n" HOST "\r"), "waits head\n"},
	};
	CHECK(rows, false);
	CHECK(rows, true);
}

static void test_request_line(void)
{
	static const struct row rows[] = {
		{"bare LF", BYTES("GET / HTTP/1.1\nHost: h\n\n"),
		 "refuse line end without CR, or an empty line before the request\n"},
		{"empty line first", BYTES("\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), "refuse no method of HTTP\n"},
		{"lower case", BYTES("get / HTTP/1.1\r\n" HOST "\r\n"), "refuse no method of HTTP\n"},
		{"unknown method", BYTES("BREW / HTTP/1.1\r\n" HOST "\r\n"), "refuse invalid HTTP method\n"},
		{"TLS", BYTES("\x16\x03\x01"), "refuse no method of HTTP\n"},
		{"FastCGI", BYTES("\1\1\0\1\0\10\0\0"), "refuse no method of HTTP\n"},
		{"two blanks", BYTES("GET  / HTTP/1.1\r\n" HOST "\r\n"), "refuse request line\n"},
		{"two blanks behind", BYTES("GET /  HTTP/1.1\r\n" HOST "\r\n"), "refuse version of HTTP\n"},
		{"tab", BYTES("GET\t/ HTTP/1.1\r\n" HOST "\r\n"), "refuse invalid HTTP method\n"},
		{"no version", BYTES("GET /\r\n\r\n"), "refuse version of HTTP\n"},
		{"HTTP/0.9", BYTES("GET / HTTP/0.9\r\n\r\n"), "refuse version of HTTP\n"},
		{"HTTP/2.0", BYTES("GET / HTTP/2.0\r\n" HOST "\r\n"), "refuse version of HTTP\n"},
		{"HTTP/1.2", BYTES("GET / HTTP/1.2\r\n" HOST "\r\n"), "refuse version of HTTP\n"},
		{"HTQQ/1.1", BYTES("GET / HTQQ/1.1\r\n" HOST "\r\n"), "refuse version of HTTP\n"},
		{"SOURCE / ICE/1.1", BYTES("SOURCE / ICE/1.1\r\n" HOST "\r\n"), "refuse version of HTTP\n"},
		{"blank behind the version", BYTES("GET / HTTP/1.1 \r\n" HOST "\r\n"), "refuse invalid HTTP version\n"},
		{"absolute-form", BYTES("GET http://h/ HTTP/1.1\r\n" HOST "\r\n"), "refuse request target\n"},
		{"asterisk-form", BYTES("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), "refuse request target\n"},
		{"authority-form", BYTES("CONNECT h:1 HTTP/1.1\r\n" HOST "\r\n"), "refuse request target\n"},
		{"fragment", BYTES("GET /#a HTTP/1.1\r\n" HOST "\r\n"), "refuse request target\n"},
		{"bytes above ASCII", BYTES("GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n"), "refuse request target\n"},
		{"NUL in the target", BYTES("GET /\0 HTTP/1.1\r\n" HOST "\r\n"), "refuse invalid URL\n"},
		{"CR in the target", BYTES("GET /\r HTTP/1.1\r\n" HOST "\r\n"), "refuse LF character expected\n"},
	};
	CHECK(rows, false);
}

static void test_headers(void)
{
	static const struct row rows[] = {
		{"folded", BYTES("GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n"), "refuse folded header line\n"},
		{"folded, empty line", BYTES("GET / HTTP/1.1\r\n" HOST "A:\r\n b\r\n\r\n"), "refuse header line\n"},
		{"blank first",
		 BYTES("GET / HTTP/1.1\r\n A: b\r\n" HOST "\r\n"), "refuse character in a header's name\n"},
		{"blank before the colon", BYTES("GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n"),
		 "refuse character in a header's name\n"},
		{"blank in a name", BYTES("GET / HTTP/1.1\r\n" HOST "A b: c\r\n\r\n"),
		 "refuse character in a header's name\n"},
		{"no name", BYTES("GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n"), "refuse invalid character in header\n"},
		{"no colon", BYTES("GET / HTTP/1.1\r\n" HOST "Abc\r\n\r\n"), "refuse invalid character in header\n"},
		{"bare LF", BYTES("GET / HTTP/1.1\r\n" HOST "A: b\nC: d\r\n\r\n"),
		 "refuse line end without CR, or an empty line before the request\n"},
		{"bare CR in a value", BYTES("GET / HTTP/1.1\r\n" HOST "A: b\rC: d\r\n\r\n"), "refuse header line\n"},
		{"bare CR before a value", BYTES("GET / HTTP/1.1\r\n" HOST "A: \rB\r\n\r\n"), "refuse header line\n"},
		{"bare CR as a line",
		 BYTES("GET / HTTP/1.1\r\n" HOST "\rA: b\r\n\r\n"), "refuse line end without LF\n"},
		{"NUL in a value", BYTES("GET / HTTP/1.1\r\n" HOST "A: b\0c\r\n\r\n"),
		 "refuse invalid character in header\n"},
		{"control byte in a value", BYTES("GET / HTTP/1.1\r\n" HOST "A: b\x7f\r\n\r\n"),
		 "refuse invalid character in header\n"},
		{"NUL in a name", BYTES("GET / HTTP/1.1\r\n" HOST "A\0: b\r\n\r\n"),
		 "refuse invalid character in header\n"},
		{"no Host", BYTES("GET / HTTP/1.1\r\nA: b\r\n\r\n"), "refuse no Host\n"},
		{"Host twice", BYTES("GET / HTTP/1.1\r\n" HOST "host: h\r\n\r\n"), "refuse more than one Host\n"},
		{"two hosts", BYTES("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"), "refuse character in Host\n"},
		{"path in Host", BYTES("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), "refuse character in Host\n"},
		{"expectation", BYTES("GET / HTTP/1.1\r\n" HOST "Expect: miracles\r\n\r\n"), "refuse Expect\n"},
	};
	CHECK(rows, false);
}

/* Where a request ends must never be a matter of opinion. */
static void test_framing(void)
{
	static const char length_wrong[] = "refuse Content-Length\n";
	static const struct row rows[] = {
		{"both",
		 BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		 "refuse unexpected content-length header\n"},
		{"both the other way",
		 BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"),
		 "refuse unexpected content-length header\n"},
		{"length twice", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
		 "refuse unexpected content-length header\n"},
		{"list of lengths", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n\r\nabc"),
		 "refuse invalid character in content-length header\n"},
		{"plus", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\nabc"),
		 "refuse invalid character in content-length header\n"},
		{"leading zero", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 03\r\n\r\nabc"), length_wrong},
		{"too large", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551616\r\n\r\n"),
		 "refuse invalid character in content-length header\n"},
		{"no number", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: x\r\n\r\n"),
		 "refuse invalid character in content-length header\n"},
		{"empty", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n"),
		 "refuse invalid character in content-length header\n"},
		{"two words", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 3 3\r\n\r\n"),
		 "refuse invalid character in content-length header\n"},
		{"gzip", BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"),
		 "refuse Transfer-Encoding\n"},
		{"chunked twice",
		 BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
		 "refuse Transfer-Encoding\n"},
		{"identity", BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n"),
		 "refuse Transfer-Encoding\n"},
		{"vertical tab", BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \x0b" "chunked\r\n\r\n"),
		 "refuse control byte in a header\n"},
		{"control byte first", BYTES("POST / HTTP/1.1\r\n" HOST "A: \x7f\r\n\r\n"),
		 "refuse control byte in a header\n"},
		{"empty encoding", BYTES("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n"),
		 "refuse Transfer-Encoding\n"},
		{"chunked in HTTP/1.0", BYTES("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		 "refuse Transfer-Encoding\n"},
	};
	CHECK(rows, true);
	CHECK(rows, false);
}

#define POST "request REQUEST_METHOD=POST REQUEST_URI=/ HTTP_HOST=h"
#define LENGTH(n) POST " CONTENT_LENGTH=" n " SERVER_PROTOCOL=HTTP/1.1"
#define CHUNKED POST " HTTP_TRANSFER_ENCODING=chunked SERVER_PROTOCOL=HTTP/1.1"
#define ASK_CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
#define NEXT "GET / HTTP/1.1\r\n" HOST "\r\n"
#define NEXT_SEEN "request" PLAIN " keep\nwaits between\n"

static void test_body(void)
{
	static const struct row rows[] = {
		{"of known length", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody" NEXT),
		 LENGTH("4") " body(4)body keep\n" NEXT_SEEN},
		{"none",
		 BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n" NEXT), LENGTH("0") " keep\n" NEXT_SEEN},
		{"half", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbo"), "waits body\n"},
		{"too long",
		 BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n\r\n"), "refuse length of the body\n"},
		{"chunks", BYTES(ASK_CHUNKED "2\r\nbo\r\n1\r\nd\r\n00a\r\ny012345678\r\n0\r\n\r\n" NEXT),
		 CHUNKED " body(13)body012345678 keep\n" NEXT_SEEN},
		{"no chunk", BYTES(ASK_CHUNKED "0\r\n\r\n" NEXT), CHUNKED " keep\n" NEXT_SEEN},
		{"half a chunk", BYTES(ASK_CHUNKED "5\r\nab"), "waits body\n"},
		{"chunks too long", BYTES(ASK_CHUNKED "3e9\r\n"), "refuse length of the body\n"},
		{"chunks too long together", BYTES(ASK_CHUNKED "2\r\nbo\r\n3e7\r\n"), "refuse length of the body\n"},
		{"chunk of all lengths", BYTES(ASK_CHUNKED "000000001\r\n"), "refuse length of a chunk\n"},
		{"no length", BYTES(ASK_CHUNKED "\r\n"), "refuse length of a chunk\n"},
		{"sign", BYTES(ASK_CHUNKED "-1\r\n"), "refuse length of a chunk\n"},
		{"0x", BYTES(ASK_CHUNKED "0x1\r\n"), "refuse length of a chunk\n"},
		{"blank", BYTES(ASK_CHUNKED "1 \r\n"), "refuse length of a chunk\n"},
		{"extension", BYTES(ASK_CHUNKED "1;a=b\r\n"), "refuse length of a chunk\n"},
		{"bare LF", BYTES(ASK_CHUNKED "1\nb\n"), "refuse length of a chunk\n"},
		{"bare CR", BYTES(ASK_CHUNKED "1\rb"), "refuse end of a chunk\n"},
		{"longer than said", BYTES(ASK_CHUNKED "1\r\nbo"), "refuse end of a chunk\n"},
		{"bare LF behind a chunk", BYTES(ASK_CHUNKED "1\r\nb\n"), "refuse end of a chunk\n"},
		{"trailer", BYTES(ASK_CHUNKED "0\r\nA: b\r\n\r\n"), "refuse end of a chunk\n"},
		{"expected", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\nb"),
		 "continue\n" POST " CONTENT_LENGTH=1 HTTP_EXPECT=100-Continue SERVER_PROTOCOL=HTTP/1.1 body(1)b keep\n"
		 "waits between\n"},
		{"expected in HTTP/1.0",
		 BYTES("POST / HTTP/1.0\r\n" HOST "Content-Length: 1\r\nExpect: 100-continue\r\n\r\nb"),
		 POST " CONTENT_LENGTH=1 HTTP_EXPECT=100-continue SERVER_PROTOCOL=HTTP/1.0 body(1)b\n"},
	};
	CHECK(rows, true);
}

/* A program that reads none answers at once; where the next request begins is still certain. */
static void test_body_skipped(void)
{
	static const struct row rows[] = {
		{"of known length", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody" NEXT),
		 LENGTH("4") " keep\n" NEXT_SEEN},
		{"like a request", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 27\r\n\r\n" NEXT NEXT),
		 LENGTH("27") " keep\n" NEXT_SEEN},
		{"long", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 9999999999\r\n\r\nbody"),
		 LENGTH("9999999999") " keep\nwaits skip\n"},
		{"chunks", BYTES(ASK_CHUNKED "4\r\nbody\r\n0\r\n\r\n" NEXT), CHUNKED " keep\n" NEXT_SEEN},
		{"wrong chunks", BYTES(ASK_CHUNKED "4\r\nbody\n"), CHUNKED " keep\nclose end of a chunk\n"},
		{"perhaps none", BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nExpect: 100-continue\r\n\r\n"),
		 POST " CONTENT_LENGTH=1 HTTP_EXPECT=100-continue SERVER_PROTOCOL=HTTP/1.1\n"},
	};
	CHECK(rows, false);
}

static struct buf out;
static char out_memory[1 << 20];

/* n headers beside Host, with names of that length. */
static struct str ask_with(unsigned n, unsigned length)
{
	out = buf_over(out_memory, sizeof out_memory);
	buf_add(&out, STR("GET / HTTP/1.1\r\n" HOST));
	for (unsigned i = 0; i < n; i++) {
		for (unsigned j = 0; j < length; j++)
			buf_char(&out, 'N');
		buf_add(&out, STR(":v\r\n"));
	}
	buf_add(&out, STR("\r\n"));
	return buf_str(&out);
}

static struct str ask_of_size(size_t n)
{
	out = buf_over(out_memory, sizeof out_memory);
	buf_add(&out, STR("GET / HTTP/1.1\r\n" HOST "A: "));
	while (out.n < n - 4)
		buf_char(&out, 'v');
	buf_add(&out, STR("\r\n\r\n"));
	return buf_str(&out);
}

static void test_limits(void)
{
	static struct result result;
	feed(&result, ask_with(252, 3), 1000, false);
	UNIT_ROW(str_ends(buf_str(&result.text), STR("keep\nwaits between\n")), "256 parameters");
	check(&(struct row){"257 parameters", ask_with(253, 3), "refuse number of parameters\n"}, false);
	feed(&result, ask_with(1, 250), 1000, false);
	UNIT_ROW(str_starts(buf_str(&result.text), STR("request ")), "name of 250 bytes");
	check(&(struct row){"name of 251 bytes", ask_with(1, 251), "refuse length of the header names\n"}, false);
	check(&(struct row){"long names", ask_with(100, 200), "refuse length of the header names\n"}, false);
	feed(&result, ask_of_size(LIMIT), 1000, false);
	UNIT_ROW(str_starts(buf_str(&result.text), STR("request ")) || result.text.full, "the longest head");
	check(&(struct row){"one byte longer", ask_of_size(LIMIT + 1), "refuse length of the headers\n"}, false);
}

static void test_peer(void)
{
	static struct params params;
	static const char text[] = "GET / HTTP/1.1\r\n" HOST "Remote-Addr: 6.6.6.6\r\nREMOTE_ADDR: 6.6.6.6\r\n\r\n";
	char memory[sizeof text];
	struct http_stream stream = {.in = {.bytes = memory, .cap = sizeof memory, .n = sizeof text - 1}};
	const struct stream_limits limits = {.head = LIMIT};
	memcpy(memory, text, sizeof text);
	memcpy(stream.in.peer, "::1", 4);
	CU_ASSERT_EQUAL_FATAL(http_stream_parse(&stream, &limits, &params), PROTOCOL_REQUEST);
	CU_ASSERT_EQUAL(stream.in.asked, ASKED_HTTP);
	CU_ASSERT_EQUAL_FATAL(params.n, 6);
	UNIT_STR_EQ(params.items[3].name, STR("HTTP_REMOTE_ADDR"), "a header");
	UNIT_STR_EQ(params.items[5].name, STR("REMOTE_ADDR"), "the peer");
	UNIT_STR_EQ(params.items[5].value, STR("::1"), "the peer");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"taken", test_taken},	 {"request line", test_request_line}, {"headers", test_headers},
		{"framing", test_framing}, {"body", test_body},		      {"body skipped", test_body_skipped},
		{"limits", test_limits}, {"peer", test_peer},		      {NULL, NULL},
	};
	return unit_main("http_stream", cases);
}
