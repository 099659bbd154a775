# SPDX-License-Identifier: Apache-2.0
"""authctl check --live before nginx and Apache: each way around an authorizer that these have, misconfigured on
purpose, is found; with what mends it for the server that answers."""

import json
import re
import subprocess

import pytest

import apache
import harness
import http_client
from harness import program, wait_for
from test_check_live import ALL_PAGES, check, found, make, probe_port  # noqa: F401

# --- nginx ------------------------------------------------------------------------------------

#: As an admin writes it who has read no more than nginx's own manual.
PLAIN_NGINX = """
location = /_auth {
	internal;
	fastcgi_pass unix:@RUN@/verify.sock;
	fastcgi_pass_request_body off;
	fastcgi_param CONTENT_LENGTH "";
	fastcgi_param REQUEST_METHOD $request_method;
	fastcgi_param REQUEST_URI $request_uri;
	fastcgi_param REMOTE_ADDR $remote_addr;
}
location /auth/ {
	fastcgi_param REQUEST_METHOD $request_method;
	fastcgi_param REQUEST_URI $request_uri;
	fastcgi_param REMOTE_ADDR $remote_addr;
	fastcgi_param QUERY_STRING $query_string;
	fastcgi_pass unix:@RUN@/login.sock;
}
location /app/ {
	auth_request /_auth;
}
location /users/ {
	auth_request /_auth;
}
location /papp/ {
	auth_request /_auth;
	proxy_pass http://127.0.0.1:@BACKEND@;
}
location /public {
}
"""


def plain_nginx(*pairs, http=()):
    """An edit that puts the plain configuration, changed, in place of the shipped one."""
    def edit(file, text):
        if file == "nginx.conf":
            return re.sub(r"include \S*global\.conf;", "\n".join(http), text)
        if file != "site.conf":
            return text
        run = re.search(r"unix:(\S+)/application\.sock", text)[1]
        backend = re.search(r"proxy_pass http://127\.0\.0\.1:(\d+)", text)[1]
        plain = PLAIN_NGINX.replace("@RUN@", run).replace("@BACKEND@", backend)
        for old, new in pairs:
            assert old in plain, old
            plain = plain.replace(old, new)
        return plain
    return edit


def test_nginx_as_shipped(make):  # noqa: F811
    rows = check(make(server="nginx"), *ALL_PAGES)
    assert not found(rows) and not found(rows, "warning"), json.dumps(rows, indent=1)
    assert set(found(rows, "skipped")) == {"unseen"}
    assert found(rows, "ok")["server"][0]["text"] == "nginx"


def test_nginx_open_location(make):  # noqa: F811
    site = make(server="nginx", edit=plain_nginx(("location /app/ {\n\tauth_request /_auth;", "location /app/ {")))
    row, = found(check(site, "--live", "/app/page.txt"))["protected"]
    assert row["remedy"].startswith("nginx: auth_request") and "lighttpd" not in row["remedy"]


def test_b5_any_2xx_is_a_yes(make):  # noqa: F811
    """Behind auth_request stands something that answers everybody."""
    site = make(server="nginx", edit=plain_nginx(("\tinternal;\n", "\tinternal;\n\treturn 204;\n")))
    row, = found(check(site, "--live", "/app/page.txt"))["protected"]
    assert "every 2xx" in row["remedy"]


def test_b6_ssi(make):  # noqa: F811
    site = make(server="nginx", edit=plain_nginx(
        ("location /public {", "location /public {\n\tssi on;\n\tssi_types *;")))
    (site.htdocs / "public" / "page.html").write_text('<p><!--# include virtual="/app/page.txt" --></p>\n')
    row, = found(check(site, "--live", "/app/page.txt", "--public", "/public/page.html"))["public"]
    assert "ssi off" in row["remedy"]


CACHE = ('\tfastcgi_cache auth;\n\tfastcgi_cache_methods GET HEAD POST;\n\tfastcgi_cache_valid 200 10s;\n'
         '\tfastcgi_ignore_headers Cache-Control;\n\tfastcgi_cache_key "%s";\n')
ZONE = "fastcgi_cache_path {folder} keys_zone=auth:1m;"


def test_b17_cache_of_decisions(make):  # noqa: F811
    folder = harness.RUN / "nginx-cache"
    zone = ZONE.format(folder=folder)
    full = CACHE % "$http_authorization$http_cookie$host$request_method$request_uri"
    site = make(server="nginx", edit=plain_nginx(("\tinternal;\n", "\tinternal;\n" + full), http=[zone]))
    rows = found(check(site, "--live", "/app/page.txt"))
    assert "fastcgi_cache" in rows["revoked"][0]["remedy"] and "path-user" not in rows
    # And where the key is the credentials alone, path rules are ignored.
    short = CACHE % "$http_authorization$http_cookie"
    site = make(server="nginx", edit=plain_nginx(("\tinternal;\n", "\tinternal;\n" + short), http=[zone]))
    rows = found(check(site, "--live", "/app/page.txt"))
    assert "$request_uri" in rows["path-user"][0]["remedy"] and "revoked" in rows


def test_b19_nginx_endpoint(make):  # noqa: F811
    site = make(server="nginx", edit=plain_nginx(("\tinternal;\n", "")))
    rows = found(check(site, "--live", "/app/page.txt"))
    assert "internal" in rows["endpoint"][0]["remedy"] and "internal" in rows["leak"][0]["remedy"]


def test_nginx_loses_the_denial(make):  # noqa: F811
    """auth_request knows 401 and 403 alone: a redirect becomes a 500, body and cookies are lost."""
    rows = check(make(server="nginx", edit=plain_nginx()), "--live", "/app/page.txt")
    assert "500" in found(rows)["navigation"][0]["text"]
    texts = "\n".join(row["text"] for row in found(rows, "warning")["denial"])
    assert "body" in texts and "Set-Cookie" in texts and "no-store" in texts


def test_nginx_redirects_programs(make):  # noqa: F811
    site = make(server="nginx", edit=plain_nginx(
        ("location /app/ {", "location /app/ {\n\terror_page 401 =302 /auth/login;")))
    assert "error_page 401 =302" in found(check(site, "--live", "/app/page.txt"))["program"][0]["remedy"]


def test_nginx_forgets_the_way_back(make):  # noqa: F811
    site = make(server="nginx", edit=plain_nginx(
        ("location /app/ {", "location /app/ {\n\terror_page 401 500 = @login;"),
        ("location /public {", "location @login {\n\treturn 302 /auth/login;\n}\nlocation /public {")))
    row, = found(check(site, "--live", "/app/page.txt"))["navigation"]
    assert "without the way back" in row["text"] and "$request_uri" in row["remedy"]


def test_nginx_names_another_address(make):  # noqa: F811
    """$uri is that of the sub-request, so every page is judged as /_auth: path-user finds nothing."""
    site = make(server="nginx", edit=plain_nginx(
        ("location = /_auth {\n\tinternal;", "location = /_auth {\n\tinternal;\n\tfastcgi_param REQUEST_URI $uri;"),
        ("fastcgi_param REQUEST_URI $request_uri;\n\tfastcgi_param REMOTE_ADDR $remote_addr;\n}",
         "fastcgi_param REMOTE_ADDR $remote_addr;\n}")))
    assert "path-user" in found(check(site, "--live", "/app/page.txt"))


def test_nginx_believes_the_client(make):  # noqa: F811
    """A header of the client decides which location serves the page."""
    site = make(server="nginx", start=False, edit=plain_nginx(
        ("location /app/ {", "location /app/ {\n\tif ($http_x_original_uri) {\n\t\trewrite ^/app/(.*)$ /bare/$1 "
                             "last;\n\t}"),
        ("location /public {", "location /bare/ {\n\talias @HTDOCS@/app/;\n}\nlocation /public {")))
    conf = site.web.folder / "site.conf"
    conf.write_text(conf.read_text().replace("@HTDOCS@", str(site.htdocs)))
    site.start()
    texts = [row["text"] for row in found(check(site, "--live", "/app/page.txt"))["headers"]]
    assert texts and all("X-Original-URI" in text for text in texts)


def test_nginx_forged_headers(make):  # noqa: F811
    rows = found(check(make(server="nginx", edit=plain_nginx()), "--live", "/papp/x"))
    assert "proxy_set_header" in rows["identity"][0]["remedy"]


def test_nginx_eats_authorization(make):  # noqa: F811
    site = make(server="nginx", edit=plain_nginx(
        ("\tinternal;\n", "\tinternal;\n\tfastcgi_pass_request_headers off;\n"
                          "\tfastcgi_param HTTP_COOKIE $http_cookie;\n\tfastcgi_param HTTP_HOST $http_host;\n")))
    row, = found(check(site, "--live", "/app/page.txt"))["bearer"]
    assert "HTTP_AUTHORIZATION $http_authorization" in row["remedy"]


def test_https_is_not_told(make):  # noqa: F811
    """The login page's cookie shows whether its program knows."""
    site = make(server="nginx", tls=True, edit=plain_nginx())
    rows = found(check(site, "--live", "/app/page.txt", "--insecure", scheme="https"))
    assert "fastcgi_param HTTPS" in rows["login cookie"][0]["remedy"]


@pytest.mark.parametrize("server", ["lighttpd", "nginx"])
def test_https(make, server):  # noqa: F811
    site = make(server=server, tls=True, sections={"login": {"cookie": "__Host-auth"}})
    rows = check(site, "--live", "/app/page.txt", "--insecure", scheme="https")
    assert not found(rows) and not found(rows, "warning"), found(rows)
    assert [row for row in found(rows, "ok")["login cookie"] if "Secure" in row["text"]]
    rows = check(site, "--live", "/app/page.txt", scheme="https")
    assert "certificate" in found(rows)["protected"][0]["text"]


# --- Apache without our module --------------------------------------------------------------------

#: name in configurations: its module
MODULES = ("authz_user", "auth_basic", "authn_file", "include", "access_compat", "cgid", "rewrite", "proxy",
           "proxy_fcgi")
FRAME = """
ScriptSock {folder}/run/cgid.sock
AddHandler cgi-script .cgi
AddOutputFilter INCLUDES .shtml
<Directory {htdocs}>
	Options FollowSymLinks ExecCGI Includes
	Require all granted
</Directory>
"""
AUTHNZ = """
AuthnzFcgiDefineProvider authn FCGIAUTH fcgi://127.0.0.1:{tcp}/
<Location /app>
	CGIPassAuth On
	AuthType Bearer
	AuthName sso
	AuthnzFcgiCheckAuthnProvider FCGIAUTH Authoritative On RequireBasicAuth Off UserExpr "%{{reqenv:AUTH_USER_ID}}"
	Require valid-user
</Location>
"""
FCGID = """
FcgidIPCDir {folder}/run
FcgidProcessTableFile {folder}/run/fcgid.table
FcgidPassHeader Authorization
FcgidInitialEnv FCGI_AUTH_CONF {configuration}
FcgidIOTimeout 5
<Location /app>
	FcgidAccessChecker {verify}
</Location>
"""
OURS = """
AuthRequestBackend main fcgi:unix:{run}/verify.sock
<Location /app>
	AuthRequest backend:main
</Location>
"""
WAYS = {"authnz": ("authnz_fcgi", AUTHNZ), "fcgid": ("fcgid", FCGID), "ours": ("", OURS)}


class ApacheSite:
    """Apache with one way in before the programs of a site."""

    def __init__(self, site, way, pairs, more):
        self.site, self.htdocs = site, site.htdocs
        self.port, self.tcp = harness.free_ports(2)
        module, conf = WAYS[way]
        for old, new in pairs:
            assert old in conf, old
            conf = conf.replace(old, new)
        folder = site.folder / "apache" / "instance"
        folder.mkdir()
        words = {"folder": folder, "htdocs": site.htdocs, "tcp": self.tcp, "run": site.folder / "run",
                 "configuration": site.configuration, "verify": program("auth-verify")}
        text = FRAME.format(**words) + conf.format(**words) + more.format(**words)
        self.web = apache.Apache(folder, self.port, (*MODULES, *([module] if module else [])), text,
                                 htdocs=site.htdocs)
        self.verify = None
        harness.give_away(site.folder)

    def start(self):
        for service in self.site.services.values():
            service.start()
        with open(self.site.folder / "log" / "verify-tcp.log", "ab") as log:
            self.verify = subprocess.Popen([program("auth-verify"), "-c", self.site.configuration, "-l",
                                            f"tcp:127.0.0.1:{self.tcp}"], stdin=subprocess.DEVNULL, stdout=log,
                                           stderr=log, preexec_fn=harness.drop_privileges,
                                           env=harness.environment())

        def answers():
            try:
                return http_client.connect(self.tcp)
            except OSError:
                return None
        wait_for("auth-verify", answers).close()
        self.web.start()
        return self

    def authctl(self, *words, **how):
        return self.site.authctl(*words, **how)

    def close(self):
        if self.web.process:
            self.web.stop()
        if self.verify:
            self.verify.terminate()
            self.verify.wait(15)


@pytest.fixture
def httpd(make):  # noqa: F811
    made = []

    def make_one(way, *pairs, more="", sections=None, start=True):
        site = ApacheSite(make(server="apache", start=False, sections=sections), way, pairs, more)
        made.append(site)
        return site.start() if start else site

    yield make_one
    for site in made:
        site.close()


@pytest.mark.parametrize("server, known", [("apache-direct", ()), ("apache-authnz", ()), ("apache-cgi", ()),
                                           ("apache-fcgid", ("navigation", "denial"))])
def test_apache_as_shipped(make, server, known):  # noqa: F811
    """mod_fcgid makes every denial a 401 without a body: that is said, and is no way in."""
    rows = check(make(server=server), *ALL_PAGES)
    assert not found(rows) and set(found(rows, "warning")) == set(known), json.dumps(found(rows), indent=1)
    assert set(found(rows, "skipped")) == {"unseen"}


def test_apache_controls(httpd):
    """What the tests below break is whole without: the page is protected and good tokens get in."""
    for way in WAYS:
        rows = check(httpd(way), "--live", "/app/page.txt")
        assert not {"protected", "token", "method", "path", "host", "headers", "bad token", "endpoint", "public",
                    "bearer", "revoked"} & set(found(rows)), (way, found(rows))
        assert found(rows, "ok")["server"][0]["text"] == "Apache"


def test_b7_require_all_granted(httpd):
    row, = found(check(httpd("authnz", ("Require valid-user", "Require all granted")), "--live", "/app/page.txt"))[
        "protected"]
    assert 'Require valid-user' in row["remedy"] and row["remedy"].startswith("Apache: ")


def test_b8_require_ip_beside_it(httpd):
    site = httpd("authnz", ("Require valid-user",
                            "<RequireAny>\n\t\tRequire ip 127.0.0.1\n\t\tRequire valid-user\n\t</RequireAny>"))
    assert '"Require ip"' in found(check(site, "--live", "/app/page.txt"))["protected"][0]["remedy"]


def test_b9_passwords_beside_it(httpd):
    site = httpd("authnz", ("AuthType Bearer", "AuthType Basic\n\tAuthBasicProvider file\n"
                            "\tAuthUserFile {folder}/passwords"), ("Authoritative On", "Authoritative Off"))
    rows = found(check(site, "--live", "/app/page.txt"), "warning")["protected"]
    assert "WWW-Authenticate: Basic" in rows[0]["text"] and "Authoritative On" in rows[0]["remedy"]


def test_b10_default_user(httpd):
    site = httpd("authnz", ("RequireBasicAuth Off", "RequireBasicAuth Off DefaultUser root"),
                 sections={'policy "site"': {"unauthenticated": "anonymous"}})
    rows = found(check(site, "--live", "/app/probe.cgi"))
    assert 'told that "root" is there' in rows["identity"][0]["text"] and "DefaultUser" in rows["identity"][0]["remedy"]


def test_b11_fcgid_authorizer_without_user(httpd):
    site = httpd("fcgid", ("FcgidAccessChecker", "FcgidAuthorizer"))
    assert "not FcgidAuthorizer" in found(check(site, "--live", "/app/page.txt"))["protected"][0]["remedy"]


def test_b12_fcgid_not_authoritative(httpd):
    site = httpd("fcgid", ("\tFcgidAccessChecker", "\tFcgidAccessCheckerAuthoritative Off\n\tFcgidAccessChecker"))
    row, = found(check(site, "--live", "/app/page.txt"))["protected"]
    assert "FcgidAccessCheckerAuthoritative On" in row["remedy"]


def test_b13_satisfy_any(httpd):
    """The denial counts for nothing, and its status line stays on the page."""
    site = httpd("fcgid", ("\tFcgidAccessChecker", "\tSatisfy Any\n\tRequire ip 127.0.0.1\n\tFcgidAccessChecker"))
    row, = found(check(site, "--live", "/app/page.txt"))["protected"]
    assert "the page is in the answer" in row["text"] and "Satisfy Any" in row["remedy"]


def test_b14_require_env_is_judged_first(httpd):
    site = httpd("authnz", ("Require valid-user", "Require env AUTH_USER_ID"))
    row, = found(check(site, "--live", "/app/page.txt"))["token"]
    assert '"Require env"' in row["remedy"]


@pytest.mark.parametrize("page, more", [("/public/page.shtml", ""), ("/public/", "DirectoryIndex /app/page.txt\n")],
                         ids=["ssi", "index"])
def test_b15_sub_requests_are_not_judged(httpd, page, more):
    site = httpd("authnz", ("Require valid-user", "<RequireAny>\n\t\tRequire expr \"%{{IS_SUBREQ}} == 'true'\"\n"
                            "\t\tRequire valid-user\n\t</RequireAny>"), more=more)
    (site.htdocs / "public" / "page.shtml").write_text('<p><!--#include virtual="/app/page.txt" --></p>\n')
    rows = found(check(site, "--live", "/app/page.txt", "--public", page))
    assert "Options -Includes" in rows["public"][0]["remedy"] and "protected" not in rows


INNER = """
<Location /admin>
	CGIPassAuth On
	AuthType Bearer
	AuthName sso
	SetEnvIf Request_URI . AUTH_POLICY=admin
	AuthnzFcgiCheckAuthnProvider FCGIAUTH Authoritative On RequireBasicAuth Off UserExpr "%{{reqenv:AUTH_USER_ID}}"
	Require valid-user
</Location>
"""


def test_b16_inner_page_is_judged_by_the_outer_policy(httpd):
    site = httpd("authnz", ("CGIPassAuth On", "CGIPassAuth On\n\tSetEnvIf Request_URI . AUTH_POLICY=site"), more=INNER)
    (site.htdocs / "app" / "page.shtml").write_text('<p><!--#include virtual="/admin/page.txt" --></p>\n')
    rows = found(check(site, "--live", "/app/page.shtml", "--live", "/admin/page.txt", "--text", "document of admin"))
    assert "mod_auth_request judges both" in rows["included"][0]["remedy"] and "protected" not in rows


def test_b18_is_said(httpd):
    rows = found(check(httpd("authnz"), "--live", "/app/page.txt"), "skipped")["unseen"]
    assert [row for row in rows if "a port, which every user" in row["text"]]


@pytest.mark.parametrize("way, line, remedy", [
    ("authnz", "\tCGIPassAuth On\n", "CGIPassAuth On"),
    ("fcgid", "FcgidPassHeader Authorization\n", "FcgidPassHeader Authorization")])
def test_authorization_is_eaten(httpd, way, line, remedy):
    row, = found(check(httpd(way, (line, "")), "--live", "/app/page.txt"))["bearer"]
    assert remedy in row["remedy"]


def test_fcgid_loses_and_leaks(httpd):
    rows = check(httpd("fcgid"), "--live", "/app/page.txt")
    assert "Header always unset" in found(rows)["leak"][0]["remedy"]
    row, = found(rows, "warning")["navigation"]
    assert "401" in row["text"] and "ErrorDocument 401 /auth/login" in row["remedy"]
    assert [row for row in found(rows, "warning")["denial"] if "body" in row["text"]]


def test_authnz_changes_the_type(httpd):
    rows = found(check(httpd("authnz"), "--live", "/app/page.txt"), "warning")["denial"]
    assert [row for row in rows if "text/html" in row["text"] and "Header always set Content-Type" in row["remedy"]]


def test_limit(httpd):
    """<Limit> protects the methods that it names, and no other."""
    site = httpd("authnz", ("\tRequire valid-user", "\t<Limit GET HEAD>\n\t\tRequire valid-user\n\t</Limit>"))
    rows = found(check(site, "--live", "/app/page.txt"))
    assert "<Limit>" in rows["method"][0]["remedy"] and "protected" not in rows


def test_trace(httpd):
    rows = found(check(httpd("authnz", more="TraceEnable On\n"), "--live", "/app/page.txt"), "warning")["method"]
    assert rows[0]["remedy"] == "Apache: TraceEnable Off"


# --- Apache with our module ---------------------------------------------------------------------------

SUBREQUEST = """
<Location /_auth>
	ProxyPass unix:{run}/verify.sock|fcgi://localhost/ enablereuse=on timeout=3
	CGIPassAuth On
	Require expr "%{{IS_SUBREQ}} == 'true'"
</Location>
"""


def test_b19_apache_endpoint(httpd):
    by_subrequest = ("AuthRequest backend:main", "AuthRequest /_auth proof=Variable-AUTH_REQUEST_ID")
    rows = found(check(httpd("ours", by_subrequest, more=SUBREQUEST), "--live", "/app/page.txt"))
    assert "endpoint" not in rows and "protected" not in rows
    open_endpoint = SUBREQUEST.replace("Require expr \"%{{IS_SUBREQ}} == 'true'\"", "Require all granted")
    rows = found(check(httpd("ours", by_subrequest, more=open_endpoint), "--live", "/app/page.txt"))
    assert "IS_SUBREQ" in rows["endpoint"][0]["remedy"]


def test_b20_a_file_as_authorizer(httpd):
    site = httpd("ours", ("AuthRequest backend:main", "AuthRequest /public/page.txt proof=none"))
    assert "AuthRequest backend:NAME" in found(check(site, "--live", "/app/page.txt"))["protected"][0]["remedy"]


def test_our_module_judges_sub_requests(httpd):
    """The same pages as in B15 and B16: nothing comes out."""
    admin = "<Location /admin>\n\tAuthRequest backend:main\n</Location>\n"
    site = httpd("ours", more=admin)
    for folder, inner in (("public", "app"), ("app", "admin")):
        (site.htdocs / folder / "page.shtml").write_text(f'<p><!--#include virtual="/{inner}/page.txt" --></p>\n')
    rows = check(site, "--live", "/app/page.shtml", "--live", "/admin/page.txt", "--text", "document of admin",
                 "--public", "/public/page.shtml")
    assert not {"public", "included", "protected"} & set(found(rows)), found(rows)
    assert "included" in found(rows, "ok")
