/* SPDX-License-Identifier: Apache-2.0 */
/* The options of [login], and what must hold between them. */
#include "policy/login_options.h"

#include <stddef.h>

#include "base/clock.h"
#include "policy/cookies.h"
#include "policy/cors.h"
#include "policy/runtime.h"

enum { SECURE_AUTO, SECURE_ON, SECURE_OFF };
/* They all go into one header line of the login page. */
enum { ORIGINS_MAX = 2000, TITLE_MAX = 100 };

static const char *const same_sites[] = {"Lax", "Strict", "None"};

static const struct conf_opt opts[] = {
	{"backend", CONF_WORD, offsetof(struct login_conf, backend), "local", "local|upstream",
	 "Who knows the passwords: local for the accounts in state-dir, upstream for the server of [upstream]"},
	{"cookie", CONF_TEXT, offsetof(struct login_conf, cookie), "__Host-auth", NULL,
	 "Name of the cookie that a login sets"},
	{"cookie-domain", CONF_TEXT, offsetof(struct login_conf, cookie_domain), NULL, NULL,
	 "Domain of the cookie, for a login that several hosts share; without it the cookie belongs to one host"},
	{"cookie-path", CONF_TEXT, offsetof(struct login_conf, cookie_path), "/", NULL, "Path of the cookie"},
	{"cookie-samesite", CONF_WORD, offsetof(struct login_conf, cookie_samesite), "Lax", "Lax|Strict|None",
	 "Whether browsers send the cookie with requests that come from other sites"},
	{"cookie-secure", CONF_WORD, offsetof(struct login_conf, cookie_secure), "auto", "auto|on|off",
	 "Send the cookie over https alone: auto when the login came over https or the cookie's name demands it"},
	{"lifetime", CONF_DURATION, offsetof(struct login_conf, lifetime), "8h", "1m-365d",
	 "How long the tokens of a login are good"},
	{"resume-max", CONF_SIZE, offsetof(struct login_conf, resume_max), "256k", "0-256k",
	 "Largest form that goes on after a login when it was posted without a session; 0: none does"},
	{"renew", CONF_DURATION, offsetof(struct login_conf, renew), NULL, "0s-365d",
	 "Renew a session in use when so little is left of its token; without it a quarter of lifetime, 0s: never"},
	{"session-max", CONF_DURATION, offsetof(struct login_conf, session_max), "30d", "1m-365d",
	 "How long a session may last by being renewed, from its login on"},
	{"issuer", CONF_TEXT, offsetof(struct login_conf, issuer), NULL, NULL,
	 "The [issuer] that signs the tokens of local accounts; not needed where there is only one"},
	{"token-claims", CONF_LIST, offsetof(struct login_conf, token_claims), "email, name, roles", NULL,
	 "What a token says of the account beside its id: email, name, roles, user_id (the id once more)"},
	{"return-origins", CONF_LIST, offsetof(struct login_conf, return_origins), NULL, NULL,
	 "Further sites a login may return to, as https://wiki.example"},
	{"cors-origin", CONF_LIST, offsetof(struct login_conf, cors_origin), NULL, NULL,
	 "Origins whose pages may call auth-login-proxy with JSON and with the user's cookie"},
	{"title", CONF_TEXT, offsetof(struct login_conf, title), NULL, NULL, "Name of the site, on all pages"},
	{"logo", CONF_PATH, offsetof(struct login_conf, logo), NULL, NULL,
	 "A picture above the pages, PNG, SVG, JPEG or WebP of at most 60k"},
	{"color", CONF_TEXT, offsetof(struct login_conf, color), NULL, NULL,
	 "Colour of buttons and links, as #2450c8; links are darker or lighter where they could not be read"},
	{"language", CONF_TEXT, offsetof(struct login_conf, language), NULL, NULL,
	 "The language of the pages, as de; without it each browser says what its user reads"},
	{"template-dir", CONF_PATH, offsetof(struct login_conf, template_dir), NULL, NULL,
	 "Folder of the site's own templates (login.html), style sheets (style.css) and languages (fr.catalogue)"},
	{"password-min", CONF_INT, offsetof(struct login_conf, password_min), "12", "1-72",
	 "Least number of characters of a new password"},
	{"password-cost", CONF_INT, offsetof(struct login_conf, password_cost), "12", "4-16",
	 "Cost of bcrypt for the hash of a password; each step doubles the time of a login and of a guess"},
	{"registration", CONF_BOOL, offsetof(struct login_conf, registration), "off", NULL,
	 "Let people make local accounts for themselves"},
	{"verify-email", CONF_BOOL, offsetof(struct login_conf, verify_email), "on", NULL,
	 "They may log in only when they have confirmed their e-mail address by a link in a mail"},
	{"url", CONF_TEXT, offsetof(struct login_conf, url), NULL, NULL,
	 "Where people find auth-login-proxy, for the links in mails: https://example.org/auth"},
	{"rate-limit", CONF_TEXT, offsetof(struct login_conf, rate_limit), "10/m", NULL,
	 "How often one client (an IPv4 address, or an IPv6 network of 64 bits) may try: 10/m, or with s, h, d; off"},
	{"account-rate-limit", CONF_TEXT, offsetof(struct login_conf, account_rate_limit), "5/m", NULL,
	 "How often one account may be tried, by whomever; off: as often as it likes"},
	{"lockout", CONF_TEXT, offsetof(struct login_conf, lockout), "5", NULL,
	 "So many wrong passwords, without a right one between them, lock an account; off: never"},
	{"lockout-time", CONF_DURATION, offsetof(struct login_conf, lockout_time), "15m", "0s-30d",
	 "How long it is locked, and how long a wrong password counts; 0s: never"},
	{"breached-passwords", CONF_PATH, offsetof(struct login_conf, breached_passwords), NULL, NULL,
	 "Passwords that nobody may set: a file of their SHA-1 hashes in rising order, one a line, HEX or HEX:COUNT"},
	{NULL, CONF_TEXT, 0, NULL, NULL, NULL},
};

const struct conf_kind login_kind = {"login", false, sizeof(struct login_conf), opts,
				     "auth-login-proxy: accounts, the cookie and the pages"};

struct cookie_attributes login_cookie_attributes(const struct login_conf *login, bool https, int64_t max_age)
{
	bool secure = login->cookie_secure == SECURE_ON ||
		      (login->cookie_secure == SECURE_AUTO && (https || cookies_prefix_is_secure(login->cookie.value)));
	return (struct cookie_attributes){
		.domain = login->cookie_domain.value,
		.path = login->cookie_path.value,
		.same_site = same_sites[login->cookie_samesite],
		.secure = secure,
		.max_age = max_age,
	};
}

bool login_registers(const struct snapshot *snapshot)
{
	return snapshot->login->backend == LOGIN_LOCAL && snapshot->login->registration;
}

bool login_mails(const struct snapshot *snapshot)
{
	return snapshot->login->backend == LOGIN_LOCAL && snapshot->mail.on;
}

static bool check_cookie(const struct login_conf *login, const struct conf_section *section, struct conf_error *error)
{
	struct str name = login->cookie.value, path = login->cookie_path.value, domain = login->cookie_domain.value;
	if (!cookies_name_is_valid(name))
		return conf_fail(error, section, "cookie", "\"%.*s\" can't be the name of a cookie", STR_ARGS(name));
	if (path.p[0] != '/' || !cookies_attribute_is_valid(path))
		return conf_fail(error, section, "cookie-path", "is a path: begin it with '/', and leave ';' out");
	if (domain.p && !cookies_domain_is_valid(domain))
		return conf_fail(error, section, "cookie-domain", "is a host name in lower case, as example.org");
	if (cookies_prefix_is_secure(name) && login->cookie_secure == SECURE_OFF)
		return conf_fail(error, section, "cookie-secure",
				 "browsers refuse the cookie %.*s without Secure: leave cookie-secure out, or name the "
				 "cookie otherwise",
				 STR_ARGS(name));
	if (cookies_prefix_is_host(name) && (domain.p || !str_eq(path, STR("/"))))
		return conf_fail(error, section, domain.p ? "cookie-domain" : "cookie-path",
				 "browsers refuse the cookie %.*s with a domain or a path other than /: name it "
				 "otherwise, as __Secure-auth",
				 STR_ARGS(name));
	if (str_eq(str_of(same_sites[login->cookie_samesite]), STR("None")) && login->cookie_secure == SECURE_OFF)
		return conf_fail(error, section, "cookie-samesite", "None needs cookie-secure = on or auto");
	return true;
}

static bool check_times(const struct login_conf *login, const struct conf_section *section, struct conf_error *error)
{
	if (login->renew >= login->lifetime)
		return conf_fail(error, section, "renew", "is the last part of lifetime: make it shorter than that");
	return true;
}

static bool check_claims(const struct login_conf *login, struct conf_error *error)
{
	static const char *const known[] = {"email", "name", "roles", "user_id", NULL};
	for (size_t i = 0; i < login->token_claims.n; i++) {
		const struct conf_text *claim = &login->token_claims.items[i];
		size_t k = 0;
		while (known[k] && !str_eq(claim->value, str_of(known[k])))
			k++;
		if (!known[k])
			return conf_fail_at(error, claim, "token-claims",
					    "\"%.*s\" is not known; an account has email, name, roles, user_id",
					    STR_ARGS(claim->value));
		for (size_t j = 0; j < i; j++)
			if (str_eq(login->token_claims.items[j].value, claim->value))
				return conf_fail_at(error, claim, "token-claims", "%.*s is named twice",
						    STR_ARGS(claim->value));
	}
	return true;
}

struct str login_resume_url(struct arena *arena, struct str login_url)
{
	struct str path = {login_url.p, str_find(login_url, '?')};
	size_t at = path.n;
	while (at > 0 && path.p[at - 1] != '/')
		at--;
	struct str page = str_skip(path, at);
	if (!str_starts(path, STR("/")) || (!str_eq(page, STR("login")) && !str_eq(page, STR("signin"))))
		return STR_NONE;
	struct str query = str_skip(login_url, path.n);
	return arena_printf(arena, "%.*sresume%.*s", (int)at, path.p, STR_ARGS(query));
}

static bool is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

static bool is_port(struct str text)
{
	uint64_t port;
	return str_to_uint(text, 65535, &port) && port > 0;
}

bool login_origin_is_valid(struct str origin)
{
	struct str rest = STR_NONE;
	if (str_starts(origin, STR("https://")))
		rest = str_skip(origin, 8);
	else if (str_starts(origin, STR("http://")))
		rest = str_skip(origin, 7);
	size_t host = 0;
	while (host < rest.n && is_host_char(rest.p[host]))
		host++;
	if (host == 0 || rest.p[0] == '.' || rest.p[0] == '-')
		return false;
	return host == rest.n || (rest.p[host] == ':' && is_port(str_skip(rest, host + 1)));
}

static bool check_texts(const struct login_conf *login, const struct conf_section *section, struct conf_error *error)
{
	size_t length = 0;
	for (size_t i = 0; i < login->return_origins.n; i++) {
		const struct conf_text *origin = &login->return_origins.items[i];
		if (!login_origin_is_valid(origin->value))
			return conf_fail_at(error, origin, "return-origins",
					    "\"%.*s\" is no origin: write https://host or https://host:port in lower "
					    "case, without a path",
					    STR_ARGS(origin->value));
		length += origin->value.n + 1;
	}
	if (length > ORIGINS_MAX)
		return conf_fail(error, section, "return-origins", "have more than %d bytes together", ORIGINS_MAX);
	for (size_t i = 0; i < login->cors_origin.n; i++)
		if (!cors_check_origin(&login->cors_origin.items[i], error))
			return false;
	if (login->title.value.n > TITLE_MAX || !str_is_utf8(login->title.value))
		return conf_fail(error, section, "title", "is UTF-8 of at most %d bytes", TITLE_MAX);
	return true;
}

/* Would a login's token pass the issuer's own checks? */
static enum err try_token(const struct issuer *issuer, const struct login_conf *login)
{
	enum { TRY_ARENA = 256 << 10 };
	struct arena *arena = NULL;
	struct token_thread *thread = NULL;
	struct issue issue = {.user_id = STR("check"), .now = clock_now(), .lifetime = login->lifetime / 1000};
	struct str text;
	struct token token;
	struct claims claims;
	enum err err = ERR_INTERNAL;
	if (arena_open(TRY_ARENA, &arena) && token_thread_open(0, &thread))
		err = issuer_sign(issuer, thread, arena, &issue, &text);
	if (err == ERR_NONE)
		err = token_parse(arena, text, &token);
	if (err == ERR_NONE)
		err = issuer_verify(issuer, &(struct verification){thread, arena, issue.now}, &token, &claims);
	token_thread_close(&thread);
	arena_close(&arena);
	return err;
}

static bool choose_issuer(struct snapshot *snapshot, const struct conf_section *section, struct conf_error *error)
{
	struct str name = snapshot->login->issuer.value;
	struct issuer *issuer = NULL;
	if (name.p)
		issuer = snapshot_issuer(snapshot, name);
	else if (snapshot->issuers.n == 1)
		issuer = snapshot->issuers.items[0];
	if (name.p && !issuer)
		return conf_fail(error, section, "issuer", "there is no [issuer \"%.*s\"]", STR_ARGS(name));
	bool signs = issuer && issuer_can_sign(issuer);
	enum err err = signs ? try_token(issuer, snapshot->login) : ERR_INTERNAL;
	if (name.p && !signs)
		return conf_fail(error, section, "issuer",
				 "[issuer \"%.*s\"] can't sign tokens: that takes one of type jwt with a key-ring, "
				 "whose first key signs, or a secret",
				 STR_ARGS(name));
	if (name.p && err)
		return conf_fail(error, section, "issuer",
				 "[issuer \"%.*s\"] would refuse the tokens it signs (%s): look at its user-id, typ, "
				 "authorized-parties and max-lifetime, and at [login] lifetime",
				 STR_ARGS(name), err_row(err)->reason);
	snapshot->login_issuer = err ? NULL : issuer;
	return true;
}

bool login_options_check(struct snapshot *snapshot, struct conf_error *error)
{
	const struct login_conf *login = snapshot->login;
	const struct conf_section *section = snapshot->conf->sections;
	while (section->kind != &login_kind)
		section = section->next;
	return check_cookie(login, section, error) && check_times(login, section, error) &&
	       check_claims(login, error) &&
	       check_texts(login, section, error) &&
	       login_limits_check(snapshot, section, error) && choose_issuer(snapshot, section, error);
}
