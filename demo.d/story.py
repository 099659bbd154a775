#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The story of the demo, through HTTP: one line for each step; exit status 0 if all of them hold."""

import html.parser
import http.client
import json
import os
import sys
import urllib.parse

PORT = int(sys.argv[1])
PASSWORD = os.environ["DEMO_PASSWORD"]
SITE = f"http://127.0.0.1:{PORT}"
FORGED = dict.fromkeys(("X-Auth-User", "AUTH_USER_ID", "Remote-User", "Variable-REMOTE_USER"), "mallory")
failed = []


class Page(html.parser.HTMLParser):
    """The form of a page: where it goes, and its fields."""

    def __init__(self, text):
        super().__init__()
        self.action, self.fields, self.area = None, {}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self.action = given.get("action")
        elif tag == "textarea":
            self.area = given["name"]
            self.fields[self.area] = ""
        elif tag == "input" and given.get("name"):
            self.fields[given["name"]] = given.get("value") or ""

    def handle_data(self, data):
        if self.area:
            self.fields[self.area] += data

    def handle_endtag(self, tag):
        if tag == "textarea":
            # A browser drops the line end that the text begins with.
            self.fields[self.area] = self.fields[self.area].removeprefix("\n")
            self.area = None


class Browser:
    def __init__(self):
        self.cookies = {}

    def ask(self, target, body=None, **headers):
        headers = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"} | headers
        if body is not None:
            headers |= {"Origin": SITE, "Content-Type": "application/x-www-form-urlencoded"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = ask(target, body, headers)
        for line in answer.msg.get_all("Set-Cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
            if not value:
                del self.cookies[name]
        return answer

    def log_in(self, target, password):
        page = Page(self.ask(target).text)
        return self.ask(target, urllib.parse.urlencode(page.fields | {"username": "demo", "password": password}))


def ask(target, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    connection.request("GET" if body is None else "POST", target, body, headers or {})
    answer = connection.getresponse()
    answer.text = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer


def step(text, *claims):
    holds = all(claims)
    print(f"{'ok    ' if holds else 'FAILED'}  {text}", flush=True)
    if not holds:
        failed.append(text)


def first_visit(alice):
    front = ask("/")
    step("the front page is open to everybody", front.status == 200, "An old site" in front.text)
    program = ask("/cgi/whoami.cgi")
    step("a program without a token gets 401 and is told where to log in", program.status == 401,
         json.loads(program.text)["login_url"].startswith("/auth/login"))
    sent = alice.ask("/wiki/")
    step("a browser is sent to the login page", sent.status == 302,
         sent.getheader("Location").startswith("/auth/login?rd="))
    wrong = alice.log_in(sent.getheader("Location"), "not this one")
    step("a wrong password is refused", wrong.status == 401, "auth" not in alice.cookies)
    right = alice.log_in(sent.getheader("Location"), PASSWORD)
    cookie = right.getheader("Set-Cookie") or ""
    step("the right one leads back to the page asked for, with a cookie", right.status == 303,
         right.getheader("Location") in ("/wiki/", SITE + "/wiki/"), "HttpOnly" in cookie, "SameSite=Lax" in cookie)
    step("which shows the page", "A static page for members" in alice.ask("/wiki/").text)


def applications(alice):
    seen = alice.ask("/cgi/whoami.cgi", **FORGED).text
    step("a CGI script learns who asks, whatever the client claims", "REMOTE_USER=demo\n" in seen,
         "AUTH_USER_ID=demo\n" in seen, "AUTH_EMAIL=demo@example.org\n" in seen)
    posted = alice.ask("/cgi/post.cgi", b"x" * 5_000_000).text
    step("a form of 5 MB reaches its script whole", "BYTES=5000000\n" in posted)
    step("the user's own folder is open", alice.ask("/users/demo/").status == 200)
    other = alice.ask("/users/other/", Accept="application/json", **{"Sec-Fetch-Mode": "cors"})
    step("somebody else's is not", other.status == 403, json.loads(other.text)["detail"] == "User ID mismatch")


def expiry(alice):
    """The session ends while a form is being filled in."""
    typed = urllib.parse.urlencode({"message": "Dear reader,\r\nthis took me an hour."})
    del alice.cookies["auth"]
    kept = alice.ask("/cgi/post.cgi", typed)
    place = urllib.parse.urlsplit(kept.getheader("Location") or "").path
    step("a form that is sent without a session is kept", kept.status == 307, place == "/auth/resume")
    login = Page(alice.ask(place + "?" + urllib.parse.urlsplit(kept.getheader("Location")).query, typed).text)
    again = Page(alice.ask("/auth/login", urllib.parse.urlencode(
        login.fields | {"username": "demo", "password": PASSWORD})).text)
    lines = {name: value.replace("\n", "\r\n").replace("\r\r", "\r") for name, value in again.fields.items()}
    sent = alice.ask(again.action or "", urllib.parse.urlencode(lines)).text
    step("and goes on after the login, as it was", again.action == "/cgi/post.cgi",
         f"REMOTE_USER=demo\nBYTES={len(typed)}\n" in sent)


def logout(alice):
    second = Browser()
    second.log_in("/auth/login", PASSWORD)
    token = alice.cookies["auth"]
    step("a second browser logs in", second.cookies.get("auth") not in (None, token))
    left = ask("/auth/logout", b"", {"Authorization": f"Bearer {token}", "Accept": "application/json"})
    step("the first logs out", left.status == 200,
         json.loads(left.text) == {"message": "Successfully logged out", "detail": "Token has been invalidated"})
    denied = ask("/wiki/", None, {"Authorization": f"Bearer {token}"})
    step("its token is worth nothing from then on", denied.status == 401,
         json.loads(denied.text)["detail"] == "Token has been invalidated", alice.ask("/wiki/").status == 302)
    step("the second browser goes on", second.ask("/wiki/").status == 200)


alice = Browser()
first_visit(alice)
applications(alice)
expiry(alice)
logout(alice)
print(f"{len(failed)} steps failed" if failed else "all of it holds")
sys.exit(1 if failed else 0)
