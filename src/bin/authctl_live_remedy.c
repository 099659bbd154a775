/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check --live`: what mends a finding, for each web server, and its line. */
#include <stdarg.h>
#include <stdio.h>

#include "bin/authctl_live.h"
#include "bin/authctl_output.h"

enum { TEXT_MAX = 1024, REMEDY_MAX = 2048 };

/* Each text is a directive, or says which one; NULL where that server cannot have the fault. */
static const struct remedy {
	const char *lighttpd, *apache, *nginx;
} remedies[CAUSE_COUNT] = {
	[CAUSE_OPEN] = {
		.lighttpd =
			"include \"protect.conf\" in a condition that matches this path, behind every other "
			"fastcgi.server; \"check-local\" => \"disable\" in the authorizer's block; mod_fastcgi before "
			"mod_cgi and mod_proxy in server.modules",
		.apache =
			"AuthRequest backend:NAME (mod_auth_request); with mod_authnz_fcgi \"Require valid-user\" in "
			"the same block, no \"Require all granted\" and no \"Require ip\" beside it in <RequireAny>; "
			"with mod_fcgid FcgidAccessChecker, not FcgidAuthorizer, and FcgidAccessCheckerAuthoritative "
			"On; no \"Satisfy Any\"",
		.nginx =
			"auth_request to the location of auth-verify in this location, no \"satisfy any\", and in "
			"that location auth-verify alone: nginx takes every 2xx for a yes",
	},
	[CAUSE_DENIAL_SHOWS] = {
		.lighttpd =
			"leave the answer of a denial alone: no mod_magnet script or server.errorfile-prefix that "
			"shows the page",
		.apache =
			"no \"Satisfy Any\" and no \"Require ip\" beside the authorizer: they show the page with the "
			"status line of the denial; with mod_authnz_fcgi \"Authoritative On\", with mod_fcgid "
			"FcgidAccessCheckerAuthoritative On",
		.nginx = "no \"error_page 401 = LOCATION\" to a location that serves the page",
	},
	[CAUSE_BASIC] = {
		.lighttpd = "no auth.require (mod_auth) for this path: one way in is enough",
		.apache =
			"\"Authoritative On\" in AuthnzFcgiCheckAuthnProvider, and no AuthBasicProvider beside it: "
			"passwords are a second way in",
		.nginx = "no auth_basic in this location, or \"auth_basic off;\"",
	},
	[CAUSE_MISSING] = {
		.lighttpd =
			"\"check-local\" => \"disable\" in the authorizer's block: with its default lighttpd looks "
			"for a file first, and lets CGI scripts and proxied applications through unasked",
		.apache = "protect <Location /FOLDER> as a whole, not <Files> or single pages",
		.nginx =
			"auth_request in the location of the folder, not in one of single pages (\"location =\", "
			"\"try_files\")",
	},
	[CAUSE_DOWN] = {
		.lighttpd =
			"is auth-verify running, and may lighttpd open its socket? (\"socket\" in the authorizer's "
			"block)",
		.apache =
			"is auth-verify running, and may Apache reach it? (AuthRequestBackend, "
			"AuthnzFcgiDefineProvider, or the path in FcgidAccessChecker; the error log says more)",
		.nginx =
			"is auth-verify running, and may nginx open its socket? (fastcgi_pass in the location of "
			"auth_request; the error log says more)",
	},
	[CAUSE_METHOD] = {
		.lighttpd = "no condition on $HTTP[\"request-method\"] around protect.conf",
		.apache =
			"no <Limit>, <LimitExcept> or \"Require method\" around the directives of the authorizer",
		.nginx = "no limit_except and no \"if ($request_method …)\" around auth_request",
	},
	[CAUSE_TRACE] = {
		.lighttpd = "remove what answers TRACE",
		.apache = "TraceEnable Off",
		.nginx = "remove what answers TRACE",
	},
	[CAUSE_PATH] = {
		.lighttpd =
			"server.http-parseopts with \"url-normalize-required\", \"url-path-dotseg-remove\" and "
			"\"url-path-2f-decode\"; where the file system or server.force-lowercase-filenames folds "
			"case, $HTTP[\"url\"] =~ \"(?i)^/FOLDER/\"; best protect \"/\" and list what is public",
		.apache =
			"MergeSlashes On; protect <Directory> or <Location />, not a <LocationMatch> that names one "
			"spelling; where the file system folds case (or mod_speling does), <LocationMatch "
			"\"(?i)^/FOLDER/\">",
		.nginx =
			"merge_slashes on; auth_request in the server block with \"auth_request off;\" where a page "
			"is public; \"location ~* ^/FOLDER/\" where the file system folds case",
	},
	[CAUSE_HOST] = {
		.lighttpd =
			"include protect.conf outside of conditions on $HTTP[\"host\"], and give other names no pages",
		.apache =
			"a first <VirtualHost> that answers names nobody has configured: \"Require all denied\"",
		.nginx =
			"a server block with \"listen … default_server; return 444;\" for names nobody has configured",
	},
	[CAUSE_CLAIMED] = {
		.lighttpd =
			"no condition on a header that a client sends ($REQUEST_HEADER, $HTTP[\"user-agent\"]) around "
			"protect.conf",
		.apache =
			"no <If>, SetEnvIf or \"Require env\" on a header that a client sends; CGIVar REQUEST_URI "
			"original-uri",
		.nginx =
			"fastcgi_param REQUEST_URI $request_uri; and REQUEST_METHOD $request_method; in the location "
			"of auth_request, nothing of $http_x_…",
	},
	[CAUSE_REFUSED] = {
		.lighttpd =
			"authctl explain < TOKEN says what the configuration says; a policy that "
			"setenv.set-environment names in AUTH_POLICY goes before the path",
		.apache =
			"authctl explain < TOKEN says what the configuration says; \"Require env\" or \"Require "
			"expr\" alone is judged before the authorizer is asked: Require valid-user; a policy that "
			"SetEnvIf or AuthRequestPolicy names goes before the path",
		.nginx =
			"authctl explain < TOKEN says what the configuration says; a policy that fastcgi_param "
			"AUTH_POLICY names goes before the path; no \"deny\" beside auth_request",
	},
	[CAUSE_EATEN] = {
		.lighttpd =
			"nothing that takes Authorization away before the authorizer (mod_magnet, auth.require)",
		.apache =
			"CGIPassAuth On in the same block (mod_authnz_fcgi, CGI, mod_proxy_fcgi); FcgidPassHeader "
			"Authorization in the server or <VirtualHost> (mod_fcgid); in .htaccess of a host that allows "
			"neither: RewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]",
		.nginx =
			"fastcgi_pass_request_headers on; or fastcgi_param HTTP_AUTHORIZATION $http_authorization; in "
			"the location of auth_request",
	},
	[CAUSE_COOKIE_LOST] = {
		.lighttpd = "nothing that takes Cookie away before the authorizer (mod_magnet)",
		.apache = "no \"RequestHeader unset Cookie\" before the authorizer",
		.nginx =
			"fastcgi_pass_request_headers on; or fastcgi_param HTTP_COOKIE $http_cookie; in the location "
			"of auth_request",
	},
	[CAUSE_STALE] = {
		.lighttpd = "no cache of decisions or pages in front (mod_magnet)",
		.apache =
			"AuthRequestCache off, or a cache= that names generation.page of the same state-dir; no "
			"mod_cache before the authorizer",
		.nginx =
			"no fastcgi_cache in the location of auth_request and no proxy_cache of protected pages; "
			"where it must be, fastcgi_cache_valid 200 1s and a fastcgi_cache_key with "
			"$http_authorization, $http_cookie, $host, $request_method and $request_uri",
	},
	[CAUSE_PATH_USER] = {
		.lighttpd = "include \"protect.conf\" for these paths as well",
		.apache = "the authorizer for these paths as well (<Location>)",
		.nginx =
			"auth_request for these paths as well; a fastcgi_cache_key in the location of auth_request "
			"has $request_uri in it, or one page's yes is taken for another's",
	},
	[CAUSE_NAVIGATION] = {
		.lighttpd = "let the denial through as it is",
		.apache =
			"ErrorDocument 401 /auth/login where mod_fcgid turns each denial into a 401; no ErrorDocument "
			"401 otherwise",
		.nginx =
			"\"error_page 500 = @auth_other;\" with \"return 302 $auth_location;\" as nginx/ has it: "
			"auth_request knows 401 and 403 alone",
	},
	[CAUSE_RETURN] = {
		.lighttpd = "no url.rewrite before the authorizer",
		.apache =
			"no ErrorDocument or RewriteRule in place of the authorizer's own Location; CGIVar "
			"REQUEST_URI original-uri",
		.nginx =
			"fastcgi_param REQUEST_URI $request_uri; (not $uri, $document_uri or $query_string, which are "
			"those of the sub-request)",
	},
	[CAUSE_PROGRAM] = {
		.lighttpd = "unauthenticated = auto in the policy, and pass Accept and Sec-Fetch-Mode on",
		.apache =
			"unauthenticated = auto in the policy; no ErrorDocument 401 with a full URL, which is a "
			"redirect",
		.nginx = "unauthenticated = auto in the policy; no \"error_page 401 =302 …\"",
	},
	[CAUSE_CHALLENGE] = {
		.lighttpd = "leave WWW-Authenticate alone (setenv.set-response-header)",
		.apache = "no \"Header unset WWW-Authenticate\"",
		.nginx =
			"\"add_header WWW-Authenticate $auth_challenge always;\" where error_page 401 leads, or show "
			"the denial of auth-verify itself, as nginx/ has it",
	},
	[CAUSE_BODY] = {
		.lighttpd = "no server.errorfile-prefix for this path",
		.apache =
			"no ErrorDocument for this path; mod_fcgid always loses the body: take mod_auth_request",
		.nginx =
			"\"error_page 401 403 500 = @again;\" where @again has fastcgi_pass to auth-verify, as nginx/ "
			"has it: auth_request loses the body",
	},
	[CAUSE_TYPE] = {
		.lighttpd = "leave Content-Type alone (setenv.set-response-header)",
		.apache =
			"Header always set Content-Type application/json \"expr=%{REQUEST_STATUS} in {'401','403'} && "
			"%{HTTP:Sec-Fetch-Mode} != 'navigate'\" with mod_authnz_fcgi, which makes it text/html; or "
			"mod_auth_request",
		.nginx = "\"default_type application/json;\" where error_page 401 leads",
	},
	[CAUSE_NO_STORE] = {
		.lighttpd = "leave Cache-Control alone (mod_expire, setenv.set-response-header)",
		.apache = "no \"Header set Cache-Control\" and no ExpiresByType for denials",
		.nginx = "\"add_header Cache-Control no-store always;\" where error_page 401 leads",
	},
	[CAUSE_SET_COOKIE] = {
		.lighttpd = "leave Set-Cookie alone (setenv.set-response-header)",
		.apache = "\"Header always add\", not \"set\", for Set-Cookie",
		.nginx =
			"show the denial of auth-verify itself (\"error_page 401 403 500 = @again;\", as nginx/ has "
			"it): auth_request_set carries one Set-Cookie",
	},
	[CAUSE_LOGIN] = {
		.lighttpd =
			"protect.conf leaves /auth/ open by itself; elsewhere $HTTP[\"url\"] !~ \"^/LOGIN\" around it",
		.apache =
			"<Location /auth> with \"AuthRequest off\" (mod_auth_request), or with "
			"\"AuthnzFcgiCheckAuthnProvider None\" and \"Require all granted\" (mod_authnz_fcgi); with "
			"mod_fcgid keep the login out of the protected part",
		.nginx = "\"auth_request off;\" in the location of the login",
	},
	[CAUSE_LOGIN_MISSING] = {
		.lighttpd =
			"conf-available/05-fcgi-auth.conf has it: is it enabled, and does auth-login-proxy run?",
		.apache =
			"conf-available/fcgi-auth.conf has it: is it enabled, and does auth-login-proxy run?",
		.nginx = "snippets/ of nginx/ have it: is it included, and does auth-login-proxy run?",
	},
	[CAUSE_HTTPS] = {
		.lighttpd =
			"mod_openssl in this lighttpd tells it by itself; behind a proxy: mod_extforward with "
			"extforward.headers = ( \"X-Forwarded-Proto\" )",
		.apache =
			"SSLEngine on tells it by itself; behind a proxy: SetEnvIf X-Forwarded-Proto ^https$ HTTPS=on",
		.nginx =
			"fastcgi_param HTTPS $https if_not_empty; behind a proxy: fastcgi_param HTTPS on;",
	},
	[CAUSE_FORGED] = {
		.lighttpd = "magnet.attract-raw-url-to += ( \"…/identity.lua\" ) outside of every condition",
		.apache =
			"RequestHeader unset for each spelling (-, _ and .) of it outside of every <Location>, "
			"\"early\"; AuthRequestHeader does that by itself",
		.nginx =
			"proxy_set_header NAME $auth_…; (an empty value takes the client's away) on every location, "
			"public ones too; underscores_in_headers off; ignore_invalid_headers on",
	},
	[CAUSE_NO_USER] = {
		.lighttpd =
			"identity.lua sets X-Auth-User for proxied applications; CGI and FastCGI get REMOTE_USER by "
			"themselves",
		.apache =
			"AuthRequestHeader X-Auth-User AUTH_USER_ID; with mod_authnz_fcgi UserExpr "
			"\"%{reqenv:AUTH_USER_ID}\"; RequestHeader set X-Auth-User \"expr=%{reqenv:AUTH_USER_ID}\"",
		.nginx =
			"auth_request_set $auth_user $upstream_http_variable_auth_user_id; and fastcgi_param "
			"REMOTE_USER $auth_user; or proxy_set_header X-Auth-User $auth_user;",
	},
	[CAUSE_DEFAULT_USER] = {
		.lighttpd = "no setenv.set-environment of REMOTE_USER or AUTH_USER_ID",
		.apache = "no DefaultUser in AuthnzFcgiCheckAuthnProvider: it makes somebody of everybody",
		.nginx = "no constant in fastcgi_param REMOTE_USER or proxy_set_header X-Auth-User",
	},
	[CAUSE_INCLUDED] = {
		.lighttpd =
			"server.modules without mod_ssi and mod_indexfile entries that reach into a protected part",
		.apache =
			"Options -Includes where pages can name protected ones, no DirectoryIndex that leaves its "
			"folder; mod_auth_request judges both, mod_authnz_fcgi and mod_fcgid judge them by the outer "
			"page",
		.nginx =
			"ssi off; where pages can include protected ones: nginx does not ask for sub-requests",
	},
	[CAUSE_LEAK] = {
		.lighttpd = "is something in front of it? lighttpd itself keeps them",
		.apache =
			"Header always unset NAME for each Variable- header that auth-verify prints (mod_fcgid, "
			"mod_authnz_fcgi), or mod_auth_request, which keeps them",
		.nginx =
			"\"internal;\" in the location of auth_request, and fastcgi_hide_header NAME; for each where "
			"error_page leads",
	},
	[CAUSE_ENDPOINT] = {
		.lighttpd = "remove what serves auth-verify as a page (no \"mode\" => \"authorizer\")",
		.apache = "Require expr \"%{IS_SUBREQ} == 'true'\" in the endpoint's <Location>",
		.nginx = "\"internal;\" in the location of auth_request",
	},
};

static void add_remedy(struct buf *out, const char *server, const char *text)
{
	if (text)
		buf_printf(out, "%s%s: %s", out->n ? "; " : "", server, text);
}

/* For the server that answers; for all three where it does not say who it is. */
static struct str remedy_for(enum live_server server, enum live_cause cause, char memory[REMEDY_MAX])
{
	const struct remedy *row = &remedies[cause];
	struct buf out = buf_over(memory, REMEDY_MAX);
	if (server == LIVE_LIGHTTPD || server == LIVE_OTHER)
		add_remedy(&out, "lighttpd", row->lighttpd);
	if (server == LIVE_APACHE || server == LIVE_OTHER)
		add_remedy(&out, "Apache", row->apache);
	if (server == LIVE_NGINX || server == LIVE_OTHER)
		add_remedy(&out, "nginx", row->nginx);
	return out.n ? buf_str(&out) : STR_NONE;
}

void live_line(struct live *live, struct live_finding finding, const char *format, ...)
{
	char text[TEXT_MAX], remedy[REMEDY_MAX], label[32];
	struct check_detail detail = {.url = finding.page ? finding.page->url : STR_NONE,
				      .remedy = remedy_for(live->server, finding.cause, remedy)};
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	snprintf(label, sizeof label, "live %s", finding.what);
	check_print(live->checkup, finding.result, label, str_of(text), &detail);
}
