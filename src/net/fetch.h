/* SPDX-License-Identifier: Apache-2.0 */
/* One bounded HTTP call: one answer, no redirects, no proxy, nothing but http and https. */
#ifndef NET_FETCH_H
#define NET_FETCH_H

#include "base/arena.h"

/* A thread's own handle: keeps its connections from one call to the next. */
struct fetch;

/* How to look at a web server rather than use what it says: whatever it answers is
 * taken as it comes, compressed or not, with all header lines, and cut off at max_body. */
struct fetch_look {
	const char *method;  /* NULL: GET, or POST with a body */
	struct str target;   /* in the request line in place of the URL's path and query; STR_NONE: these */
	struct str body;     /* STR_NONE: none */
	const char *ca_file; /* PEM file of authorities to trust; NULL: the system's */
	bool insecure;	     /* take any certificate */
};

/* Something that is done, not only read: the answer is to be used, and its header lines are too. */
struct fetch_send {
	struct str body;     /* of a POST; STR_NONE: GET */
	const char *ca_file; /* PEM file of authorities to trust besides the system's, or NULL */
};

struct fetch_request {
	struct str url;
	/* Lines "Name: value" to send besides Accept and User-Agent, without line ends. */
	const struct str *headers;
	size_t n_headers;
	int64_t timeout_ms, connect_timeout_ms; /* for all of it; for connecting alone */
	size_t max_body; /* bytes; a longer answer is cut off and refused */
	/* On a connection of its own: one that was kept may turn out to be closed, and
	 * then the same is asked a second time. */
	bool once;
	bool allow_plain_http; /* to hosts other than loopback addresses and "localhost" */
	const struct fetch_look *look; /* NULL: the answer is to be used */
	const struct fetch_send *send; /* NULL, and no look: a GET whose header lines are of no interest */
};

struct fetch_answer {
	int status;
	struct str body, content_type; /* in the arena */
	int64_t max_age; /* seconds of Cache-Control, or -1 */
	int64_t retry_after; /* seconds of Retry-After, or 0 */
	struct str head;     /* with look or send: the header lines, in the arena, for fetch_next_header */
};

/* Is the URL one that fetch_get would ask? For configuration. false: why says what is wrong. */
bool fetch_check_url(struct str url, bool allow_plain_http, struct buf *why);
/* Loads the HTTP library when it is called for the first time: to be called by one
 * thread before others start. false: why. */
bool fetch_start(struct buf *why);
bool fetch_open(struct fetch **out);
void fetch_close(struct fetch **fetch);
/* Any answer that is complete, whatever its status: true. false: why says what
 * went wrong, without the headers that were sent. */
bool fetch_get(struct fetch *fetch, struct arena *arena, const struct fetch_request *request,
	       struct fetch_answer *out, struct buf *why);
/* Did the last call fail because nobody could be reached, or nobody answered in time?
 * false: something answered, and what it said was no good. */
bool fetch_unanswered(const struct fetch *fetch);
/* The same: had the request been sent when the time was over? */
bool fetch_timed_out(const struct fetch *fetch);
/* Cut the next line "Name: value" off *head; false: there is none. */
bool fetch_next_header(struct str *head, struct str *name, struct str *value);
/* The value of the first line of that name, in any case of letters, or STR_NONE. */
struct str fetch_header(struct str head, struct str name);
/* Is the host of a URL that fetch_check_url takes this machine's own address or "localhost"? */
bool fetch_is_local(struct str url);
/* Is a content type JSON: application/json, or another in JSON (RFC 6839 section 3.1)? */
bool fetch_type_is_json(struct str type);
/* Version of libcurl, or NULL while it is not loaded. */
const char *fetch_library(void);

#endif
