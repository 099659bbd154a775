# SPDX-License-Identifier: Apache-2.0
"""Sites of the examples upstream-*.conf in front of the real servers, by https as cookies need it."""

import json
import re

import examples
import peers
import tokens

COOKIE = "__Host-auth"
UNLIMITED = {"\n[login]\n": "\n[login]\nrate-limit = off\n"}
PROGRAM = ["Accept: application/json", "Content-Type: application/json"]


class Upstream(examples.Example):
    """The example in front of a peer; base: its address in the example."""

    def __init__(self, name, secret_file, secret, peer, base, places=(), **more):
        self.peer = peer
        super().__init__(f"upstream-{name}", {secret_file: secret}, {base: peer.url} | UNLIMITED | dict(places),
                         tls=True, **more)

    def post(self, target, value, *headers):
        """As a program, which is no browser, does it."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.request(target, [*PROGRAM, *headers], "POST", body)

    def lines(self, program="login"):
        return self.log_text(program).splitlines()


def kept(answer):
    """Its cookies are secrets; the answer."""
    peers.set_cookies(answer)
    return answer


def sign_in(browser, user, password, target="/auth/login", **fields):
    page = browser.get(target)
    assert page.status == 200, page.text
    answer = browser.submit(page, target, {"username": user, "password": tokens.sensitive(password)} | fields)
    for value in browser.jar.values():
        tokens.sensitive(value)
    return answer


def shown(answer):
    """The message of a login page."""
    found = re.search(r'role="alert"[^>]*>(.*?)</', answer.text, re.DOTALL)
    return re.sub(r"<[^>]*>", "", found.group(1)).strip() if found else None


def refused(answer):
    return answer.status, answer.json["detail"]


def no_session(site, answer):
    """No cookie of a session came with it, and none of its text is a token."""
    assert not peers.set_cookies(answer), answer.headers
    assert "eyJ" not in answer.text
    return answer


def log_out(site, *headers, target="/auth/logout"):
    answer = examples.post(site, target, b"", *headers)
    assert answer.status == 200 and answer.json["message"] == "Successfully logged out", answer.text
    return answer
