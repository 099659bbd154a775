/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check --live`: what its parts share. Each part asks the web server something,
 * compares the answer with what the configuration wants, and prints a line. */
#ifndef BIN_AUTHCTL_LIVE_H
#define BIN_AUTHCTL_LIVE_H

#include "bin/authctl_check.h"

enum { LIVE_PAGES_MAX = 16, LIVE_HEADERS_MAX = 8, LIVE_BODY_MAX = 128 << 10 };

/* What a finding comes from: a row of authctl_live_remedy.c. */
enum live_cause {
	CAUSE_NONE, /* nothing to mend in the web server */
	CAUSE_OPEN,
	CAUSE_DENIAL_SHOWS,
	CAUSE_BASIC,
	CAUSE_MISSING,
	CAUSE_DOWN,
	CAUSE_METHOD,
	CAUSE_TRACE,
	CAUSE_PATH,
	CAUSE_HOST,
	CAUSE_CLAIMED,
	CAUSE_REFUSED,
	CAUSE_EATEN,
	CAUSE_COOKIE_LOST,
	CAUSE_STALE,
	CAUSE_PATH_USER,
	CAUSE_NAVIGATION,
	CAUSE_RETURN,
	CAUSE_PROGRAM,
	CAUSE_CHALLENGE,
	CAUSE_BODY,
	CAUSE_TYPE,
	CAUSE_NO_STORE,
	CAUSE_SET_COOKIE,
	CAUSE_LOGIN,
	CAUSE_LOGIN_MISSING,
	CAUSE_HTTPS,
	CAUSE_FORGED,
	CAUSE_NO_USER,
	CAUSE_DEFAULT_USER,
	CAUSE_INCLUDED,
	CAUSE_LEAK,
	CAUSE_ENDPOINT,
	CAUSE_COUNT
};

enum live_server { LIVE_LIGHTTPD, LIVE_APACHE, LIVE_NGINX, LIVE_OTHER };

/* A page of the site. Slices of its URL, which the command line or `keep` owns. */
struct live_page {
	struct str url, origin, authority, target, path;
	bool https, local; /* local: on this machine, nobody is between */
	const struct policy *policy; /* that this configuration has for it, or NULL */
	bool anonymous; /* the policy lets everybody in */
	bool open;	/* it was shown without a token */
	bool allowed;	/* a good token was shown it */
	bool denied;	/* a good token was refused as the configuration wants it */
	bool bearer;	/* it was the bearer token that got there, else the cookie */
	bool probe;	/* it tells what the application gets: doc/examples/probe.cgi */
	struct str shown; /* what a good token gets, kept; STR_NONE: unknown */
	bool steady;	  /* the same at two times */
};

struct live {
	struct checkup *checkup;
	struct fetch *fetch;
	struct arena *arena; /* of one question and its answer */
	struct arena *keep;  /* of all of it */
	const char *ca_file;
	bool insecure;
	int64_t timeout_ms;
	enum live_server server;
	bool met; /* it has answered */
	struct live_page pages[LIVE_PAGES_MAX], publics[LIVE_PAGES_MAX];
	size_t n_pages, n_publics;
	struct live_page login;
	struct str text; /* that stands on protected pages alone, or STR_NONE */
	/* A token that the configuration lets in, or STR_NONE. */
	struct str token, expired, user;
	struct str cookie; /* that carries it */
	bool own;	   /* made here, so it may be revoked */
	/* Noticed on the way. */
	struct str leaked;	/* the name of a header Variable-… that came */
	int64_t clock_ahead;	/* seconds that the server's clock is ahead */
	bool has_clock;
};

enum live_outcome {
	OUTCOME_NONE,	 /* no answer */
	OUTCOME_SHOWN,	 /* 2xx, 304 */
	OUTCOME_LOGIN,	 /* a redirect to the login page */
	OUTCOME_MOVED,	 /* another one */
	OUTCOME_DENIED,	 /* 401, 403 */
	OUTCOME_ABSENT,	 /* 404, 410 */
	OUTCOME_REFUSED, /* another 4xx */
	OUTCOME_BROKEN	 /* 5xx */
};

struct live_question {
	const char *method;  /* NULL: GET */
	struct str target;   /* STR_NONE: the page's own */
	struct str body;     /* STR_NONE: none */
	struct str headers[LIVE_HEADERS_MAX];
	size_t n_headers;
};

struct live_answer {
	enum live_outcome outcome;
	int status; /* 0: none */
	struct str head, body, content_type, location;
	char said[512]; /* for a line: "is answered with 200", "gets no answer: …" */
};

/* Asking: authctl_live_ask.c. -------------------------------------------- */

/* Take a URL apart. false: why says what is wrong. */
bool live_page_read(struct str url, struct live_page *out, struct buf *why);
/* A new question; the last answer and its texts are forgotten. */
struct live_question live_begin(struct live *live);
__attribute__((format(printf, 3, 4))) void live_header(struct live *live, struct live_question *question,
						       const char *format, ...);
/* As a browser that opens a page; as a program, or a script of a page, that wants data. */
void live_as_navigation(struct live *live, struct live_question *question);
void live_as_program(struct live *live, struct live_question *question);
/* With that token, as bearer or in the cookie. */
void live_with_token(struct live *live, struct live_question *question, struct str token, bool bearer);
void live_ask(struct live *live, const struct live_page *page, const struct live_question *question,
	      struct live_answer *out);
/* May a token go there: over https, or without leaving this machine? */
bool live_may_send(const struct live *live, const struct live_page *page);
/* Is what came the protected page, as far as anybody can tell? */
bool live_shows(const struct live *live, const struct live_page *page, const struct live_answer *answer);
bool live_contains(struct str text, struct str part);
/* Is it the answer of a probe page? Then what the application got; else NULL. */
const struct json *live_read_probe(struct live *live, struct str body);

/* Saying: authctl_live_remedy.c. ----------------------------------------- */

struct live_finding {
	enum check_result result;
	enum live_cause cause;
	const char *what;
	const struct live_page *page; /* NULL: it is about the site */
};

static inline struct live_finding found(enum check_result result, enum live_cause cause, const char *what,
					const struct live_page *page)
{
	return (struct live_finding){result, cause, what, page};
}

/* One line. The remedy of the cause for the server that answers is added. */
__attribute__((format(printf, 3, 4))) void live_line(struct live *live, struct live_finding finding,
						     const char *format, ...);

/* The parts, in their order. ---------------------------------------------- */

/* The token to ask with: authctl_live_token.c. false: an exit status is in *status. */
bool live_token_open(struct live *live, int *status);
/* What this configuration decides about a request for the page's target with that token
 * (STR_NONE: none), as bearer or in the cookie. */
enum err live_expect(struct live *live, struct live_page *page, struct str token, bool bearer);
/* Good tokens are let in, as bearer and as cookie, where the configuration says so: authctl_live_judge.c. */
void live_check_token(struct live *live, struct live_page *page);
/* Bad ones are not; nor good ones where path-user forbids it. */
void live_check_bad_tokens(struct live *live, struct live_page *page);
void live_check_path_user(struct live *live, struct live_page *page);
/* A token that is revoked is refused: the last that is done with it. */
void live_check_revoked(struct live *live);
/* Without a token, in every way there is to ask: authctl_live_open.c. */
void live_check_open(struct live *live, struct live_page *page);
/* What people and programs are told: authctl_live_denial.c. */
void live_check_denial(struct live *live, const struct live_page *page);
/* The login page: authctl_live_login.c. */
void live_check_login(struct live *live);
/* Headers that name a user: authctl_live_identity.c. */
void live_check_identity(struct live *live);
/* Pages that everybody may see, and endpoints that nobody may: authctl_live_public.c. */
void live_check_public(struct live *live);
void live_check_endpoints(struct live *live);

#endif
