# SPDX-License-Identifier: Apache-2.0
"""An authorizer of somebody else's behind mod_auth_request: Debian's mod_auth_openidc in a server of its own, which
verifies bearer tokens and answers as oauth2-proxy does at /oauth2/auth. The site trusts what it says of the user."""

import pytest

import apache
import harness
import tokens

AUTHORIZER = """
OIDCOAuthVerifySharedKeys plain##{secret}
OIDCOAuthRemoteUserClaim sub
<Location /oauth2/auth>
  AuthType oauth20
  Require valid-user
  Header set X-Auth-Request-User "expr=%{{REMOTE_USER}}"
  Header set X-Auth-Request-Email "expr=%{{reqenv:OIDC_CLAIM_email}}"
</Location>
"""

SITE = """
<Location /wiki>
  AuthRequest /oauth2/auth proof=X-Auth-Request-User
  AuthRequestSet REMOTE_USER %{{X-Auth-Request-User}}
  AuthRequestSet AUTH_EMAIL %{{X-Auth-Request-Email}}
  AuthRequestHeader X-Auth-Email AUTH_EMAIL
</Location>
<Location /wiki/alice>
  Require user alice
</Location>
<Location /people>
  AuthRequest /oauth2/auth proof=X-Auth-Request-User
  AuthRequestRedirect "https://login.example/oauth2/start?rd=%{{escape:%{{REQUEST_URI}}}}"
</Location>
<Location /oauth2/auth>
  Require expr "%{{IS_SUBREQ}} == 'true'"
  ProxyPass http://127.0.0.1:{authorizer}/oauth2/auth
</Location>
"""


@pytest.fixture(scope="module")
def authorizer():
    folder = harness.RUN / "foreign-authorizer"
    folder.mkdir()
    port, = harness.free_ports(1)
    server = apache.Apache(folder, port, ("authz_user", "auth_openidc"), AUTHORIZER.format(secret=tokens.SECRET))
    (server.htdocs / "oauth2").mkdir()
    (server.htdocs / "oauth2" / "auth").write_text("")
    with server:
        yield server


@pytest.fixture(scope="module")
def site(authorizer):
    folder = harness.RUN / "foreign-site"
    folder.mkdir()
    port, = harness.free_ports(1)
    server = apache.Apache(folder, port, ("proxy", "proxy_http", "authz_user"), SITE.format(authorizer=authorizer.port))
    for place in ("wiki", "wiki/alice", "people"):
        (server.htdocs / place).mkdir()
        (server.htdocs / place / "page.txt").write_text("a page\n")
    with server:
        yield server


def bearer(token):
    return [f"Authorization: Bearer {token}"]


def test_its_yes(site):
    answer = site.request("/wiki/page.txt", bearer(tokens.mint()))
    assert answer.status == 200 and answer.body == b"a page\n"
    assert not answer.all("X-Auth-Request-User")
    harness.wait_for("the user in the log", lambda: " alice " in (site.folder / "access.log").read_text())


def test_require_goes_by_its_user(site):
    assert site.request("/wiki/alice/page.txt", bearer(tokens.mint())).status == 200
    assert site.request("/wiki/alice/page.txt", bearer(tokens.mint("bob"))).status == 403


@pytest.mark.parametrize("headers", [
    [], bearer("x"), bearer(tokens.mint(lifetime=-3600)), bearer(tokens.mint(key=tokens.OTHER_SECRET)),
    bearer(tokens.tampered(tokens.mint())), bearer(tokens.unsigned()), ["X-Auth-Request-User: alice"],
], ids=["none", "garbage", "expired", "other-key", "tampered", "unsigned", "claimed"])
def test_its_no(site, headers):
    answer = site.request("/wiki/page.txt", headers)
    assert answer.status == 401 and b"a page" not in answer.body
    assert answer.header("WWW-Authenticate").startswith("Bearer")


def test_people_are_sent_to_its_login(site):
    answer = site.request("/people/page.txt")
    assert (answer.status, answer.header("Location")) == (
        302, "https://login.example/oauth2/start?rd=/people/page.txt")


def test_it_is_asked_each_time(site, authorizer):
    log = authorizer.folder / "access.log"
    before = log.read_text().count("/oauth2/auth")
    for _ in range(3):
        assert site.request("/wiki/page.txt", bearer(tokens.mint())).status == 200
    harness.wait_for("three questions", lambda: log.read_text().count("/oauth2/auth") == before + 3)


def test_without_it_nobody_gets_in(site, authorizer):
    authorizer.stop()
    try:
        assert site.request("/wiki/page.txt", bearer(tokens.mint())).status == 503
    finally:
        authorizer.start()
