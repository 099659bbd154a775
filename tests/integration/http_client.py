# SPDX-License-Identifier: Apache-2.0
"""An HTTP/1.1 client that sends exactly what a test says, and a small browser on top of it."""

import html.parser
import http.client
import json
import socket
import ssl
import urllib.parse
from dataclasses import dataclass, field


@dataclass
class Answer:
    status: int
    headers: list  # pairs, in order
    body: bytes = b""

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        values = self.all(name)
        return values[0] if values else None

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def cookies(self):
        """Set-Cookie as {name: (value, {attribute in lower case: value})}."""
        found = {}
        for line in self.all("Set-Cookie"):
            first, *rest = line.split(";")
            name, _, value = first.strip().partition("=")
            pairs = (part.strip().partition("=") for part in rest)
            found[name] = (value, {key.lower(): text for key, _, text in pairs})
        return found


def connect(port, tls=False, timeout=15):
    connection = socket.create_connection(("127.0.0.1", port), timeout)
    if tls:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = context.wrap_socket(connection, server_hostname="localhost")
    return connection


def chunks(body, size=16000):
    for start in range(0, len(body), size):
        part = body[start:start + size]
        yield b"%x\r\n%s\r\n" % (len(part), part)
    yield b"0\r\n\r\n"


def request(port, target, headers=(), method="GET", body=None, chunked=False, tls=False):
    """headers are lines "Name: value". Host and Connection are added unless given."""
    lines = list(headers)
    given = {line.split(":", 1)[0].lower() for line in lines}
    if "host" not in given:
        lines.insert(0, f"Host: 127.0.0.1:{port}")
    if "connection" not in given:
        lines.append("Connection: close")
    if body is not None:
        lines.append("Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}")
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n"
    with connect(port, tls) as connection:
        try:
            connection.sendall(head.encode("utf-8", "surrogateescape"))
            for part in (chunks(body) if chunked else [body]) if body is not None else []:
                connection.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server may answer before it has read the whole body
        return read_answer(connection, method)


def read_answer(connection, method="GET"):
    reader = http.client.HTTPResponse(connection, method=method)
    try:
        reader.begin()
        body = reader.read()
    except http.client.IncompleteRead as cut:
        body = cut.partial
    finally:
        reader.close()
    headers = [(key, value.encode("latin-1").decode("utf-8", "replace")) for key, value in reader.getheaders()]
    return Answer(reader.status, headers, body)


@dataclass
class Form:
    action: str
    method: str = "get"
    fields: dict = field(default_factory=dict)


class FormReader(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.forms = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif tag == "input" and given.get("name") and self.forms:
            self.forms[-1].fields[given["name"]] = given.get("value") or ""


class Browser:
    """Keeps cookies, sends what a current browser sends, and follows nothing by itself."""

    def __init__(self, port, tls=False):
        self.port, self.tls, self.jar = port, tls, {}
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{port}"

    def get(self, target, **changes):
        return self._send("GET", target, {"Sec-Fetch-Site": "none"} | changes)

    def post(self, target, fields, **changes):
        body = urllib.parse.urlencode(fields).encode()
        own = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin",
               "Content-Type": "application/x-www-form-urlencoded"}
        return self._send("POST", target, own | changes, body)

    def submit(self, page, target, fields, **changes):
        """Fill in and send the first form of a page that came from target."""
        form = FormReader(page.text).forms[0]
        assert form.method == "post"
        return self.post(urllib.parse.urljoin(target, form.action or target), form.fields | fields, **changes)

    def _send(self, method, target, changes, body=None):
        headers = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate",
                   "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1", "User-Agent": "Mozilla/5.0 (test)"} | changes
        if self.jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
        answer = request(self.port, target, lines, method, body, tls=self.tls)
        self._keep(answer)
        return answer

    def _keep(self, answer):
        for name, (value, attributes) in answer.cookies.items():
            secure = "secure" in attributes
            if (secure and not self.tls) or (name.startswith("__Host-") and not secure):
                continue  # as browsers do
            if attributes.get("max-age") == "0" or not value:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
