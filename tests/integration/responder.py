# SPDX-License-Identifier: Apache-2.0
"""auth-login-proxy and auth-logout asked by FastCGI without a web server: every byte is the test's."""

import html.parser
import json
import urllib.parse

import fastcgi
import harness

HOST = "site.example"
ORIGIN = f"https://{HOST}"
#: What a browser says of itself with a form of this site.
BROWSER = {"Accept": "text/html", "Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
FORM = "application/x-www-form-urlencoded"
#: The cookie that lives a minute after a sign-in, to break loops.
SIGNED_IN = "auth-signed-in"


class Fields(html.parser.HTMLParser):
    """The inputs of a page's form."""

    def __init__(self, text):
        super().__init__()
        self.fields, self.attributes = {}, {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "input":
            self.fields[attrs["name"]] = attrs.get("value", "")
            self.attributes[attrs["name"]] = attrs


class Programs:
    """A site whose programs run without a web server in front."""

    def __init__(self, **how):
        self.site = harness.Site(**how)
        for name in ("login", "logout"):
            self.site.services[name].start()

    def close(self):
        self.site.close()

    def ask(self, name, method, target, headers=None, body=b"", content_type=None, **params):
        """headers as a browser sends them; params change or (None) remove FastCGI parameters."""
        path, _, query = target.partition("?")
        sent = {
            "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_METHOD": method,
            "REQUEST_URI": target, "SCRIPT_NAME": path, "PATH_INFO": "", "QUERY_STRING": query, "HTTPS": "on",
            "SERVER_PORT": "443", "REMOTE_ADDR": "203.0.113.9", "HTTP_HOST": HOST,
        }
        if content_type is not None:
            sent["CONTENT_TYPE"] = content_type
        if body or method == "POST":
            sent["CONTENT_LENGTH"] = str(len(body))
        for key, value in (headers or {}).items():
            if value is not None:
                sent["HTTP_" + key.upper().replace("-", "_")] = value
        sent.update(params)
        sent = {key: value for key, value in sent.items() if value is not None}
        answer = fastcgi.request(f"unix:{self.site.services[name].path}", sent, body, fastcgi.RESPONDER, timeout=20)
        assert answer.raw.startswith(b"Status: ")
        return answer

    # --- login ---------------------------------------------------------------

    def page(self, target="/auth/login", cookie=None):
        """(fields of the form, Cookie header that belongs to it)"""
        answer = self.ask("login", "GET", target, {"Accept": "text/html", "Cookie": cookie})
        assert answer.status == 200, answer.raw
        jar = [cookie] if cookie else []
        jar += [line.split(";")[0] for line in answer.all("Set-Cookie")]
        return Fields(answer.body.decode()).fields, "; ".join(jar)

    def send_form(self, fields, cookie, headers=None, **params):
        body = fields if isinstance(fields, bytes) else urllib.parse.urlencode(fields).encode()
        return self.ask("login", "POST", "/auth/login", {**BROWSER, "Cookie": cookie or None, **(headers or {})}, body,
                        FORM, **params)

    def log_in(self, user, password, back=None, cookie=None, **headers):
        target = "/auth/login" + (f"?rd={urllib.parse.quote(back, safe='')}" if back is not None else "")
        fields, jar = self.page(target, cookie)
        fields.update(username=user, password=password)
        if back is not None:
            fields["rd"] = back  # whatever the page made of it
        return self.send_form(fields, jar, headers)

    def post_json(self, name, target, value, headers=None, **params):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.ask(name, "POST", target, headers, body, "application/json", **params)

    def token(self, user, password):
        answer = self.post_json("login", "/auth/login", {"username": user, "password": password})
        assert answer.status == 200, answer.raw
        return json.loads(answer.body)["token"]

    def is_good(self, token):
        return self.ask("login", "GET", "/auth/verify-token", {"Authorization": f"Bearer {token}"}).status == 200


def cookies(answer):
    """Set-Cookie as {name: (value, {attribute: value})}; of several of one name the last, as browsers do."""
    found = {}
    for line in answer.all("Set-Cookie"):
        first, *rest = line.split(";")
        name, _, value = first.partition("=")
        pairs = (part.strip().partition("=") for part in rest)
        found[name] = (value, {key.lower(): text for key, _, text in pairs})
    return found
