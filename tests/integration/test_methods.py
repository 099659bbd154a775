# SPDX-License-Identifier: Apache-2.0
"""Every address of login and logout by every method, with every type and size of body, through each web server."""

import json

import pytest

import harness
import http_client

APP, EVIL = "https://app.example", "https://evil.example"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"

#: address: its methods
ROUTES = {
    "/auth/login": ("GET", "HEAD", "POST"), "/auth/signin": ("GET", "HEAD", "POST"),
    "/auth/profile": ("GET", "HEAD"), "/auth/verify-token": ("GET", "HEAD"), "/auth/health": ("GET", "HEAD"),
    "/auth/change-password": ("GET", "HEAD", "POST"), "/auth/resume": ("POST",),
    "/auth/logout": ("GET", "HEAD", "POST"), "/auth/signout": ("GET", "HEAD", "POST"),
    "/auth/register": ("GET", "HEAD", "POST"), "/auth/signup": ("GET", "HEAD", "POST"),
    "/auth/forgot-password": ("GET", "HEAD", "POST"), "/auth/reset-password": ("GET", "HEAD", "POST"),
    "/auth/verify-email": ("GET", "HEAD", "POST"), "/auth/sessions": ("GET", "HEAD", "POST"),
    "/auth/refresh": ("POST",),
}
#: Whatever comes with the request is not read.
UNREAD = ("/auth/refresh",)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
TAKE_BODIES = [path for path, methods in ROUTES.items() if "POST" in methods]


@pytest.fixture(scope="module", params=["lighttpd", "apache-direct", "nginx"])
def site(request):
    sections = {"login": {"cors-origin": APP, "password-cost": "4", "registration": "on", "rate-limit": "off",
                          "url": "https://site.example/auth"},
                "mail": {"from": "site@site.example", "command": "/bin/true"}, "logout": {"cors-origin": APP}}
    with harness.Site(server=request.param, sections=sections) as running:
        yield running


def ask(site, method, path, *headers, body=None):
    return site.request(path, headers, method, body)


def check(answer, method):
    """What holds for each answer, whatever it says."""
    assert answer.all("Cache-Control") == ["no-store"]
    assert not [name for name, _ in answer.headers if name.lower().startswith("variable-")]
    kind = (answer.header("Content-Type") or "").split(";")[0]
    if kind:
        assert answer.header("X-Content-Type-Options") == "nosniff"
    if kind == "text/html":
        assert "default-src 'none'" in answer.header("Content-Security-Policy")
        assert answer.header("X-Frame-Options") == "DENY" and answer.header("Referrer-Policy") == "same-origin"
    if method == "HEAD" or answer.status == 204:
        assert answer.body == b""
    elif kind == "application/json" and answer.status >= 400:
        said = json.loads(answer.body)
        assert said["error"] and said["detail"] and said["reason"] and said["request_id"]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_methods(site, path, accept):
    for method in METHODS:
        if method == "PROPFIND" and site.web.name == "nginx":
            continue  # its own 405
        body = b"" if method in ("POST", "PUT", "PATCH") else None
        answer = ask(site, method, path, f"Accept: {accept}", body=body)
        check(answer, method)
        allowed = ", ".join((*ROUTES[path], "OPTIONS"))
        if method == "OPTIONS":
            assert (answer.status, answer.header("Allow")) == (204, allowed)
        elif method in ROUTES[path]:
            assert answer.status not in (404, 405), method
        else:
            assert (answer.status, answer.header("Allow")) == (405, allowed), method
        assert not answer.all("Access-Control-Allow-Origin")


def test_no_such_address(site):
    for method in ("GET", "POST", "OPTIONS"):
        answer = ask(site, method, "/auth/nothing", body=b"" if method == "POST" else None)
        check(answer, method)
        assert answer.status == 404 and answer.json["reason"] == "not_found"


@pytest.mark.parametrize("path", TAKE_BODIES)
def test_types(site, path):
    """What is no form and no JSON is not read."""
    for kind in ("application/xml", "application/octet-stream", "text/html", "application/jsonp"):
        answer = ask(site, "POST", path, f"Content-Type: {kind}", f"Origin: {origin(site)}", body=b"<a/>")
        check(answer, "POST")
        assert answer.status in ((401,) if path in UNREAD else (415,)), kind
    for kind, body in ((JSON, b"{"), (JSON, b"[]"), (JSON, b'{"username":"a","username":"b"}')):
        answer = ask(site, "POST", path, f"Content-Type: {kind}", body=body)
        check(answer, "POST")
        assert answer.status in (400, 401, 415)


def origin(site):
    return f"http://127.0.0.1:{site.port}"


@pytest.mark.parametrize("path", TAKE_BODIES)
@pytest.mark.parametrize("kind", [FORM, JSON])
def test_sizes(site, path, kind):
    """64k are read, more is refused; by its length, before it is read."""
    most = 256 << 10 if path == "/auth/resume" else 64 << 10
    for size, refused in ((most, False), (most + 1, True), (600 << 10, True)):
        answer = ask(site, "POST", path + "?rd=/app/app.cgi", f"Content-Type: {kind}", f"Origin: {origin(site)}",
                     body=b"x" * size)
        check(answer, "POST")
        assert (answer.status == 413) == (refused and (path, kind) != ("/auth/resume", JSON) or size > 512 << 10), size


# --- pages of other origins ------------------------------------------------------------------------------

def cors(answer):
    return tuple(answer.header(f"Access-Control-Allow-{name}") for name in ("Origin", "Credentials"))


@pytest.mark.parametrize("path", ["/auth/login", "/auth/profile", "/auth/logout"])
def test_preflight(site, path):
    question = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")
    answer = ask(site, "OPTIONS", path, f"Origin: {APP}", *question)
    check(answer, "OPTIONS")
    assert answer.status == 204 and cors(answer) == (APP, "true") and answer.header("Vary") == "Origin"
    assert answer.header("Access-Control-Allow-Methods") == answer.header("Allow")
    assert "Content-Type" in answer.header("Access-Control-Allow-Headers")
    for other in (EVIL, "null", "http://app.example", "https://app.example.evil.example", "https://APP.example"):
        answer = ask(site, "OPTIONS", path, f"Origin: {other}", *question)
        assert answer.status == 204 and cors(answer) == (None, None)
        assert not answer.all("Access-Control-Allow-Methods")


def test_json_of_a_listed_origin(site):
    """Its page logs in, is told so, has the cookie, and logs out again."""
    password = site.add_user(f"listed-{site.web.name}")
    text = json.dumps({"username": f"listed-{site.web.name}", "password": password}).encode()
    from_page = ("Sec-Fetch-Mode: cors", "Sec-Fetch-Site: cross-site", f"Content-Type: {JSON}")
    answer = ask(site, "POST", "/auth/login", f"Origin: {APP}", *from_page, body=text)
    check(answer, "POST")
    assert answer.status == 200 and cors(answer) == (APP, "true")
    token, _ = answer.cookies["auth"]
    answer = ask(site, "GET", "/auth/profile", f"Origin: {APP}", f"Cookie: auth={token}")
    assert answer.status == 200 and cors(answer) == (APP, "true")
    for other in (EVIL, "null"):
        refused = ask(site, "POST", "/auth/login", f"Origin: {other}", *from_page, body=text)
        assert refused.status == 403 and cors(refused) == (None, None) and not refused.cookies
        kept = ask(site, "POST", "/auth/logout", f"Origin: {other}", f"Cookie: auth={token}", *from_page, body=b"{}")
        assert kept.status == 403 and cors(kept) == (None, None)
    assert ask(site, "GET", "/auth/profile", f"Cookie: auth={token}").status == 200
    out = ask(site, "POST", "/auth/logout", f"Origin: {APP}", f"Cookie: auth={token}", *from_page, body=b"{}")
    assert out.status == 200 and cors(out) == (APP, "true") and out.json["detail"] == "Token has been invalidated"
    denied = ask(site, "GET", "/auth/profile", f"Origin: {APP}", f"Cookie: auth={token}")
    assert denied.status == 401 and cors(denied) == (APP, "true")


def test_form_of_a_listed_origin(site):
    """A form needs no preflight: it must be one of ours."""
    for kind in (FORM, "text/plain", "multipart/form-data; boundary=x"):
        answer = ask(site, "POST", "/auth/login", f"Origin: {APP}", "Sec-Fetch-Mode: navigate",
                     "Sec-Fetch-Site: cross-site", f"Content-Type: {kind}", body=b"username=a&password=b")
        assert answer.status in (403, 415) and not answer.cookies, kind


def test_head_is_get_without_body(site):
    for path in ("/auth/login", "/auth/health", "/auth/logout"):
        get, head = (http_client.request(site.port, path, ["Accept: text/html"], method) for method in ("GET", "HEAD"))
        assert (head.status, head.header("Content-Type")) == (get.status, get.header("Content-Type"))
        assert head.body == b"" != get.body
