/* SPDX-License-Identifier: Apache-2.0 */
/* What [login] and [logout] refuse, and the attributes that [login] gives its cookie. */
#include "policy/login_options.h"

#include <stdio.h>
#include <string.h>

#include "policy/runtime.h"

#include "folder.h"
#include "unit.h"

static const char issuers[] =
	"[issuer \"main\"]\nalgorithms = HS256\nsecret = text:0123456789abcdef0123456789abcdef-main\n"
	"[policy \"site\"]\npath = /**\n";

/* Open a configuration of these lines; the error's text, or "" when it is good. */
static const char *open_with(const char *lines, struct snapshot **out)
{
	static struct conf_error error;
	struct folder folder;
	char text[4096];
	struct buf b = buf_over(text, sizeof text);
	error.text[0] = '\0';
	folder_open(&folder);
	buf_printf(&b, "%s%s\n", issuers, lines);
	folder_write(&folder, "conf", buf_str(&b));
	if (!snapshot_open(folder_file(&folder, "conf"), 1, out, &error))
		*out = NULL;
	folder_close(&folder);
	return error.text;
}

static void refuses(void)
{
	static const struct {
		const char *lines, *error; /* part of the text; NULL: good */
	} rows[] = {
		{"", NULL},
		{"[login]", NULL},
		{"[login]\nissuer = main", NULL},
		{"[login]\nissuer = nobody", "issuer: there is no [issuer \"nobody\"]"},
		{"[login]\ncookie = a b", "cookie: \"a b\" can't be the name of a cookie"},
		{"[login]\ncookie = a=b", "can't be the name of a cookie"},
		{"[login]\ncookie = \xc3\xa4", "can't be the name of a cookie"},
		{"[login]\ncookie-secure = off", "cookie-secure: browsers refuse the cookie __Host-auth"},
		{"[login]\ncookie = __secure-x\ncookie-secure = off", "cookie-secure: browsers refuse"},
		{"[login]\ncookie = sso\ncookie-secure = off", NULL},
		{"[login]\ncookie-domain = example.org", "cookie-domain: browsers refuse the cookie __Host-auth"},
		{"[login]\ncookie-path = /app", "cookie-path: browsers refuse the cookie __Host-auth"},
		{"[login]\ncookie = __HOST-x\ncookie-path = /app", "cookie-path: browsers refuse"},
		{"[login]\ncookie = __Secure-auth\ncookie-domain = example.org\ncookie-path = /app", NULL},
		{"[login]\ncookie = sso\ncookie-domain = Example.org", "cookie-domain: is a host name in lower case"},
		{"[login]\ncookie = sso\ncookie-domain = a;b", "cookie-domain: is a host name"},
		{"[login]\ncookie = sso\ncookie-domain = a..b", "cookie-domain: is a host name"},
		{"[login]\ncookie = sso\ncookie-path = app", "cookie-path: is a path"},
		{"[login]\ncookie = sso\ncookie-path = /a;b", "cookie-path: is a path"},
		{"[login]\ncookie = sso\ncookie-samesite = None\ncookie-secure = off", "cookie-samesite: None needs"},
		{"[login]\ncookie = sso\ncookie-samesite = lax", "cookie-samesite"},
		{"[login]\nlifetime = 30s", "lifetime"},
		{"[login]\nlifetime = 400d", "lifetime"},
		{"[login]\ntoken-claims = email, phone", "token-claims: \"phone\" is not known"},
		{"[login]\ntoken-claims = email, email", "token-claims: email is named twice"},
		{"[login]\ntoken-claims = user_id", NULL},
		{"[login]\nreturn-origins = https://a.example, http://b.example:8080", NULL},
		{"[login]\nreturn-origins = https://a.example/", "\"https://a.example/\" is no origin"},
		{"[login]\nreturn-origins = https://A.example", "is no origin"},
		{"[login]\nreturn-origins = a.example", "is no origin"},
		{"[login]\nreturn-origins = https://", "is no origin"},
		{"[login]\nreturn-origins = https://*.example", "is no origin"},
		{"[login]\nreturn-origins = https://a.example:0", "is no origin"},
		{"[login]\nreturn-origins = https://a.example:65536", "is no origin"},
		{"[login]\nreturn-origins = https://a.example; script-src *", "is no origin"},
		{"[login]\nreturn-origins = https://user@a.example", "is no origin"},
		{"[login]\nreturn-origins = javascript:alert(1)", "is no origin"},
		{"[login]\ntitle = \xff", "title: is UTF-8"},
		{"[login]\npassword-min = 73", "password-min"},
		{"[login]\npassword-cost = 4", NULL},
		{"[login]\npassword-cost = 16", NULL},
		{"[login]\npassword-cost = 3", "password-cost"},
		{"[login]\npassword-cost = 17", "password-cost"},
		{"[login]\nbackend = ldap", "backend"},
		{"[login]\nrate-limit = 100/h\naccount-rate-limit = off\nlockout = 3\nlockout-time = 1h", NULL},
		{"[login]\nrate-limit = none\nlockout = off\nlockout-time = 0s", NULL},
		{"[login]\nrate-limit = 10", "rate-limit: is how many attempts in which time"},
		{"[login]\naccount-rate-limit = 0/m", "account-rate-limit: is how many"},
		{"[login]\nlockout = 1001", "lockout: is a number of failures up to 1000"},
		{"[login]\nlockout = -1", "lockout: is a number"},
		{"[login]\nlockout-time = 31d", "lockout-time"},
		{"[login]\nbreached-passwords = /nowhere/list", "breached-passwords: /nowhere/list cannot be read"},
		{"[login]\nbreached-passwords = /etc/passwd", "breached-passwords: /etc/passwd:1: is no line of 40"},
		{"[logout]\nreturn-to = /bye?x=1", NULL},
		{"[logout]\nreturn-to = https://www.example", NULL},
		{"[logout]\nreturn-to = https://www.example/bye", NULL},
		{"[logout]\nreturn-to = //evil.example", "return-to"},
		{"[logout]\nreturn-to = https://WWW.example/", "return-to: is a path"},
		{"[logout]\nreturn-to = https://user@www.example/", "return-to: is a path"},
		{"[logout]\nreturn-to = /a/../b", "return-to: is a path"},
		{"[logout]\nreturn-to = /\\evil.example", "return-to: is a path"},
		{"[logout]\ncookies = a, b c", "cookies: \"b c\" can't be the name of a cookie"},
		{"[logout]\ncookies = a, b", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct snapshot *snapshot;
		const char *error = open_with(rows[i].lines, &snapshot);
		bool holds = rows[i].error ? !snapshot && strstr(error, rows[i].error) : snapshot != NULL;
		char row[1500];
		snprintf(row, sizeof row, "%s: \"%s\"", rows[i].lines, error);
		UNIT_ROW(holds, row);
		snapshot_close(&snapshot);
	}
}

static void chooses_the_issuer(void)
{
	static const char second[] = "[issuer \"second\"]\nalgorithms = HS256\nsecret = text:"
				     "fedcba9876543210fedcba9876543210-second\niss = https://second.example\n";
	static const char narrow[] = "[issuer \"narrow\"]\nalgorithms = HS256\niss = n\nmax-lifetime = 1h\n"
				     "secret = text:"
				     "fedcba9876543210fedcba9876543210-narrow\n";
	static const char other[] = "[issuer \"other\"]\nalgorithms = HS256\nuser-id = uid\nsecret = text:"
				    "fedcba9876543210fedcba9876543210-other\n";
	static const char public[] = "[issuer \"public\"]\nalgorithms = ES256\niss = p\n"
				     "jwks = https://sso.example/jwks.json\n";
	static const struct {
		const char *name, *more, *login;
		const char *issuer; /* or NULL for none */
		const char *error;
	} rows[] = {
		{"the only one", "", "", "main", NULL},
		{"two and none named", second, "[login]", NULL, NULL},
		{"two and one named", second, "[login]\nissuer = second", "second", NULL},
		{"its checks refuse", narrow, "[login]\nissuer = narrow", NULL, "would refuse the tokens"},
		{"shorter than its limit", narrow, "[login]\nissuer = narrow\nlifetime = 1h", "narrow", NULL},
		{"public keys alone", public, "[login]\nissuer = public", NULL, "can't sign tokens"},
		{"public keys alone, not named", public, "[login]", NULL, NULL},
		{"no user id", other, "[login]\nissuer = other", NULL, "bad_claim"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char lines[1024];
		struct snapshot *snapshot;
		snprintf(lines, sizeof lines, "%s%s", rows[i].more, rows[i].login);
		const char *error = open_with(lines, &snapshot);
		UNIT_ROW(rows[i].error ? strstr(error, rows[i].error) != NULL : snapshot != NULL, rows[i].name);
		struct str got = snapshot && snapshot->login_issuer ? issuer_name(snapshot->login_issuer) : STR_NONE;
		UNIT_STR_EQ(got, str_of(rows[i].issuer), rows[i].name);
		snapshot_close(&snapshot);
	}
}

static void cookie_attributes(void)
{
	static const struct {
		const char *lines;
		bool https, secure;
	} rows[] = {
		{"[login]\ncookie = sso", true, true},
		{"[login]\ncookie = sso", false, false},
		{"[login]\ncookie = sso\ncookie-secure = on", false, true},
		{"[login]\ncookie = sso\ncookie-secure = off", true, false},
		{"[login]", false, true},
		{"[login]\ncookie = __Secure-sso", false, true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct snapshot *snapshot;
		open_with(rows[i].lines, &snapshot);
		CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
		struct cookie_attributes a = login_cookie_attributes(snapshot->login, rows[i].https, 60);
		UNIT_ROW(a.secure == rows[i].secure && a.max_age == 60, rows[i].lines);
		UNIT_STR_EQ(str_of(a.same_site), STR("Lax"), rows[i].lines);
		UNIT_STR_EQ(a.path, STR("/"), rows[i].lines);
		CU_ASSERT(!a.domain.p);
		snapshot_close(&snapshot);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"refuses", refuses},
		{"chooses the issuer", chooses_the_issuer},
		{"cookie attributes", cookie_attributes},
		{NULL, NULL},
	};
	return token_start() ? unit_main("login_options", cases) : 1;
}
