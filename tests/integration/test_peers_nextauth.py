# SPDX-License-Identifier: Apache-2.0
"""Cookies that NextAuth v4 and Auth.js v5 really set at a sign-in, through lighttpd."""

import contextlib
import urllib.parse

import pytest

import peers

ANN = "cmgoip1nt0001s89pzkw7bzlg"


class Version:
    """One of the two in the running peer, and the name that its cookie has on http."""

    def __init__(self, peer, type_, base, cookie, secrets):
        self.peer, self.type, self.base, self.cookie, self.secrets = peer, type_, base, cookie, secrets

    def sign_in(self):
        """All cookies of a browser that has signed in."""
        csrf = self.peer.get(f"{self.base}/csrf")
        cookies = peers.set_cookies(csrf)
        fields = {"csrfToken": csrf.json["csrfToken"], "username": "ann", "password": "pw"}
        done = self.peer.post_form(f"{self.base}/callback/credentials", fields, [peers.cookie_line(cookies)])
        assert done.status == 302 and "error=" not in done.header("Location"), done.headers
        cookies |= peers.set_cookies(done)
        assert self.cookie in cookies
        return cookies

    def renew(self, cookies):
        """The cookies after a look at the session, which issues a new token."""
        answer = self.peer.get(f"{self.base}/session", [peers.cookie_line(cookies)])
        assert answer.json["user"]["email"] == "ann@example.com"
        return cookies | peers.set_cookies(answer)

    @contextlib.contextmanager
    def site(self, secrets=None, **options):
        issuer = {"type": self.type, "secret": [f"text:{secret}" for secret in secrets or self.secrets]}
        if self.type == "authjs":
            issuer["cookie"] = self.cookie
        with peers.site(issuer | options) as site:
            yield site


@pytest.fixture(scope="module")
def running():
    v4, v5 = [peers.new_secret()], [peers.new_secret(), peers.new_secret()]
    with peers.Peer("authjs", NEXTAUTH_SECRET=v4[0], AUTH_SECRET=",".join(v5)) as peer:
        yield {"nextauth": Version(peer, "nextauth", "/api/auth", "next-auth.session-token", v4),
               "authjs": Version(peer, "authjs", "/auth", "authjs.session-token", v5)}


@pytest.fixture(scope="module", params=["nextauth", "authjs"])
def version(request, running):
    return running[request.param]


@pytest.fixture(scope="module")
def site(version):
    with version.site() as site:
        yield site


def test_signed_in(version, site):
    cookies = version.sign_in()
    assert peers.user(site, peers.cookie_line(cookies)) == ANN
    assert peers.user(site, peers.cookie_line({version.cookie: cookies[version.cookie]})) == ANN
    del cookies[version.cookie]
    assert peers.refusal(site, peers.cookie_line(cookies)) == (401, "no_token")


def test_two_cookies(version, site):
    """The same token in pieces, as a browser has it when it is long."""
    token = version.sign_in()[version.cookie]
    pieces = {f"{version.cookie}.{n}": token[n * 100:(n + 1) * 100] for n in range(-(-len(token) // 100))}
    assert peers.user(site, peers.cookie_line(pieces)) == ANN
    assert peers.user(site, peers.cookie_line(dict(reversed(pieces.items())))) == ANN
    del pieces[f"{version.cookie}.1"]
    assert peers.refusal(site, peers.cookie_line(pieces))[0] == 401


def test_tampered(version, site):
    token = version.sign_in()[version.cookie]
    middle = len(token) // 2
    changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1:]
    assert peers.refusal(site, peers.cookie_line({version.cookie: changed})) == (401, "decrypt_failed")


def test_other_secret(version):
    cookies = version.sign_in()
    with version.site([peers.new_secret()]) as other:
        status, reason = peers.refusal(other, peers.cookie_line(cookies))
    assert (status, reason) == (401, "decrypt_failed" if version.type == "nextauth" else "unknown_key")


def test_other_cookie_name(version, site):
    """A token counts in its own cookie alone."""
    token = version.sign_in()[version.cookie]
    for name in (f"__Host-{version.cookie}", f"{version.cookie}-x", "session-token"):
        assert peers.refusal(site, peers.cookie_line({name: token})) == (401, "no_token")


def test_name_is_salt(running):
    """In version 5 the key is made of the cookie's name: a site that has another one reads no token of this one."""
    version, secure = running["authjs"], "__Secure-authjs.session-token"
    token = version.sign_in()[version.cookie]
    with version.site(cookie=secure) as other:
        assert peers.refusal(other, peers.cookie_line({secure: token})) == (401, "unknown_key")


def test_not_of_the_other(running):
    """Each version's secret, with the other version's tokens."""
    for version, other in (("nextauth", "authjs"), ("authjs", "nextauth")):
        token = running[version].sign_in()[running[version].cookie]
        with running[other].site(running[version].secrets) as site:
            assert peers.refusal(site, peers.cookie_line({running[other].cookie: token}))[0] == 401


def test_rotated_secret(running):
    """Version 5 signs with the first secret and reads with all of them, and so do we."""
    version, newest = running["authjs"], peers.new_secret()
    cookies = version.sign_in()
    with version.site([newest, *version.secrets]) as site:
        assert peers.user(site, peers.cookie_line(cookies)) == ANN


def test_logout(version, site):
    cookies = version.sign_in()
    line = peers.cookie_line(cookies)
    assert peers.user(site, line) == ANN
    answer = peers.log_out(site, line)
    value, attributes = answer.cookies[version.cookie]
    assert value == "" and attributes["max-age"] == "0"
    assert peers.refusal(site, line) == (401, "token_revoked")


def test_logout_ends_the_cookie_alone(version, site):
    """Each look at the session issues another token, and all of them are good: only the one shown is ended."""
    first = version.sign_in()
    second = version.renew(first)
    assert first[version.cookie] != second[version.cookie]
    peers.log_out(site, peers.cookie_line(first))
    assert peers.refusal(site, peers.cookie_line(first)) == (401, "token_revoked")
    assert peers.user(site, peers.cookie_line(second)) == ANN


def test_logout_of_pieces(version, site):
    token = version.sign_in()[version.cookie]
    pieces = {f"{version.cookie}.{n}": token[n * 200:(n + 1) * 200] for n in range(-(-len(token) // 200))}
    answer = peers.log_out(site, peers.cookie_line(pieces))
    for name in pieces:
        assert answer.cookies[name][0] == "" and answer.cookies[name][1]["max-age"] == "0"
    assert peers.refusal(site, peers.cookie_line(pieces)) == (401, "token_revoked")
    assert peers.refusal(site, peers.cookie_line({version.cookie: token})) == (401, "token_revoked")


def test_wrong_password(version, site):
    csrf = version.peer.get(f"{version.base}/csrf")
    cookies = peers.set_cookies(csrf)
    fields = {"csrfToken": csrf.json["csrfToken"], "username": "ann", "password": "wrong"}
    done = version.peer.post_form(f"{version.base}/callback/credentials", fields, [peers.cookie_line(cookies)])
    assert "error" in urllib.parse.parse_qs(urllib.parse.urlsplit(done.header("Location")).query)
    assert peers.refusal(site, peers.cookie_line(cookies | peers.set_cookies(done))) == (401, "no_token")
