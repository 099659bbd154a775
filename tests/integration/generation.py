# SPDX-License-Identifier: Apache-2.0
"""The page by which web servers learn of changes, as one of them reads it; and one that keeps verdicts."""

import mmap
import os
import struct
import time

import fastcgi
import harness
import tokens

SIZE = 64
HOST = "site.example"


class Page:
    """state-dir/generation.page, mapped once like a web server maps it when it starts."""

    def __init__(self, state):
        self.path = state / "generation.page"
        self.file = os.open(self.path, os.O_RDONLY)
        self.map = mmap.mmap(self.file, SIZE, mmap.MAP_SHARED, mmap.PROT_READ)

    def close(self):
        self.map.close()
        os.close(self.file)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def number(self):
        """None: the page says nothing now."""
        status = os.fstat(self.file)
        if status.st_nlink < 1 or status.st_size < SIZE:
            return None
        magic, version, zero, number = struct.unpack_from("=8sIIQ", self.map)
        return number if (magic, version, zero) == (b"FCGAUTHG", 1, 0) else None


def parameters(token, target="/app/page.txt", wanted="1", **more):
    """What mod_auth_request sends; more: changed or (None) removed."""
    sent = {
        "REQUEST_METHOD": "GET", "REQUEST_URI": target, "REQUEST_SCHEME": "https", "HTTPS": "on", "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "203.0.113.9", "HTTP_HOST": HOST, "AUTH_POLICY": "site",
        "AUTH_CACHE_WANTED": wanted, "HTTP_AUTHORIZATION": f"Bearer {token}" if token else None,
    }
    return {name: value for name, value in (sent | more).items() if value is not None}


def ask(site, sent):
    return fastcgi.request(f"unix:{site.services['verify'].path}", sent, None)


def hold(answer):
    """(seconds, scope) that the verdict may be kept, or None."""
    assert answer.status == 200, answer.raw
    text = answer.variables.get("AUTH_CACHE")
    if text is None:
        return None
    seconds, _, scope = text.removeprefix("max-age=").partition("; scope=")
    return int(seconds), scope


class Keeper:
    """A web server's process that keeps allows by token as long as the page says so."""

    def __init__(self, site):
        self.site, self.page, self.kept = site, Page(site.state), {}
        self.asked = self.used = 0

    def allows(self, token):
        number, begun = self.page.number(), time.monotonic()
        kept, end = self.kept.get(token, (None, 0))
        if number is not None and kept == number and begun < end:
            self.used += 1
            return True
        self.asked += 1
        try:
            answer = ask(self.site, parameters(token))
        except (OSError, fastcgi.FastCgiError):
            return False  # it has just been killed
        if answer.status == 200 and number is not None and hold(answer):
            self.kept[token] = number, begun + hold(answer)[0]
        return answer.status == 200

    def close(self):
        self.page.close()


def log_out(site, token, service="logout"):
    """The message of the answer, or None when there was none."""
    sent = parameters(token, "/auth/logout", None, REQUEST_METHOD="POST", CONTENT_LENGTH="0",
                      HTTP_ACCEPT="application/json", SCRIPT_NAME="/auth/logout", AUTH_POLICY=None)
    try:
        answer = fastcgi.request(f"unix:{site.services[service].path}", sent, b"", fastcgi.RESPONDER)
    except (OSError, fastcgi.FastCgiError):
        return None
    return answer.body.decode()


def fresh(user="alice", **claims):
    return tokens.mint(user, **claims)


def site(sections=None, **how):
    """A site whose own policy answers no pages of other origins: with cors-origin nothing is kept."""
    sections = dict(sections or {})
    sections['policy "site"'] = {"cors-origin": None} | sections.get('policy "site"', {})
    return harness.Site(sections=sections, **how)
