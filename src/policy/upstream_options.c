/* SPDX-License-Identifier: Apache-2.0 */
/* The options of [upstream], and what must hold between them. */
#include "policy/upstream_options.h"

#include <stddef.h>

#include "policy/cookies.h"
#include "policy/runtime.h"
#include "token/json.h"

enum { WHY_SIZE = 512, COOKIES_MAX = 16, FIELDS_MAX = 64 };

#define PLACE STR("{token}")
#define PATH(action) offsetof(struct upstream_conf, paths[action])

static const struct conf_opt opts[] = {
	{"base", CONF_TEXT, offsetof(struct upstream_conf, base), NULL, NULL,
	 "Where the auth server is, as https://auth.example or https://www.example/api; paths are added to it"},
	{"login", CONF_TEXT, PATH(UPSTREAM_LOGIN), "/login", NULL, "Path of the login"},
	{"register", CONF_TEXT, PATH(UPSTREAM_REGISTER), NULL, NULL,
	 "Path of the registration; an action without a path is not offered"},
	{"profile", CONF_TEXT, PATH(UPSTREAM_PROFILE), NULL, NULL,
	 "Path that gives a user's profile; without it the profile is what the token says"},
	{"verify", CONF_TEXT, PATH(UPSTREAM_VERIFY), NULL, NULL,
	 "Path that tells whether a token is good there too; without it our own verification is enough"},
	{"logout", CONF_TEXT, PATH(UPSTREAM_LOGOUT), NULL, NULL,
	 "Path of the logout, told after our own; see [logout] upstream"},
	{"forgot-password", CONF_TEXT, PATH(UPSTREAM_FORGOT), NULL, NULL,
	 "Path that sends a mail to who forgot the password"},
	{"reset-password", CONF_TEXT, PATH(UPSTREAM_RESET), NULL, NULL,
	 "Path that takes the code of that mail and a new password"},
	{"verify-email", CONF_TEXT, PATH(UPSTREAM_VERIFY_EMAIL), NULL, NULL,
	 "Path that takes the code which shows that an address is the user's; with {token} at its end it goes there"},
	{"health", CONF_TEXT, PATH(UPSTREAM_HEALTH), NULL, NULL, "Path that answers when the server is well"},
	{"csrf", CONF_TEXT, PATH(UPSTREAM_CSRF), NULL, NULL,
	 "Path that gives the csrfToken of a login and a logout (NextAuth, Auth.js)"},
	{"exchange", CONF_TEXT, PATH(UPSTREAM_EXCHANGE), NULL, NULL,
	 "Path that gives a signed token for the session that a login has begun (Better Auth)"},
	{"request", CONF_WORD, offsetof(struct upstream_conf, request), "json", "json|form", "How bodies are sent"},
	{"login-request", CONF_WORD, offsetof(struct upstream_conf, login_request), "same", "same|json|form",
	 "How the body of a login is sent; same: as request says"},
	{"fields", CONF_LIST, offsetof(struct upstream_conf, fields), NULL, NULL,
	 "Fields that have another name there: login.username = email, reset-password.password = newPassword"},
	{"extra-fields", CONF_LIST, offsetof(struct upstream_conf, extra_fields), NULL, NULL,
	 "Further fields that are passed on when they come: register.firstName"},
	{"username", CONF_WORD, offsetof(struct upstream_conf, username), "any", "any|plain",
	 "User names that may be registered; plain: 3 to 50 letters, digits and _"},
	{"session", CONF_WORD, offsetof(struct upstream_conf, session), "token", "token|cookies",
	 "What a login gives: a token, which goes into the cookie of [login], or cookies of the server's own"},
	{"token", CONF_LIST, offsetof(struct upstream_conf, token), "/token, /access_token, /data/token", NULL,
	 "Where an answer has the token: the first of these that is there"},
	{"token-header", CONF_LIST, offsetof(struct upstream_conf, token_header), NULL, NULL,
	 "Headers of the answer that may have it, as set-auth-jwt; these are looked at first"},
	{"user", CONF_LIST, offsetof(struct upstream_conf, user), "/user, /data/user", NULL,
	 "Where an answer has the user"},
	{"user-id", CONF_LIST, offsetof(struct upstream_conf, user_id), "/user_id, /id", NULL,
	 "Where an answer without the user has the user's id"},
	{"error", CONF_LIST, offsetof(struct upstream_conf, error), "/detail, /error, /message", NULL,
	 "Where an answer says what is wrong: a text, or a list of them"},
	{"success", CONF_LIST, offsetof(struct upstream_conf, success), "200, 201", NULL,
	 "Statuses of an answer that is none of failure; with 302 its Location must not name an error (Auth.js)"},
	{"pass-cookies", CONF_LIST, offsetof(struct upstream_conf, pass_cookies), NULL, NULL,
	 "Cookies of the server, with their chunks, that are passed on to the browser and back"},
	{"host", CONF_TEXT, offsetof(struct upstream_conf, host), NULL, NULL,
	 "The Host header, where the server wants another one than that of base"},
	{"origin", CONF_TEXT, offsetof(struct upstream_conf, origin), NULL, NULL,
	 "The Origin header, where the server wants one, as https://www.example"},
	{"forward-address", CONF_BOOL, offsetof(struct upstream_conf, forward_address), "on", NULL,
	 "Tell the server the client's address in X-Forwarded-For, for limits of its own"},
	{"timeout", CONF_DURATION, offsetof(struct upstream_conf, timeout), "5s", "10ms-60s",
	 "How long an action may take"},
	{"login-timeout", CONF_DURATION, offsetof(struct upstream_conf, login_timeout), "10s", "10ms-60s",
	 "How long a login or a registration may take, with all its calls"},
	{"connect-timeout", CONF_DURATION, offsetof(struct upstream_conf, connect_timeout), "1s", "10ms-60s",
	 "How long connecting may take"},
	{"max-body", CONF_SIZE, offsetof(struct upstream_conf, max_body), "256k", "1k-512k",
	 "Bytes of the longest answer that is read"},
	{"max-concurrent", CONF_INT, offsetof(struct upstream_conf, max_concurrent), "0", "0-256",
	 "Threads of a process that ask the server at a time; 0: a quarter of all"},
	{"ca-file", CONF_PATH, offsetof(struct upstream_conf, ca_file), NULL, NULL,
	 "PEM file of authorities that vouch for the server's certificate, besides those of the system"},
	{"allow-plain-http", CONF_BOOL, offsetof(struct upstream_conf, allow_plain_http), "off", NULL,
	 "Take an http: base for a host other than this one: who is between can read passwords"},
	{NULL, CONF_TEXT, 0, NULL, NULL, NULL},
};

const struct conf_kind upstream_kind = {"upstream", false, sizeof(struct upstream_conf), opts,
					"An auth server of the site, for [login] backend = upstream"};

static const char *const names[UPSTREAM_ACTIONS] = {
	"login",	 "register",	   "profile",	   "verify", "logout", "forgot-password",
	"reset-password", "verify-email", "health", "csrf",   "exchange",
};

const char *upstream_action_name(enum upstream_action action)
{
	return names[action];
}

enum upstream_request upstream_encoding(const struct upstream *upstream, enum upstream_action action)
{
	if (action == UPSTREAM_LOGIN && upstream->conf->login_request > 0)
		return (enum upstream_request)(upstream->conf->login_request - 1);
	return (enum upstream_request)upstream->conf->request;
}

struct compiler {
	struct snapshot *snapshot;
	const struct conf_section *section;
	const struct upstream_conf *conf;
	struct upstream *upstream;
	struct conf_error *error;
};

static bool no_memory(struct compiler *c)
{
	return conf_fail(c->error, c->section, "", "the configuration is too large");
}

/* URLs ------------------------------------------------------------------- */

static bool compile_url(struct compiler *c, enum upstream_action action)
{
	const struct conf_text *path = &c->conf->paths[action];
	struct str base = c->conf->base.value;
	char memory[WHY_SIZE];
	struct buf why = buf_over(memory, sizeof memory);
	struct str text = path->value;
	if (!text.p)
		return true;
	if (action == UPSTREAM_VERIFY_EMAIL && str_ends(text, PLACE)) {
		text.n -= PLACE.n;
		c->upstream->verify_by_get = true;
	}
	if (text.n == 0 || text.p[0] != '/')
		return conf_fail_at(c->error, path, names[action], "is a path: begin it with '/'");
	struct str url = arena_printf(c->snapshot->arena, "%.*s%.*s", STR_ARGS(base), STR_ARGS(text));
	if (!url.p)
		return no_memory(c);
	if (!fetch_check_url(url, true, &why))
		return conf_fail_at(c->error, path, names[action], "%s", buf_z(&why));
	c->upstream->urls[action] = url;
	return true;
}

static bool compile_urls(struct compiler *c)
{
	const struct conf_text *base = &c->conf->base;
	char memory[WHY_SIZE];
	struct buf why = buf_over(memory, sizeof memory);
	if (!base->value.p)
		return conf_fail(c->error, c->section, "base",
				 "is missing: with [login] backend = upstream write base = https://HOST");
	if (!fetch_check_url(base->value, c->conf->allow_plain_http, &why))
		return conf_fail_at(c->error, base, "base", "%s", buf_z(&why));
	if (str_ends(base->value, STR("/")) || str_find(base->value, '?') < base->value.n)
		return conf_fail_at(c->error, base, "base", "ends with '/' or has a query: paths are added to it");
	for (enum upstream_action action = 0; action < UPSTREAM_ACTIONS; action++)
		if (!compile_url(c, action))
			return false;
	return true;
}

/* Headers ---------------------------------------------------------------- */

static bool add_header(struct compiler *c, const char *name, struct str value)
{
	struct str line = arena_printf(c->snapshot->arena, "%s: %.*s", name, STR_ARGS(value));
	if (!line.p)
		return no_memory(c);
	c->upstream->headers[c->upstream->n_headers++] = line;
	return true;
}

static bool compile_headers(struct compiler *c)
{
	const struct conf_text *host = &c->conf->host, *origin = &c->conf->origin;
	char memory[WHY_SIZE];
	struct buf why = buf_over(memory, sizeof memory);
	if (host->value.p) {
		struct str probe = arena_printf(c->snapshot->arena, "https://%.*s", STR_ARGS(host->value));
		if (str_find(host->value, '/') < host->value.n || !fetch_check_url(probe, false, &why))
			return conf_fail_at(c->error, host, "host", "\"%.*s\" is no host name, nor one with a port",
					    STR_ARGS(host->value));
		if (!add_header(c, "Host", host->value))
			return false;
	}
	if (!origin->value.p)
		return true;
	if (!login_origin_is_valid(origin->value))
		return conf_fail_at(c->error, origin, "origin",
				    "\"%.*s\" is no origin: write https://host or https://host:port in lower case, "
				    "without a path", STR_ARGS(origin->value));
	return add_header(c, "Origin", origin->value);
}

/* Fields ----------------------------------------------------------------- */

static bool has_fields(enum upstream_action action)
{
	return action == UPSTREAM_LOGIN || action == UPSTREAM_REGISTER || action == UPSTREAM_FORGOT ||
	       action == UPSTREAM_RESET || action == UPSTREAM_VERIFY_EMAIL;
}

static bool is_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-')
			return false;
	}
	return name.n > 0 && name.n <= FIELDS_MAX;
}

/* "login.username" */
static bool read_field(struct str text, struct upstream_field *out)
{
	size_t dot = str_find(text, '.');
	struct str action = {text.p, dot};
	if (dot == text.n)
		return false;
	out->ours = out->theirs = str_skip(text, dot + 1);
	for (out->action = 0; out->action < UPSTREAM_ACTIONS; out->action++)
		if (has_fields(out->action) && str_eq(action, str_of(names[out->action])))
			return is_name(out->ours);
	return false;
}

static bool compile_fields(struct compiler *c, const struct conf_list *list, const char *key, bool renamed,
			   const struct upstream_field **out)
{
	struct upstream_field *fields = arena_array(c->snapshot->arena, list->n + 1, sizeof *fields);
	if (!fields)
		return no_memory(c);
	for (size_t i = 0; i < list->n; i++) {
		struct str text = list->items[i].value;
		size_t equals = renamed ? str_find(text, '=') : text.n;
		bool good = read_field(str_trim((struct str){text.p, equals}), &fields[i]) &&
			    renamed == (equals < text.n);
		if (good && renamed)
			fields[i].theirs = str_trim(str_skip(text, equals + 1));
		if (!good || !is_name(fields[i].theirs))
			return conf_fail_at(c->error, &list->items[i], key,
					    "\"%.*s\" is none: write %s, with login, register, forgot-password, "
					    "reset-password or verify-email before the dot",
					    STR_ARGS(text), renamed ? "login.username = email" : "register.firstName");
	}
	*out = fields;
	return true;
}

/* Answers ---------------------------------------------------------------- */

static bool check_paths(struct compiler *c, const struct conf_list *list, const char *key)
{
	for (size_t i = 0; i < list->n; i++)
		if (!json_path_valid(list->items[i].value))
			return conf_fail_at(c->error, &list->items[i], key,
					    "\"%.*s\" is no path into an answer: /token, /data/token, data.token",
					    STR_ARGS(list->items[i].value));
	return true;
}

static bool compile_success(struct compiler *c)
{
	const struct conf_list *list = &c->conf->success;
	for (size_t i = 0; i < list->n; i++) {
		uint64_t status;
		if (i == UPSTREAM_STATUSES_MAX || !str_to_uint(list->items[i].value, 399, &status) || status < 200)
			return conf_fail_at(c->error, &list->items[i], "success",
					    "\"%.*s\" is no status from 200 to 399, or there are more than %d",
					    STR_ARGS(list->items[i].value), UPSTREAM_STATUSES_MAX);
		c->upstream->success[i] = (int)status;
	}
	c->upstream->n_success = list->n;
	return true;
}

static bool check_headers(struct compiler *c)
{
	for (size_t i = 0; i < c->conf->token_header.n; i++)
		if (!is_name(c->conf->token_header.items[i].value))
			return conf_fail_at(c->error, &c->conf->token_header.items[i], "token-header",
					    "\"%.*s\" is no name of a header",
					    STR_ARGS(c->conf->token_header.items[i].value));
	return true;
}

/* Does an issuer look for its tokens in one of the cookies? */
static bool is_seen(struct compiler *c, struct str name)
{
	const struct issuer_set *issuers = &c->snapshot->issuers;
	for (size_t i = 0; i < issuers->n; i++) {
		struct conf_list own = issuer_cookies(issuers->items[i]);
		for (size_t j = 0; j < own.n; j++)
			if (str_eq(own.items[j].value, name))
				return true;
	}
	return false;
}

static bool check_cookies(struct compiler *c)
{
	const struct conf_list *list = &c->conf->pass_cookies;
	bool seen = false;
	if (list->n > COOKIES_MAX)
		return conf_fail(c->error, c->section, "pass-cookies", "are more than %d", COOKIES_MAX);
	for (size_t i = 0; i < list->n; i++) {
		if (!cookies_name_is_valid(list->items[i].value))
			return conf_fail_at(c->error, &list->items[i], "pass-cookies",
					    "\"%.*s\" can't be the name of a cookie", STR_ARGS(list->items[i].value));
		seen = seen || is_seen(c, list->items[i].value);
	}
	if (c->conf->session == UPSTREAM_SESSION_COOKIES && !seen)
		return conf_fail(c->error, c->section, "session",
				 "with cookies, one of pass-cookies must be a cookie that an [issuer] looks for, or "
				 "nobody would accept the session");
	return true;
}

static bool compile(struct compiler *c)
{
	const struct upstream_conf *conf = c->conf;
	if (c->snapshot->issuers.n == 0)
		return conf_fail(c->error, c->section, "base",
				 "there is no [issuer]: no token of a login could be verified");
	return compile_urls(c) && compile_headers(c) &&
	       compile_fields(c, &conf->fields, "fields", true, &c->upstream->fields) &&
	       compile_fields(c, &conf->extra_fields, "extra-fields", false, &c->upstream->extra_fields) &&
	       check_paths(c, &conf->token, "token") && check_paths(c, &conf->user, "user") &&
	       check_paths(c, &conf->user_id, "user-id") && check_paths(c, &conf->error, "error") &&
	       compile_success(c) && check_headers(c) && check_cookies(c);
}

bool upstream_options_check(struct snapshot *snapshot, struct conf_error *error)
{
	struct compiler c = {.snapshot = snapshot, .section = snapshot->conf->sections, .error = error};
	if (snapshot->login->backend != LOGIN_UPSTREAM)
		return true;
	while (c.section->kind != &upstream_kind)
		c.section = c.section->next;
	c.conf = c.section->values;
	c.upstream = arena_alloc(snapshot->arena, sizeof *c.upstream);
	if (!c.upstream)
		return no_memory(&c);
	c.upstream->conf = c.conf;
	snapshot->upstream = c.upstream;
	snapshot->asks = true;
	return compile(&c);
}
