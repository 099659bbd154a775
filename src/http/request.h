/* SPDX-License-Identifier: Apache-2.0 */
/* A request as the web server told it, checked and never changed again. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "base/arena.h"
#include "base/err.h"

/* One FastCGI or CGI parameter. The transport has checked the name (visible
 * ASCII without '=') and the value (no NUL). */
struct param {
	struct str name, value;
};

/* How was the program asked? */
enum asked {
	ASKED_UNKNOWN,	  /* FastCGI, in the role of a responder: perhaps as an authorizer all the same */
	ASKED_AUTHORIZER, /* FastCGI, in that role */
	ASKED_CGI,
	ASKED_HTTP,	  /* by whoever is at REMOTE_ADDR */
	ASKED_HTTP_LOCAL  /* through a unix socket; there is no REMOTE_ADDR */
};

/* What a transport hands over: complete, and valid until the reply is written. */
struct incoming {
	const struct param *params;
	size_t n_params;
	struct str body;    /* STR_NONE where the program reads none */
	int64_t arrived_us; /* clock_monotonic_us() at the first byte */
	enum err refused;   /* ERR_BAD_REQUEST, ERR_OVERLOADED: not to be served, params may be incomplete */
	const char *why;    /* what was wrong then */
	enum asked asked;
};

/* Slices point into the incoming parameters or into the arena. Absent: STR_NONE. */
struct request {
	struct str method;    /* REQUEST_METHOD */
	struct str target;    /* REQUEST_URI as it came: path and query, percent-encoded */
	struct str raw_path;  /* the target's path, still encoded */
	struct str path;      /* the same decoded and normalised, url_normalise() */
	struct str bare_path;	   /* path without ';' parameters */
	/* AUTH_EFFECTIVE_PATH, in the same two forms: what the web server serves in a
	 * sub-request or after an internal redirect, where that is another path. */
	struct str effective_path, bare_effective_path;
	struct str query;     /* after '?', still encoded */
	struct str host;      /* HTTP_HOST in lower case, without port and trailing dot */
	struct str authority; /* HTTP_HOST as it came */
	bool https;	      /* HTTPS, else REQUEST_SCHEME, else SERVER_PORT = 443 */
	struct str remote_addr;
	struct str policy; /* AUTH_POLICY, from the web server alone */
	struct str authorization;
	struct str cookie; /* several parameters joined with "; " */
	struct str accept;
	struct str origin;
	struct str requested_method; /* HTTP_ACCESS_CONTROL_REQUEST_METHOD: of the request that a page wants to send */
	/* May a preflight be answered? To most web servers' sub-requests 204 would be an allow. */
	bool takes_preflight;
	bool cache_wanted; /* AUTH_CACHE_WANTED: may the web server keep the verdict? */
	struct str content_type; /* CONTENT_TYPE, else HTTP_CONTENT_TYPE */
	struct str requested_with; /* HTTP_X_REQUESTED_WITH */
	struct str sec_fetch_mode, sec_fetch_site, sec_fetch_dest;
	bool websocket; /* the handshake of one: it opens a connection, no page (RFC 6455) */
	struct str websocket_protocol; /* HTTP_SEC_WEBSOCKET_PROTOCOL: a list */
	struct str script_name; /* responders: where the program is mounted */
	struct str path_info;
	struct str body;
	const struct param *params; /* all that came, for names that the configuration chooses */
	size_t n_params;
	int64_t content_length; /* CONTENT_LENGTH, -1 when absent */
	int64_t arrived_us;
	char id[17]; /* request id: 16 hexadecimal digits */
};

/* Read the parameters. number becomes the request id and must not come again. A
 * parameter that decides something and comes twice with different values, a path
 * that cannot be normalised, a missing method or target: ERR_BAD_REQUEST (or what
 * the transport refused it with), and *out holds what could be read, for the log.
 * why is set to the name of the parameter at fault, or NULL. */
enum err request_read(struct arena *arena, const struct incoming *in, uint64_t number, struct request *out,
		      const char **why);
/* The same request as if the client had asked for its effective path. */
struct request request_effective(const struct request *request);
/* The parameter of that name: how many different values came of it, up to 2; *out is the first. */
unsigned request_parameter(const struct request *request, struct str name, struct str *out);

#endif
