# SPDX-License-Identifier: Apache-2.0
"""Servers that issue real tokens (tests/peers), and a site that takes the tokens of one of them."""

import json
import os
import pathlib
import secrets
import shutil
import subprocess
import urllib.parse

import harness
import http_client
import tokens

SOURCES = harness.REPOSITORY / "tests" / "peers"
INSTALLED = pathlib.Path(os.environ.get("PEERS_DIR") or harness.BUILD_DIR / "peers")
PYTHON = "/usr/bin/python3"  # the distribution's: the modules are its packages
APP = "/app/app.cgi"


def need(path, what):
    assert path and os.access(path, os.X_OK), \
        f"{what} is missing: install what packages.debian lists, then run tests/peers/install {INSTALLED}"
    return str(path)


def command(name):
    if name == "sinatra":
        return [need(shutil.which("ruby"), "ruby"), str(SOURCES / name / "app.rb")]
    if name == "fastapi":
        return [need(PYTHON, "python3"), str(SOURCES / name / "app.py")]
    return [need(INSTALLED / "run-node", "Node 20"), str(INSTALLED / name / "server.mjs")]


def new_secret():
    return tokens.sensitive(secrets.token_urlsafe(40))


class Peer:
    """A running peer; settings are its environment."""

    def __init__(self, name, **settings):
        self.port, = harness.free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = harness.RUN / f"peer-{name}-{self.port}.log"
        environment = harness.environment() | settings | {"PORT": str(self.port), "LC_ALL": "C.UTF-8"}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command(name), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=environment, cwd=harness.RUN)
        try:
            harness.wait_for(f"peer {name}", self.healthy, timeout=60)
        except BaseException:
            self.close()
            raise

    def healthy(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.get("/health").status == 200
        except OSError:
            return False

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def get(self, target, headers=()):
        return http_client.request(self.port, target, headers)

    def post(self, target, value=None, headers=()):
        body = json.dumps({} if value is None else value).encode()
        return http_client.request(self.port, target, ["Content-Type: application/json", *headers], "POST", body)

    def post_form(self, target, fields, headers=()):
        lines = ["Content-Type: application/x-www-form-urlencoded", *headers]
        return http_client.request(self.port, target, lines, "POST", urllib.parse.urlencode(fields).encode())


def site(issuer, policy=None, **more):
    """A site (not started) whose pages want a token of [issuer "peer"]."""
    sections = {'issuer "peer"': issuer, 'policy "site"': {"issuer": "peer"} | (policy or {})}
    return harness.Site(sections=sections, **more)


def set_cookies(answer):
    """The cookies of an answer as a browser would keep and send them."""
    kept = {name: value for name, (value, attributes) in answer.cookies.items()
            if value and attributes.get("max-age") != "0"}
    for value in kept.values():
        tokens.sensitive(value)
    return kept


def cookie_line(cookies):
    return "Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies.items())


def bearer(token):
    return f"Authorization: Bearer {tokens.sensitive(token)}"


def user(site_, *headers, target=APP):
    """Who the application behind the site sees; the request must be let in."""
    answer = site_.request(target, headers)
    assert answer.status == 200, (answer.status, answer.text)
    return answer.json["environment"]["REMOTE_USER"]


def refusal(site_, *headers, target=APP):
    """(status, reason) of a request that is not let in."""
    answer = site_.request(target, headers)
    assert answer.status != 200, answer.text
    return answer.status, answer.json["reason"]


def log_out(site_, *headers):
    answer = site_.request("/auth/logout", ["Accept: application/json", "Sec-Fetch-Site: same-origin",
                                            f"Origin: http://127.0.0.1:{site_.port}", *headers], "POST", b"")
    assert answer.status == 200 and answer.json["message"] == "Successfully logged out", answer.text
    return answer
