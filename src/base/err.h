/* SPDX-License-Identifier: Apache-2.0 */
/* Every way to fail, in one list. What a code means to the client, the log and
 * RFC 6750 stands in one table, err.c: from the reason word in a log line to the
 * row, from the row to the one place that returns the code. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/str.h"

enum err {
	ERR_NONE = 0,
	/* the request */
	ERR_BAD_REQUEST,
	ERR_NO_POLICY,
	ERR_NOT_FOUND,
	ERR_METHOD,
	ERR_CROSS_SITE,
	ERR_UNTRUSTED_PROXY,
	/* the credentials */
	ERR_NO_TOKEN,
	ERR_AMBIGUOUS_TOKEN,
	ERR_TOKEN_MALFORMED,
	ERR_BAD_ALGORITHM,
	ERR_UNKNOWN_KEY,
	ERR_BAD_SIGNATURE,
	ERR_DECRYPT_FAILED,
	ERR_BAD_ISSUER,
	ERR_BAD_AUDIENCE,
	ERR_BAD_PARTY,
	ERR_BAD_CLAIM,
	ERR_NOT_YET_VALID,
	ERR_TOKEN_EXPIRED,
	ERR_TOKEN_REVOKED,
	ERR_BAD_CREDENTIALS,
	/* the user */
	ERR_USER_INACTIVE,
	ERR_USER_UNKNOWN,
	ERR_RATE_LIMITED,
	ERR_ACCOUNT_LOCKED,
	ERR_USER_MISMATCH,
	ERR_RULE_FAILED,
	/* an auth server elsewhere */
	ERR_UPSTREAM_REFUSED,
	ERR_UPSTREAM,
	ERR_UPSTREAM_TIMEOUT,
	ERR_UPSTREAM_ANSWER,
	/* ourselves */
	ERR_STORE,
	ERR_STORE_PARTIAL,
	ERR_KEYS,
	ERR_PROFILE,
	ERR_OVERLOADED,
	ERR_INTERNAL,
	ERR_COUNT
};

struct err_row {
	const char *reason; /* word in logs and JSON answers */
	int status;	    /* HTTP status */
	const char *rfc6750; /* `error` of WWW-Authenticate, or NULL for none */
	int level;	    /* syslog level of its log line */
	const char *text;   /* what the client is told */
};

/* The row of a code; every code has one. */
const struct err_row *err_row(enum err code);

#endif
