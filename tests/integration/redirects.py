# SPDX-License-Identifier: Apache-2.0
"""Where login, logout, posted forms and errors lead for an address to return to, judged by the URL parser of Node,
which is that of browsers (WHATWG URL standard)."""

import html.parser
import json
import re
import subprocess
import urllib.parse

import harness
import http_client
import responder
import tokens

HOST = "app.test"
OWN, OTHER = f"https://{HOST}", "https://wiki.test"
ALLOWED = {OWN, OTHER}
SECTIONS = {"login": {"return-origins": OTHER, "password-cost": "4", "rate-limit": "off", "account-rate-limit": "off",
                      "lockout": "off"}}

#: {"base", "addresses"} → [[origin as it is, origin once it has been decoded]], "INVALID" for what is no URL.
JUDGE = """
let text = "";
process.stdin.on("data", part => text += part).on("end", () => {
  const {base, addresses} = JSON.parse(text);
  const origin = address => { try { return new URL(address, base).origin; } catch { return "INVALID"; } };
  const decoded = address => { try { return decodeURIComponent(address); } catch { return address; } };
  process.stdout.write(JSON.stringify(addresses.map(address => [origin(address), origin(decoded(address))])));
});
"""


def judge(addresses):
    """What a browser on a page of the login takes for the origin of each; twice, as JUDGE says."""
    done = subprocess.run(["node", "-e", JUDGE], text=True, capture_output=True, check=True, timeout=60,
                          env=harness.environment(),
                          input=json.dumps({"base": f"{OWN}/auth/login", "addresses": addresses}))
    return json.loads(done.stdout)


class Addresses(html.parser.HTMLParser):
    """Everything in a page that a person can be led to, and the field rd of its forms."""

    def __init__(self, text):
        super().__init__()
        self.found, self.fields = [], {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.found += [given[name] for name in ("href", "action", "src", "formaction") if given.get(name)]
        assert tag not in ("script", "base", "meta") or "http-equiv" not in given
        if tag == "input" and given.get("name"):
            self.fields[given["name"]] = given.get("value") or ""


class Visitor:
    """Signs in once more for each address, in one site that answers to https://app.test."""

    def __init__(self, programs):
        self.programs, self.password = programs, programs.site.add_user("visitor")
        page = self.ask("GET", "/auth/login")
        self.csrf = Addresses(page.text).fields["csrf"]
        self.cookie = "; ".join(f"{name}={value}" for name, (value, _) in page.cookies.items())
        self.session = tokens.mint("visitor")

    def ask(self, method, target, cookie=None, fields=None):
        headers = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Cookie": cookie}
        body, kind = b"", None
        if fields is not None:
            body, kind = urllib.parse.urlencode(fields).encode(), responder.FORM
            headers |= {"Origin": OWN, "Sec-Fetch-Site": "same-origin"}
        name = "logout" if target.startswith("/auth/logout") else "login"
        answer = self.programs.ask(name, method, target, headers, body, kind, HTTP_HOST=HOST)
        return http_client.Answer(answer.status, answer.headers, answer.body)

    def everywhere(self, value):
        """(where it was, address) of all that the site leads to when it is told to return there."""
        rd = urllib.parse.quote(value, safe="")
        yield from self.links("the page of the login", self.ask("GET", f"/auth/login?rd={rd}"))
        yield from self.links("the page after a wrong password", self.log_in(value, "wrong"))
        welcome = self.log_in(value, self.password)
        assert welcome.status == 303 and len(welcome.all("Location")) == 1, welcome
        yield "the login", welcome.header("Location")
        yield "the login by its query", self.log_in(None, self.password, f"?rd={rd}").header("Location")
        out = self.ask("POST", f"/auth/logout?rd={rd}&return-to={rd}", f"auth={tokens.mint('visitor')}",
                       fields={"rd": value, "return-to": value})
        yield "the logout", out.header("Location")
        yield from self.links("a form without a session", self.ask("POST", f"/auth/resume?rd={rd}", fields={"a": "b"}))
        yield from self.links("a form with a session", self.ask(
            "POST", f"/auth/resume?rd={rd}", f"auth={self.session}", fields={"a": "b"}))
        yield from self.links("an error", self.ask("GET", f"/auth/nothing?rd={rd}"))

    def log_in(self, value, password, query=""):
        fields = {"csrf": self.csrf, "username": "visitor", "password": password}
        return self.ask("POST", "/auth/login" + query, self.cookie,
                        fields=fields | ({} if value is None else {"rd": value}))

    @staticmethod
    def links(place, page):
        assert page.status in (200, 400, 401, 403, 404), page
        found = Addresses(page.text)
        for address in [*found.found, found.fields.get("rd", "/")]:
            yield place, address
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)
            for inner in query.get("rd", []):
                yield f"{place}, from there", inner


def run(values):
    """[(value, what is wrong)] for the values of {value: must it be refused?}; None: whichever."""
    programs, told = responder.Programs(sections=SECTIONS), []
    try:
        visitor = Visitor(programs)
        for value in values:
            told += [(value, place, address) for place, address in visitor.everywhere(value)]
        logged = programs.site.log_text("login").count("event=return_refused ")
    finally:
        programs.close()
    wrong = []
    for (value, place, address), origins in zip(told, judge([address for _, _, address in told])):
        if not set(origins) <= ALLOWED:
            wrong.append((value, f"{place} leads to {address!r}, which is {origins}"))
        if re.match("(?i)[a-z+.-]+:", address) and not address.startswith("https://"):
            wrong.append((value, f"{place} has the scheme of {address!r}"))
        if place == "the login" and values[value] is not None and (address == "/") != values[value] and value != "/":
            wrong.append((value, f"{place} leads to {address!r}"))
    refused = sum(address == "/" for _, place, address in told if place == "the login")
    # Each refusal is a line: seven addresses to return to were named, one of them beside another.
    if logged < refused:
        wrong.append(("", f"{refused} were refused, and {logged} lines are in the log"))
    return wrong
