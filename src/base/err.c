/* SPDX-License-Identifier: Apache-2.0 */
/* The table of reasons: every refusal there is, on one screen. */
#include "base/err.h"

#include <syslog.h>

static const struct err_row rows[ERR_COUNT] = {
	[ERR_NONE] = {"ok", 200, NULL, LOG_INFO, "OK"},

	[ERR_BAD_REQUEST] = {"bad_request", 400, "invalid_request", LOG_NOTICE, "Bad request"},
	[ERR_NO_POLICY] = {"no_policy", 403, NULL, LOG_WARNING, "Not allowed"},
	[ERR_NOT_FOUND] = {"not_found", 404, NULL, LOG_INFO, "Not found"},
	[ERR_METHOD] = {"method_not_allowed", 405, NULL, LOG_INFO, "Method not allowed"},
	[ERR_UNTRUSTED_PROXY] = {"untrusted_proxy", 403, NULL, LOG_WARNING, "Not allowed"},
	[ERR_CROSS_SITE] = {"cross_site", 403, NULL, LOG_NOTICE, "This form has expired or came from another site"},

	[ERR_NO_TOKEN] = {"no_token", 401, NULL, LOG_INFO, "Authentication required"},
	[ERR_AMBIGUOUS_TOKEN] = {"ambiguous_token", 401, "invalid_token", LOG_NOTICE, "Invalid token"},
	[ERR_TOKEN_MALFORMED] = {"token_malformed", 401, "invalid_token", LOG_NOTICE, "Invalid token"},
	[ERR_BAD_ALGORITHM] = {"bad_algorithm", 401, "invalid_token", LOG_NOTICE, "Invalid token"},
	[ERR_UNKNOWN_KEY] = {"unknown_key", 401, "invalid_token", LOG_NOTICE, "Invalid token"},
	[ERR_BAD_SIGNATURE] = {"bad_signature", 401, "invalid_token", LOG_NOTICE, "Invalid token"},
	[ERR_DECRYPT_FAILED] = {"decrypt_failed", 401, "invalid_token", LOG_NOTICE, "Invalid token"},
	[ERR_BAD_ISSUER] = {"bad_issuer", 401, "invalid_token", LOG_NOTICE, "Invalid token"},
	[ERR_BAD_AUDIENCE] = {"bad_audience", 401, "invalid_token", LOG_NOTICE, "Invalid token"},
	[ERR_BAD_PARTY] = {"bad_party", 401, "invalid_token", LOG_NOTICE, "Invalid token"},
	[ERR_BAD_CLAIM] = {"bad_claim", 401, "invalid_token", LOG_NOTICE, "Invalid token"},
	[ERR_NOT_YET_VALID] = {"not_yet_valid", 401, "invalid_token", LOG_NOTICE, "Invalid token"},
	[ERR_TOKEN_EXPIRED] = {"token_expired", 401, "invalid_token", LOG_INFO, "Token has expired"},
	[ERR_TOKEN_REVOKED] = {"token_revoked", 401, "invalid_token", LOG_NOTICE, "Token has been invalidated"},
	[ERR_BAD_CREDENTIALS] = {"bad_credentials", 401, NULL, LOG_NOTICE, "Invalid user name or password"},

	[ERR_USER_INACTIVE] = {"user_inactive", 403, NULL, LOG_NOTICE, "Account is not active"},
	[ERR_USER_UNKNOWN] = {"user_unknown", 403, NULL, LOG_NOTICE, "Account is not active"},
	[ERR_RATE_LIMITED] = {"rate_limited", 429, NULL, LOG_NOTICE, "Too many attempts"},
	[ERR_ACCOUNT_LOCKED] = {"account_locked", 423, NULL, LOG_NOTICE, "Too many attempts"},
	[ERR_USER_MISMATCH] = {"user_mismatch", 403, "insufficient_scope", LOG_NOTICE, "User ID mismatch"},
	[ERR_RULE_FAILED] = {"rule_failed", 403, "insufficient_scope", LOG_NOTICE, "Not allowed"},

	[ERR_UPSTREAM_REFUSED] = {"upstream_refused", 403, NULL, LOG_NOTICE, "Not allowed"},
	[ERR_UPSTREAM] = {"upstream_unavailable", 503, NULL, LOG_ERR, "Auth server unavailable"},
	[ERR_UPSTREAM_TIMEOUT] = {"upstream_timeout", 504, NULL, LOG_ERR,
				  "The auth server did not answer in time"},
	[ERR_UPSTREAM_ANSWER] = {"upstream_answer", 502, NULL, LOG_ERR,
				 "The auth server's answer could not be used"},

	[ERR_STORE] = {"store_unavailable", 503, NULL, LOG_ERR, "Temporarily unavailable"},
	[ERR_STORE_PARTIAL] = {"store_partial", 503, NULL, LOG_WARNING, "Temporarily unavailable"},
	[ERR_KEYS] = {"keys_unavailable", 503, NULL, LOG_ERR, "Temporarily unavailable"},
	[ERR_PROFILE] = {"profile_unavailable", 503, NULL, LOG_ERR, "Temporarily unavailable"},
	[ERR_OVERLOADED] = {"overloaded", 503, NULL, LOG_WARNING, "Temporarily unavailable"},
	[ERR_INTERNAL] = {"internal_error", 500, NULL, LOG_ERR, "Internal error"},
};

const struct err_row *err_row(enum err code)
{
	return &rows[code < ERR_COUNT ? code : ERR_INTERNAL];
}
