# SPDX-License-Identifier: Apache-2.0
"""Identity that a client makes up, and credentials that are none of an application's business: none of it reaches an
application, whatever the web server, the way in, the kind of application, and what becomes of the request."""

import itertools

import pytest

import cases
import tokens

MAPPED = ("X-Auth-User", "X-Auth-User-Id", "X-Auth-Local-User-Id", "X-Auth-Email", "X-Auth-Name", "X-Auth-Roles",
          "X-Auth-Expires", "X-Auth-Matched-Policy", "X-Auth-Request-Id", "X-Auth-Api-Key-Id", "Remote-User",
          "X-Remote-User", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Webauth-User")


def spellings(name):
    """Each separator in each place, in cases that differ."""
    words = name.split("-")
    for i, separators in enumerate(itertools.product("-_.", repeat=len(words) - 1)):
        spelled = words[0] + "".join(map("".join, zip(separators, words[1:])))
        yield (spelled, spelled.upper(), spelled.lower(), spelled.swapcase())[i % 4]


ALL = list(dict.fromkeys(itertools.chain(cases.FORGED_NAMES, *map(spellings, MAPPED))))
#: As many as every web server takes in one request.
BATCHES = [[f"{name}: mallory" for name in ALL[start:start + 60]] for start in range(0, len(ALL), 60)]
GOOD = f"Authorization: Bearer {tokens.mint()}"
SITUATIONS = {
    "allowed": ("GET", "/app/app.cgi", [GOOD], (200,)),
    "allowed-options": ("OPTIONS", "/app/app.cgi", [GOOD], (200, 405)),
    "denied": ("GET", "/app/app.cgi", [], (401,)),
    "denied-person": ("GET", "/app/app.cgi", cases.NAVIGATION, (302, 401)),
    "denied-options": ("OPTIONS", "/app/app.cgi", [], (401,)),
    "public": ("GET", "/public/app.cgi", [], (200,)),
    "public-with-token": ("GET", "/public/app.cgi", [GOOD], (200,)),
    "public-options": ("OPTIONS", "/public/app.cgi", [], (200, 405)),
}
APPLICATIONS = ("cgi", "fastcgi", "proxied")


def has_applications(way):
    return way.name != "cgi"


@pytest.mark.parametrize("situation", SITUATIONS)
def test_forged_identity(way, situation):
    method, target, headers, statuses = SITUATIONS[situation]
    for kind, batch in itertools.product(APPLICATIONS if has_applications(way) else ("cgi",), BATCHES):
        if target.startswith("/public") and not has_applications(way):
            continue  # nobody asks about it
        answer = way.request(target, [*headers, *batch], method, kind=kind)
        assert answer.status in statuses, answer
        forged = [name for name, value in answer.pairs if "mallory" in value]
        assert not forged, (kind, forged)
        assert (answer.seen or {}).get("AUTH_USER_ID") == ("alice" if situation.startswith("allowed") and answer.seen
                                                           else None)
        if answer.status == 200 and answer.body and has_applications(way):
            assert answer.seen, "no application has told what it saw: the test shows nothing"


@pytest.mark.parametrize("header", ["X-API-Key: {key}", "Authorization: Bearer {key}"])
def test_api_key_stays_here(way, header):
    """The key has decided; no application gets it."""
    if not has_applications(way):
        return
    key = way.api_key
    for kind in APPLICATIONS:
        answer = way.request("/keys/app.cgi", [header.format(key=key)], kind=kind)
        assert answer.status == 200, answer
        assert answer.seen["AUTH_USER_ID"] == "machine"
        assert not [name for name, value in answer.pairs if key in value], kind


def test_token_for_the_backend(way):
    """S3.3: with pass-token a proxied application gets the token that was in the cookie."""
    if not has_applications(way):
        return
    token = tokens.mint()
    answer = way.request("/token/app.cgi", [f"Cookie: auth={token}"], kind="proxied")
    assert answer.status == 200, answer
    assert [value for name, value in answer.pairs if name.lower() == "authorization"] == [f"Bearer {token}"]
    for kind in ("cgi", "fastcgi"):
        assert way.request("/token/app.cgi", [f"Cookie: auth={token}"], kind=kind).seen["AUTH_TOKEN"] == token
