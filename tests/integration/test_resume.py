# SPDX-License-Identifier: Apache-2.0
"""A form that was posted after the session had ended goes on after the login, through each web server."""

import html
import html.parser
import re
import subprocess
import urllib.parse

import pytest

import harness
import http_client
import tokens
import ways

TARGET = "/app/app.cgi?a=1&b=two%20words"
URLENCODED = "application/x-www-form-urlencoded"
SECTIONS = {"login": {"password-cost": "4", "rate-limit": "off", "account-rate-limit": "off", "lockout": "off"}}


@pytest.fixture(scope="module", params=["lighttpd", "lighttpd-libfcgi", "apache-direct", "apache-authnz", "nginx",
                                         "nginx-http"])
def site(request):
    server, transport = (("lighttpd", "libfcgi") if request.param == "lighttpd-libfcgi" else (request.param, "fastcgi"))
    with harness.Site(server=server, transport=transport, sections=SECTIONS) as running:
        running.password = running.add_user("alice")
        yield running


class Page(html.parser.HTMLParser):
    """The one form of a page: its attributes, and what a browser would send of it."""

    def __init__(self, text):
        super().__init__()
        self.form, self.fields, self.files, self.area = None, [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self.form = given
        elif tag == "textarea":
            self.area = [given["name"], ""]
        elif tag == "input" and given.get("type") == "file":
            self.files.append(given["name"])
        elif tag == "input" and given.get("name"):
            self.fields.append((given["name"], given.get("value") or ""))

    def handle_data(self, data):
        if self.area:
            self.area[1] += data

    def handle_endtag(self, tag):
        if tag == "textarea":
            # A browser drops the line end that the value begins with.
            self.fields.append((self.area[0], self.area[1].removeprefix("\n")))
            self.area = None

    @property
    def sent(self):
        """Names and values with the line ends of forms."""
        return [(name, re.sub("\r\n|\r|\n", "\r\n", value)) for name, value in self.fields]


def post(browser, target, body, kind=URLENCODED, **changes):
    own = {"Origin": browser.origin, "Sec-Fetch-Site": "same-origin", "Content-Type": kind}
    return browser._send("POST", target, own | changes, body)


def post_on(browser, target, body, kind=URLENCODED, **changes):
    """As a browser does: after 307 the same once more, elsewhere."""
    answer = post(browser, target, body, kind, **changes)
    assert answer.status == 307 and "kept" not in answer.text, answer
    place = urllib.parse.urlsplit(answer.header("Location"))
    assert place.path == "/auth/resume"
    return post(browser, place._replace(scheme="", netloc="").geturl(), body, kind, **changes)


def log_in(site, browser, page, password=None):
    fields = dict(Page(page.text).fields) | {"username": "alice", "password": password or site.password}
    return browser.post("/auth/login", fields)


def multipart(*fields):
    """As Chromium writes it; a file is (name, file name, bytes)."""
    body = b""
    for name, *rest in fields:
        body += b"------WebKitFormBoundaryXyZ\r\nContent-Disposition: form-data; name=\"" + name.encode() + b"\""
        if len(rest) == 2:
            body += b"; filename=\"" + rest[0].encode() + b"\"\r\nContent-Type: image/png"
        body += b"\r\n\r\n" + (rest[-1] if isinstance(rest[-1], bytes) else rest[-1].encode()) + b"\r\n"
    return body + b"------WebKitFormBoundaryXyZ--\r\n"


FIELDS = [("text", "line one\r\nline two\r\n\r\n  end"), ("first", "\r\nbegins with a line"),
          ("csrf", "the application's"), ("tag", "x"), ("tag", "y"), ("tag", ""),
          ("quotes", "\"'<b>&amp;&#10;</textarea>"), ("name \"<&é", "Jürgen €"), ("rd", "//evil.example"),
          ("kept", "mine"), ("{{csrf}}", "{{#rd}}")]

BODIES = {
    "urlencoded": (URLENCODED, urllib.parse.urlencode(FIELDS).encode(), FIELDS, []),
    "multipart": ("multipart/form-data; boundary=----WebKitFormBoundaryXyZ",
                  multipart(*[(name.replace('"', "%22"), value) for name, value in FIELDS],
                            ("photo", "cat.png", b"\x89PNG\r\n\x00\xff")), FIELDS, ["photo"]),
    "plain": ("text/plain", b"a=1\r\ntext=one\r\ntwo = 2\r\n", [("a", "1"), ("text", "one"), ("two ", " 2")], []),
    "empty": (URLENCODED, b"", [], []),
    "latin-1": (URLENCODED, b"n=J%FCrgen&m=%80", [("n", "Jürgen"), ("m", "€")], []),
}


@pytest.mark.parametrize("body", BODIES)
def test_the_way(site, body):
    """Posted, kept during the login (a wrong password too), shown for confirmation, and sent as it was."""
    kind, sent, fields, files = BODIES[body]
    browser = site.browser()
    page = post_on(browser, TARGET, sent, kind)
    assert page.status == 200 and 'type="password"' in page.text and "cat.png" not in page.text
    assert "application&#39;s" not in page.text and "Jürgen" not in page.text
    wrong = log_in(site, browser, page, "wrong password")
    assert wrong.status == 401 and Page(wrong.text).fields and "auth" not in browser.jar
    page = log_in(site, browser, wrong)
    assert page.status == 200 and "auth" in browser.jar, page.text
    assert page.all("Cache-Control") == ["no-store"] and "form-action 'self'" in page.header("Content-Security-Policy")
    asked = Page(page.text)
    assert asked.form["action"] == TARGET and asked.form["method"] == "post"
    assert asked.form["enctype"] == kind.split(";")[0]
    assert asked.form.get("accept-charset") == ("windows-1252" if body == "latin-1" else None)
    assert asked.sent == fields and asked.files == files
    # Sent by the person; the application gets it with the session.
    answer = browser.post(asked.form["action"], asked.sent)
    assert answer.status == 200 and answer.json["environment"]["REMOTE_USER"] == "alice"
    assert answer.json["environment"]["QUERY_STRING"] == "a=1&b=two%20words"


def test_expired_session(site):
    browser = site.browser()
    browser.jar["auth"] = tokens.mint(lifetime=-60)
    page = log_in(site, browser, post_on(browser, "/users/alice/app.cgi", b"a=b"))
    assert Page(page.text).fields == [("a", "b")] and Page(page.text).form["action"] == "/users/alice/app.cgi"


def test_signed_in_in_another_window(site):
    """The form is asked for at once; when that session counts for nothing there, the login is shown the next time."""
    browser = site.browser()
    log_in(site, browser, browser.get("/auth/login"))
    resume = "/auth/resume?rd=" + urllib.parse.quote(TARGET, safe="/")
    page = post(browser, resume, b"a=b")
    assert page.status == 200 and Page(page.text).form["action"] == TARGET and Page(page.text).fields == [("a", "b")]
    again = post(browser, resume, b"a=b")
    assert again.status == 200 and 'type="password"' in again.text and "kept" in dict(Page(again.text).fields)


def test_foreign_forms(site):
    """What another site sends is never sent on."""
    resume = "/auth/resume?rd=" + urllib.parse.quote(TARGET, safe="/")
    for changes in ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, {"Origin": "null"},
                    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                    {"Origin": None, "Sec-Fetch-Site": None}, {"Origin": None, "Sec-Fetch-Site": "none"}):
        browser = site.browser()
        assert post(browser, TARGET, b"a=b", **changes).status == 401, changes
        answer = post(browser, resume, b"a=b", **changes)
        assert answer.status == 403 and not answer.cookies and "kept" not in answer.text, changes
        log_in(site, browser, browser.get("/auth/login"))
        answer = post(browser, resume, b"a=b", **changes)
        assert answer.status == 403 and "a=b" not in answer.text, changes


@pytest.mark.parametrize("address", ["", "https://evil.example/", "//evil.example", "/\\evil.example",
                                     "javascript:alert(1)"])
def test_foreign_addresses(site, address):
    answer = post(site.browser(), "/auth/resume?rd=" + urllib.parse.quote(address, safe=""), b"a=b")
    assert answer.status == 400 and "evil.example" not in answer.text


def test_sizes(site):
    """As large as [login] resume-max, and not larger; a page says what to do then."""
    browser = site.browser()
    largest = b"a=" + b"x" * ((256 << 10) - 2)
    page = post_on(browser, TARGET, largest)
    assert page.status == 200, page.text[:500]
    asked = Page(log_in(site, browser, page).text)
    assert asked.fields == [("a", "x" * ((256 << 10) - 2))]
    for size in ((256 << 10) + 1, 700 << 10):
        answer = post_on(site.browser(), TARGET, b"a=" + b"x" * (size - 2))
        assert answer.status == 413 and "too large" in answer.text and "go back" in answer.text, size
    many = "&".join(f"f{n}={n}" for n in range(1000)).encode()
    browser = site.browser()
    assert len(Page(log_in(site, browser, post_on(browser, TARGET, many)).text).fields) == 1000
    assert post_on(site.browser(), TARGET, many + b"&one=more").status == 400
    wide = b"a=" + b"<" * 250000  # would be five times as much in a page
    assert post_on(site.browser(), TARGET, wide).status == 413
    assert post_on(site.browser(), TARGET, b"a=%00").status == 400


def test_programs(site):
    """API posts get their 401 as before."""
    for headers in (["Accept: application/json", "Content-Type: application/json"], ["Content-Type: " + URLENCODED],
                    ["Accept: text/html", "X-Requested-With: XMLHttpRequest", "Content-Type: " + URLENCODED]):
        answer = site.request(TARGET, headers, "POST", b"{}")
        assert answer.status == 401 and answer.json["reason"] == "no_token"


def test_kept_form_is_sealed(site):
    """Changed, made up or moved into another form it is nothing; the login itself works."""
    browser = site.browser()
    page = post_on(browser, TARGET, b"secret=forty-two")
    fields = dict(Page(page.text).fields)
    assert re.fullmatch("[A-Za-z0-9_-]{60,}", fields["kept"])
    for kept in (fields["kept"][:-1] + ("A" if fields["kept"][-1] != "A" else "B"), "A" * 80, "x", fields["csrf"]):
        browser.jar.pop("auth", None)
        answer = browser.post("/auth/login", fields | {"kept": kept, "username": "alice", "password": site.password})
        assert answer.status == 200 and "auth" in answer.cookies and "could not be kept" in answer.text
        assert TARGET in html.unescape(answer.text)
    browser.jar.pop("auth", None)
    answer = browser.post("/auth/login", fields | {"kept": "", "username": "alice", "password": site.password})
    assert answer.status == 303 and answer.header("Location") == TARGET


def test_page_that_has_waited(site):
    """The form token has ended, the form is still there: shown once more."""
    browser = site.browser()
    page = post_on(browser, TARGET, b"a=b")
    browser.jar.clear()
    again = log_in(site, browser, page)
    assert again.status == 403 and "auth" not in browser.jar and Page(again.text).fields
    assert Page(log_in(site, browser, again).text).fields == [("a", "b")]


def test_nothing_in_the_log(site):
    """Runs behind the others: none of what was entered is there, and what became of each is."""
    text = site.log_text("verify") + site.log_text("login")
    for word in ("line one", "J%FC", "Jürgen", "forty-two", "cat.png", "xxxx"):
        assert word not in text
    for event in ("form_kept", "form_resumed", "form_refused", "form_lost"):
        assert f"event={event} " in text, event


def test_real_client(site):
    """curl waits for 100 before it sends a large body, and follows 307 with the method and the body."""
    origin = f"http://127.0.0.1:{site.port}"
    for expect in ("Expect: 100-continue", "Expect:"):
        done = subprocess.run(
            ["curl", "-s", "-L", "-w", "\n%{http_code} %{num_redirects} %{url_effective}", "-H", expect, "-H",
             "Accept: text/html", "-H", "Sec-Fetch-Mode: navigate", "-H", "Sec-Fetch-Site: same-origin", "-H",
             f"Origin: {origin}", "-H", f"Content-Type: {URLENCODED}", "--data-binary", "@-", origin + TARGET],
            input=b"a=" + b"x" * 200000, capture_output=True, timeout=60, env=harness.environment(), check=True)
        page, _, told = done.stdout.decode().rpartition("\n")
        assert told.startswith("200 1 ") and len(dict(Page(page).fields)["kept"]) > 260000, told


# --- other configurations ---------------------------------------------------------------------------------

def test_switched_off(make_site):
    site = make_site(sections={"login": {"resume-max": "0"}})
    assert post(site.browser(), TARGET, b"a=b").status == 401
    assert post(site.browser(), "/auth/resume?rd=/app/", b"a=b").status == 413


@pytest.mark.parametrize("url, place", [("/sso/signin?lang=de", "/sso/resume?lang=de&rd="), ("/welcome", None),
                                        ("https://sso.example/login", None)])
def test_login_pages(url, place):
    """Only next to a login page of ours on this site."""
    site = harness.Site(sections={'policy "site"': {"login-url": url}})
    headers = ["Accept: text/html", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: same-origin",
               "Origin: http://127.0.0.1", f"Content-Type: {URLENCODED}"]
    answer = ways.run(site, "verify", "/app/x", headers, "POST")
    assert answer.status == (307 if place else 401)
    assert answer.header("Location") == (place and place + "/app/x")
    site.close()


def test_tokens_of_others():
    """A login here gives no token that such a policy takes."""
    site = harness.Site(sections={
        'issuer "other"': {"type": "jwt", "algorithms": "HS256", "secret": "text:" + tokens.OTHER_SECRET,
                           "iss": "other"},
        'policy "site"': {"issuer": "other"}})
    headers = ["Accept: text/html", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: same-origin",
               "Origin: http://127.0.0.1", f"Content-Type: {URLENCODED}"]
    assert ways.run(site, "verify", "/app/x", headers, "POST").status == 401
    site.close()


def test_login_on_another_host():
    """The form comes from a site of return-origins, and for that site alone."""
    site = harness.Site(sections={"login": {"return-origins": "https://wiki.example, http://127.0.0.1:8443"}})
    for origin, address, status in (("https://wiki.example", "https://wiki.example/edit", 200),
                                    ("https://wiki.example", "/edit", 403),
                                    ("https://wiki.example.evil", "https://wiki.example/edit", 403),
                                    ("http://127.0.0.1", "https://wiki.example/edit", 403),
                                    # Begins like it.
                                    ("http://127.0.0.1", "http://127.0.0.1:8443/edit", 403)):
        answer = ways.run(site, "login", "/auth/resume?rd=" + urllib.parse.quote(address, safe=""),
                          [f"Origin: {origin}", "Accept: text/html", f"Content-Type: {URLENCODED}"], "POST", b"a=b")
        assert answer.status == status, (origin, address, answer.text)
    site.close()
