/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl with everything off that one call does not need. */
#include "net/fetch.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "net/library.h"

/* All header lines of an answer together. */
enum { HEADERS_MAX = 32 << 10, HEADER_MAX = 16 << 10 };

/* A process has one of each library: written once, by fetch_start. */
static struct library {
	const char *version; /* NULL: not loaded */
	__typeof__(&curl_easy_init) easy_init;
	__typeof__(&curl_easy_cleanup) easy_cleanup;
	__typeof__(&curl_easy_setopt) easy_setopt;
	__typeof__(&curl_easy_getinfo) easy_getinfo;
	__typeof__(&curl_easy_perform) easy_perform;
	__typeof__(&curl_easy_strerror) easy_strerror;
} library;

static const struct library_symbol symbols[] = {
	{"curl_easy_init", offsetof(struct library, easy_init)},
	{"curl_easy_cleanup", offsetof(struct library, easy_cleanup)},
	{"curl_easy_setopt", offsetof(struct library, easy_setopt)},
	{"curl_easy_getinfo", offsetof(struct library, easy_getinfo)},
	{"curl_easy_perform", offsetof(struct library, easy_perform)},
	{"curl_easy_strerror", offsetof(struct library, easy_strerror)},
};

/* The call that a handle is at. */
struct call {
	struct arena *arena;
	struct buf body, head;
	struct fetch_answer *answer;
	const struct fetch_look *look;
	bool keeps_head;
	bool cut; /* of a look: there is more body than was wanted */
	size_t header_bytes;
	bool in_headers;
	const char *refused; /* why one of the callbacks ended it */
};

struct fetch {
	CURL *curl;
	char error[CURL_ERROR_SIZE];
	struct call call;
	const char *ca_file; /* libcurl's own */
	bool unanswered, timed_out; /* the last call */
};

bool fetch_start(struct buf *why)
{
	static const size_t n = sizeof symbols / sizeof *symbols;
	return library.version || library_load(symbols, n, &library, &library.version, why);
}

const char *fetch_library(void)
{
	return library.version;
}

/* What comes ------------------------------------------------------------- */

static bool stop(struct call *call, const char *why)
{
	call->refused = why;
	return false;
}

/* max-age of Cache-Control (RFC 9111 section 5.2.2.1). */
static int64_t read_max_age(struct str value)
{
	struct str rest = value, directive;
	uint64_t seconds;
	while (str_split(&rest, ',', &directive)) {
		directive = str_trim(directive);
		if (str_starts(directive, STR("max-age=")) && str_to_uint(str_skip(directive, 8), INT32_MAX, &seconds))
			return (int64_t)seconds;
	}
	return -1;
}

static bool read_field(struct call *call, struct str name, struct str value)
{
	if (!call->look && str_eq_nocase(name, STR("content-encoding")) &&
	    !str_eq_nocase(value, STR("identity")))
		return stop(call, "the answer is compressed (Content-Encoding), which was not asked for");
	if (str_eq_nocase(name, STR("transfer-encoding")) && !str_eq_nocase(value, STR("chunked")))
		return stop(call, "the answer has a Transfer-Encoding other than chunked");
	if (str_eq_nocase(name, STR("content-type"))) {
		call->answer->content_type = arena_copy(call->arena, value);
		return call->answer->content_type.p || stop(call, "no memory");
	}
	if (str_eq_nocase(name, STR("cache-control")) && call->answer->max_age < 0)
		call->answer->max_age = read_max_age(value);
	return true;
}

/* One line of a header section: of the answer, of a 1xx answer before it, or the
 * trailer behind a chunked body, in which nothing counts. */
static bool read_header(struct call *call, struct str line)
{
	call->header_bytes += line.n;
	if (call->header_bytes > HEADERS_MAX || line.n > HEADER_MAX)
		return stop(call, "the answer's header is too large");
	while (line.n > 0 && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	if (str_starts(line, STR("HTTP/"))) {
		call->in_headers = true;
		call->answer->content_type = STR_NONE;
		call->answer->max_age = -1;
		call->head.n = 0;
		return true;
	}
	if (line.n == 0)
		call->in_headers = false;
	if (call->in_headers && call->keeps_head) {
		buf_add(&call->head, line);
		buf_char(&call->head, '\n');
	}
	size_t colon = str_find(line, ':');
	if (!call->in_headers || colon == line.n)
		return true;
	return read_field(call, (struct str){line.p, colon}, str_trim(str_skip(line, colon + 1)));
}

static size_t on_header(char *bytes, size_t size, size_t n, void *context)
{
	struct str line = {bytes, size * n};
	return read_header(context, line) ? line.n : 0;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *context)
{
	struct call *call = context;
	struct str part = {bytes, size * n};
	size_t room = call->body.cap - call->body.n;
	if (call->look && part.n > room) {
		buf_add(&call->body, (struct str){part.p, room});
		call->cut = true;
		return 0;
	}
	buf_add(&call->body, part);
	if (call->body.full)
		return (size_t)stop(call, "the answer is longer than allowed");
	return part.n;
}

/* A handle --------------------------------------------------------------- */

static bool set_long(CURL *curl, CURLoption option, long value)
{
	return library.easy_setopt(curl, option, value) == CURLE_OK;
}

static bool set_text(CURL *curl, CURLoption option, const char *value)
{
	return library.easy_setopt(curl, option, value) == CURLE_OK;
}

static bool set_pointer(CURL *curl, CURLoption option, void *value)
{
	return library.easy_setopt(curl, option, value) == CURLE_OK;
}

/* What never changes. Several of these are libcurl's defaults: they are what we
 * rely on. */
static bool set_up(struct fetch *fetch)
{
	static const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{CURLOPT_NOSIGNAL, 1},
		/* A thread of libcurl that still waits for a name server is left behind. */
		{CURLOPT_QUICK_EXIT, 1},
		{CURLOPT_HTTPGET, 1},
		{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
		{CURLOPT_HTTP09_ALLOWED, 0},
		{CURLOPT_FOLLOWLOCATION, 0},
		{CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
		{CURLOPT_NETRC, CURL_NETRC_IGNORED},
		{CURLOPT_SSL_VERIFYPEER, 1},
		{CURLOPT_SSL_VERIFYHOST, 2},
		{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
	};
	static const struct {
		CURLoption option;
		const char *value;
	} texts[] = {
		{CURLOPT_PROTOCOLS_STR, "http,https"},
		/* The environment may name proxies, and in plain CGI a client's header
		 * "Proxy" becomes HTTP_PROXY: none is ever used. */
		{CURLOPT_PROXY, ""},
		{CURLOPT_NOPROXY, "*"},
		{CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION},
	};
	CURL *curl = fetch->curl;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (!set_long(curl, numbers[i].option, numbers[i].value))
			return false;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!set_text(curl, texts[i].option, texts[i].value))
			return false;
	return set_pointer(curl, CURLOPT_ERRORBUFFER, fetch->error) &&
	       set_pointer(curl, CURLOPT_HEADERDATA, &fetch->call) &&
	       set_pointer(curl, CURLOPT_WRITEDATA, &fetch->call) &&
	       library.easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       library.easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
}

bool fetch_open(struct fetch **out)
{
	struct fetch *fetch = library.version ? calloc(1, sizeof *fetch) : NULL;
	if (fetch)
		fetch->curl = library.easy_init();
	if (fetch && fetch->curl && set_up(fetch) &&
	    library.easy_getinfo(fetch->curl, CURLINFO_CAINFO, &fetch->ca_file) == CURLE_OK) {
		*out = fetch;
		return true;
	}
	fetch_close(&fetch);
	return false;
}

void fetch_close(struct fetch **fetch)
{
	if (!*fetch)
		return;
	if ((*fetch)->curl)
		library.easy_cleanup((*fetch)->curl);
	free(*fetch);
	*fetch = NULL;
}

/* A call ----------------------------------------------------------------- */

/* Could it be sent, as one line, with a value? An empty one takes a header of libcurl's away. */
static bool is_header(struct str line)
{
	size_t colon = str_find(line, ':');
	return colon > 0 && colon < line.n && !str_has_control(line) && str_trim(str_skip(line, colon + 1)).n > 0;
}

/* libcurl takes a list of its own kind, and only reads it: it can stand in the arena. */
static bool add_header(struct arena *arena, struct str line, struct curl_slist **list)
{
	struct curl_slist *item = arena_alloc(arena, sizeof *item);
	struct buf text = arena_buf(arena, line.n + 1);
	buf_add(&text, line);
	buf_z(&text);
	if (!item || text.full)
		return false;
	*item = (struct curl_slist){text.p, *list};
	*list = item;
	return true;
}

static bool list_headers(struct arena *arena, const struct fetch_request *request, struct curl_slist **list,
			 struct buf *why)
{
	*list = NULL;
	struct str accept = request->send ? STR("Accept: application/json")
					  : STR("Accept: application/json, application/jwk-set+json");
	bool room = request->look || add_header(arena, accept, list);
	for (size_t i = 0; room && i < request->n_headers; i++) {
		if (!is_header(request->headers[i])) {
			buf_add(why, STR("a header of the request is empty or has control characters"));
			return false;
		}
		room = add_header(arena, request->headers[i], list);
	}
	if (!room)
		buf_add(why, STR("no memory"));
	return room;
}

/* What a look may change; every call sets all of it. */
static bool set_look(struct fetch *fetch, const struct fetch_look *look, struct arena *arena)
{
	static const struct fetch_look plain = {0};
	CURL *curl = fetch->curl;
	bool looks = look;
	look = look ? look : &plain;
	struct str target = look->target.p ? arena_copy(arena, look->target) : STR_NONE;
	bool head = look->method && str_eq(str_of(look->method), STR("HEAD"));
	/* A handle remembers the kind of its last call: HTTPGET undoes the others. */
	return (target.p || !look->target.p) && set_long(curl, CURLOPT_HTTPGET, 1) &&
	       (!head || set_long(curl, CURLOPT_NOBODY, 1)) &&
	       set_text(curl, CURLOPT_CUSTOMREQUEST, head ? NULL : look->method) &&
	       set_text(curl, CURLOPT_REQUEST_TARGET, target.p) && set_long(curl, CURLOPT_PATH_AS_IS, looks) &&
	       set_long(curl, CURLOPT_SSL_VERIFYPEER, !look->insecure) &&
	       set_long(curl, CURLOPT_SSL_VERIFYHOST, look->insecure ? 0 : 2);
}

/* The bytes stay the caller's, who may wipe them. */
static bool set_body(CURL *curl, struct str body)
{
	return !body.p ||
	       (set_long(curl, CURLOPT_POST, 1) &&
		library.easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n) == CURLE_OK &&
		set_text(curl, CURLOPT_POSTFIELDS, body.p));
}

static bool set_kind(struct fetch *fetch, const struct fetch_request *request, struct arena *arena)
{
	const struct fetch_look *look = request->look;
	const struct fetch_send *send = request->send;
	const char *ca_file = look && look->ca_file ? look->ca_file : send && send->ca_file ? send->ca_file
											    : fetch->ca_file;
	return set_look(fetch, look, arena) &&
	       set_body(fetch->curl, look ? look->body : send ? send->body : STR_NONE) &&
	       set_text(fetch->curl, CURLOPT_CAINFO, ca_file);
}

static bool set_request(struct fetch *fetch, const char *url, const struct fetch_request *request,
			struct curl_slist *headers)
{
	CURL *curl = fetch->curl;
	size_t most = request->look ? 0 : request->max_body; /* 0: whatever it is */
	return set_text(curl, CURLOPT_URL, url) && set_pointer(curl, CURLOPT_HTTPHEADER, headers) &&
	       set_long(curl, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms) &&
	       set_long(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms) &&
	       set_long(curl, CURLOPT_FRESH_CONNECT, request->once) &&
	       set_long(curl, CURLOPT_FORBID_REUSE, request->once) &&
	       library.easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)most) == CURLE_OK;
}

/* No connection, or one on which the time was over before all was there. */
static bool is_unanswered(CURLcode code)
{
	return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT ||
	       code == CURLE_OPERATION_TIMEDOUT || code == CURLE_SSL_CONNECT_ERROR ||
	       code == CURLE_PEER_FAILED_VERIFICATION;
}

/* Seconds or a date (RFC 9110 section 10.2.3): libcurl reads both. */
static int64_t read_retry_after(CURL *curl)
{
	curl_off_t seconds = 0;
	return library.easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK ? (int64_t)seconds : 0;
}

/* 0 until there is a connection, and all that comes before a request is done. */
static bool was_sent(CURL *curl)
{
	curl_off_t us = 0;
	return library.easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &us) == CURLE_OK && us > 0;
}

static bool perform(struct fetch *fetch, struct buf *why)
{
	long status = 0;
	fetch->error[0] = '\0';
	CURLcode code = library.easy_perform(fetch->curl);
	if (code == CURLE_WRITE_ERROR && fetch->call.cut)
		code = CURLE_OK;
	if (code == CURLE_OK)
		code = library.easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &status);
	fetch->unanswered = is_unanswered(code);
	fetch->timed_out = code == CURLE_OPERATION_TIMEDOUT && was_sent(fetch->curl);
	fetch->call.answer->status = (int)status;
	fetch->call.answer->retry_after = code == CURLE_OK ? read_retry_after(fetch->curl) : 0;
	/* libcurl takes a header section that ends with the connection for whole. */
	if (code == CURLE_OK && !fetch->call.in_headers)
		return true;
	if (code == CURLE_OK)
		buf_add(why, STR("the answer's header is cut short"));
	else if (fetch->call.refused)
		buf_add(why, str_of(fetch->call.refused));
	else
		buf_add(why, str_of(fetch->error[0] ? fetch->error : library.easy_strerror(code)));
	return false;
}

bool fetch_get(struct fetch *fetch, struct arena *arena, const struct fetch_request *request,
	       struct fetch_answer *out, struct buf *why)
{
	struct fetch_answer answer = {.max_age = -1};
	struct curl_slist *headers;
	fetch->unanswered = fetch->timed_out = false;
	if (!fetch_check_url(request->url, request->allow_plain_http, why) ||
	    !list_headers(arena, request, &headers, why))
		return false;
	struct str url = arena_copy(arena, request->url);
	fetch->call = (struct call){.arena = arena, .body = arena_buf(arena, request->max_body), .answer = &answer,
				    .look = request->look, .keeps_head = request->look || request->send};
	if (fetch->call.keeps_head)
		fetch->call.head = arena_buf(arena, HEADERS_MAX);
	if (!url.p || !fetch->call.body.p || fetch->call.head.full ||
	    !set_kind(fetch, request, arena) || !set_request(fetch, url.p, request, headers)) {
		buf_add(why, STR("no memory"));
		return false;
	}
	bool complete = perform(fetch, why);
	/* What the handle pointed to ends here. */
	set_pointer(fetch->curl, CURLOPT_HTTPHEADER, NULL);
	set_text(fetch->curl, CURLOPT_POSTFIELDS, NULL);
	answer.body = buf_str(&fetch->call.body);
	answer.head = buf_str(&fetch->call.head);
	fetch->call = (struct call){0};
	if (complete)
		*out = answer;
	return complete;
}

bool fetch_unanswered(const struct fetch *fetch)
{
	return fetch->unanswered;
}

bool fetch_timed_out(const struct fetch *fetch)
{
	return fetch->timed_out;
}
