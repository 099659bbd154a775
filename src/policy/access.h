/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: which one a request falls under, and what it asks of a token. */
#ifndef POLICY_ACCESS_H
#define POLICY_ACCESS_H

#include "base/conf.h"
#include "http/request.h"
#include "policy/attribute.h"
#include "policy/rule.h"
#include "token/issuer.h"

enum unauthenticated { UNAUTHENTICATED_AUTO, UNAUTHENTICATED_401, UNAUTHENTICATED_REDIRECT, UNAUTHENTICATED_ANONYMOUS };

/* [policy "NAME"] */
struct policy_conf {
	struct conf_list path, host, issuer, token_from, require, path_user, attribute, cors_origin, cors_headers;
	int unauthenticated; /* enum unauthenticated */
	struct conf_text login_url, realm, profile;
	bool pass_token, local_user;
	int64_t max_age; /* milliseconds, 0 for none */
	int64_t local_user_refresh; /* milliseconds */
	int64_t verdict_ttl; /* milliseconds, 0: no verdict is kept */
};

extern const struct conf_kind policy_kind;

enum carrier { CARRIER_BEARER, CARRIER_COOKIE, CARRIER_API_KEY, CARRIER_QUERY, CARRIER_WEBSOCKET, CARRIER_COUNT };

/* Where a token may be, in the order in which it is looked for. */
struct token_sources {
	enum carrier carriers[CARRIER_COUNT];
	size_t n_carriers;
	const struct str *cookies; /* names */
	size_t n_cookies;
	const struct str *queries; /* names of query parameters */
	size_t n_queries;
	struct str api_key_prefix, api_key_parameter; /* for CARRIER_API_KEY */
};

struct issuer_set {
	struct issuer **items;
	size_t n;
};

struct policy {
	struct str name;
	const struct policy_conf *conf;
	struct issuer_set issuers;
	struct token_sources sources;
	const struct rule *rules;
	size_t n_rules;
	const struct attribute *attributes;
	size_t n_attributes;
	const struct profile_source *profile; /* NULL: none */
};

struct snapshot;

/* Compile the sections of a snapshot whose issuers are open. */
bool access_open(struct snapshot *snapshot, struct conf_error *error);
/* The policy that the web server names (AUTH_POLICY), else the most specific
 * one whose host and path match; ERR_NO_POLICY. ERR_BAD_REQUEST when the path
 * without its ';' parameters falls under another one. */
enum err access_find(const struct snapshot *snapshot, const struct request *request, const struct policy **out);
/* path-user: does the path belong to that user, by every pattern that matches it, or
 * to nobody? ERR_USER_MISMATCH. */
enum err access_check_path(const struct policy *policy, struct str path, struct str user_id);
/* The same for each form of each path of the request. */
enum err access_check_paths(const struct policy *policy, const struct request *request, struct str user_id);
/* Of a request under two policies: do both know the same user? ERR_USER_MISMATCH. */
enum err access_check_same_user(const struct claims *a, const struct claims *b);
/* Of a request with a cookie, which browsers send along from every site's page: a
 * handshake must come from a page of this origin or of cors-origin, since its connection
 * can be read from there. ERR_RULE_FAILED. */
enum err access_check_websocket(const struct policy *policy, const struct request *request, struct str *why);
/* Every rule, and max-age. ERR_RULE_FAILED, and *why is the rule as it is written. */
enum err access_check_rules(const struct policy *policy, const struct subject *subject, int64_t now, struct str *why);

#endif
