# SPDX-License-Identifier: Apache-2.0
"""Ways to ask: through a web server, or a program by itself as plain CGI. Each gives the same kind of answer."""

import functools
import json
import re
import subprocess
import urllib.parse

import fastcgi
import harness
import tokens
from http_client import Answer


def is_identity(name):
    return name == "REMOTE_USER" or name.startswith("AUTH_")


#: Policies beside those of every site.
SECTIONS = {
    'policy "keys"': {"path": "/keys/**", "token-from": "api-key"},
    'policy "token"': {"path": "/token/**", "issuer": "main", "pass-token": "on"},
}


class WebServer:
    """A request goes through the web server of a site; the application behind says what it saw."""

    kinds = harness.KINDS

    def __init__(self, site, name="lighttpd"):
        self.site, self.name = site, name

    @functools.cached_property
    def api_key(self):
        return tokens.sensitive(self.site.authctl("api-keys", "add", "--owner", "machine").stdout.strip())

    def origin(self, kind):
        return f"http://127.0.0.1:{self.site.ports[kind]}"

    def request(self, target, headers, method="GET", body=None, chunked=False, kind="cgi"):
        answer = self.site.request(target, headers, method, body, chunked, kind)
        answer.seen, answer.pairs, answer.kind = None, [], "static" if b"document of" in answer.body else None
        if answer.status == 200 and (answer.header("Content-Type") or "").startswith("application/json"):
            look_into(answer)
        return answer


def look_into(answer):
    """Sets what an application saw: seen by name, pairs as they came; nothing when there is no body."""
    said = answer.json if answer.body else {}
    if "environment" in said:
        answer.kind = "cgi"
        answer.seen, answer.pairs = said["environment"], list(said["environment"].items())
    elif "params" in said:
        answer.kind = "fastcgi"
        answer.seen, answer.pairs = dict(reversed(said["params"])), said["params"]
    elif "headers" in said:
        answer.kind = "proxied"
        answer.pairs = [(name, value.encode("latin-1").decode("utf-8", "replace")) for name, value in said["headers"]]
        answer.seen = {variable_name(name): value for name, value in reversed(answer.pairs)}


def variable_name(header):
    """The variable that a proxied application's header was made of, or its name in a CGI environment."""
    folded = header.upper().replace("-", "_")
    if folded == "X_AUTH_USER":
        return "AUTH_USER_ID"
    return folded[2:] if folded.startswith("X_AUTH_") else "HTTP_" + folded


class Cgi:
    """auth-verify as plain CGI; what an application would see are its Variable- headers."""

    kinds, name = ("cgi",), "cgi"

    def __init__(self, site):
        self.site = site

    def origin(self, _):
        return "http://127.0.0.1"

    def request(self, target, headers, method="GET", body=None, chunked=False, kind="cgi"):
        answer = run(self.site, "verify", target, headers, method)
        assert answer.status is not None, "an answer without status"
        answer.pairs, answer.kind = [], "cgi"
        if answer.status == 200:
            assert answer.body == b""
            answer.seen = {name[len("Variable-"):]: value for name, value in answer.headers
                           if name.startswith("Variable-")}
            assert all(name == "Status" or name.startswith("Variable-") for name, _ in answer.headers)
            answer.headers, answer.pairs = [], list(answer.seen.items())
        return answer


def run(site, service, target, headers=(), method="GET", body=b"", script="", preexec=None, timeout=20):
    """One program as CGI: the answer, in the form of an HTTP answer."""
    parameters = environment(target, headers, method, script)
    if body:
        parameters["CONTENT_LENGTH"] = str(len(body))
    done = subprocess.run([harness.program(harness.SOCKETS[service]), "-c", str(site.configuration)], input=body,
                          capture_output=True, env=harness.environment() | parameters, preexec_fn=preexec,
                          timeout=timeout)
    log = site.folder / "log" / f"{service}-cgi.log"
    with open(log, "ab") as out:
        out.write(done.stderr)
    if log not in harness.LOGS:
        harness.LOGS.append(log)
    raw = fastcgi.parse(done.stdout)
    assert raw.headers[0][0] == "Status", "the status must be the first line"
    answer = Answer(raw.status, raw.headers, raw.body)
    answer.seen, answer.exit_status = None, done.returncode
    return answer


def environment(target, headers, method="GET", script=""):
    """What a web server makes of a request (RFC 3875), with lighttpd's way of joining and folding."""
    path, _, query = target.partition("?")
    parameters = {
        "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1", "REQUEST_METHOD": method, "REQUEST_URI": target, "QUERY_STRING": query,
        "SCRIPT_NAME": script, "PATH_INFO": urllib.parse.unquote(path[len(script):]).split("\0")[0],
        "HTTP_HOST": "127.0.0.1",
    }
    folded = {}
    for line in headers:
        name, _, value = line.partition(":")
        folded.setdefault(re.sub("[^A-Z0-9]", "_", name.upper()), []).append(value.strip())
    for name, values in folded.items():
        if name == "PROXY":
            continue
        joined = "; ".join(values) if name == "COOKIE" else ", ".join(values)
        parameters[name if name == "CONTENT_TYPE" else "HTTP_" + name] = joined
    return parameters


def as_json(answer):
    assert answer.header("Content-Type").split(";")[0] == "application/json"
    return json.loads(answer.body)
