# SPDX-License-Identifier: Apache-2.0
"""Real WebSockets through the web server: who may open one, and what the application sees of the token."""

import time

import pytest

import harness
import http_bytes
import tokens
import websocket

SECTIONS = {
    'policy "ws"': {"path": "/ws/**", "issuer": "main", "token-from": "bearer, websocket-protocol, cookie",
                    "cors-origin": "https://app.example", "attribute": "AUTH_EMAIL = claim:email"},
    'policy "ticket"': {"path": "/ws/ticket/**", "issuer": "main", "token-from": "query:ticket"},
    'policy "plain"': {"path": "/ws/plain/**", "issuer": "main"},
}
#: What an admin writes for it.
NGINX = """location /ws/ {
	include protect.conf;
	proxy_http_version 1.1;
	proxy_set_header Host $http_host;
	proxy_set_header Upgrade $http_upgrade;
	proxy_set_header Connection $fcgi_auth_connection;
	proxy_pass http://127.0.0.1:%d;
}
"""
APACHE = "ProxyPass /ws/ http://127.0.0.1:%d/ws/ upgrade=websocket\n"
LIGHTTPD = '$HTTP["url"] =~ "^/ws/" { proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => %d )) )\n' \
           'proxy.header = ( "upgrade" => "enable" ) }\n'


@pytest.fixture(scope="module")
def application():
    with websocket.Application(*harness.free_ports(1)) as server:
        yield server


@pytest.fixture(scope="module", params=["lighttpd", "lighttpd-spawn", "nginx", "nginx-http", "apache-direct",
                                         "apache-cgi", "apache-subrequest", "apache-http", "apache-authnz",
                                         "apache-fcgid"])
def site(request, application):
    more = {"lighttpd": LIGHTTPD, "nginx": NGINX, "apache": APACHE}[request.param.split("-")[0]] % application.port
    with harness.Site(server=request.param, sections=SECTIONS, more=more) as running:
        yield running


def own(site):
    return f"Origin: http://127.0.0.1:{site.port}"


def opens(site, target, *headers):
    """What the application saw of a handshake that is allowed."""
    with websocket.Client(site.port, target, headers, f"127.0.0.1:{site.port}") as client:
        assert client.open, (client.status, client.headers)
        assert client.echo("hello") == "hello" and client.echo("x" * 300) == "x" * 300
        return client.seen | {"chosen": client.headers.get("sec-websocket-protocol")}


def refused(site, application, target, *headers):
    """Status and reason of one that is not; the application has not been asked, nothing is redirected."""
    before = application.handshakes
    with websocket.Client(site.port, target, headers, f"127.0.0.1:{site.port}") as client:
        assert "location" not in client.headers
        assert application.handshakes == before
        return client.status


def status(site, expected):
    """mod_fcgid turns every denial into a 401."""
    return 401 if site.web.way == "fcgid" else expected


def test_bearer(site):
    lifetime = 600
    seen = opens(site, "/ws/x", f"Authorization: Bearer {tokens.mint(lifetime=lifetime)}")
    assert seen["x-auth-user"] == "alice" and seen["x-auth-email"] == "alice@example.org"
    assert abs(int(seen["x-auth-expires"]) - time.time() - lifetime) < 30


def test_cookie_of_the_same_origin(site):
    seen = opens(site, "/ws/x", own(site), f"Cookie: auth={tokens.mint()}")
    assert seen["x-auth-user"] == "alice" and "x-auth-expires" in seen


def test_cookie_of_a_listed_origin(site):
    seen = opens(site, "/ws/x", "Origin: https://app.example", f"Cookie: auth={tokens.mint()}")
    assert seen["x-auth-user"] == "alice"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", None])
def test_cookie_of_another_origin(site, application, origin):
    """Browsers send it with every site's handshake."""
    headers = [f"Cookie: auth={tokens.mint()}", *([f"Origin: {origin}"] if origin else [])]
    assert refused(site, application, "/ws/x", *headers) == status(site, 403)
    if site.web.way in ("", "http", "direct", "authnz"):
        assert "websocket from another origin" in site.log_text("verify").splitlines()[-1]


def test_token_of_another_origin(site):
    """Its page has the token: no cookie did it."""
    seen = opens(site, "/ws/x", "Origin: https://evil.example", f"Authorization: Bearer {tokens.mint()}")
    assert seen["x-auth-user"] == "alice"


@pytest.mark.parametrize("offered, left", [
    ("chat, bearer.@", "chat"), ("bearer.@, chat, v2", "chat, v2")])
def test_protocol(site, offered, left):
    token = tokens.mint()
    seen = opens(site, "/ws/x", "Origin: https://evil.example",
                 f"Sec-WebSocket-Protocol: {offered.replace('@', token)}")
    assert seen["x-auth-user"] == "alice"
    assert seen.get("sec-websocket-protocol") == left and token not in str(seen)
    assert seen["chosen"] == "chat"


@pytest.mark.parametrize("more", [[], ["Authorization: Bearer @"]])
def test_protocol_of_the_token_alone(site, application, more):
    """None would be left that the application could be given in its place."""
    token = tokens.mint()
    headers = [line.replace("@", token) for line in more]
    assert refused(site, application, "/ws/x", f"Sec-WebSocket-Protocol: bearer.{token}", *headers) == status(site, 400)


def test_protocols_without_a_token(site):
    """They pass as they are."""
    seen = opens(site, "/ws/x", f"Authorization: Bearer {tokens.mint()}", "Sec-WebSocket-Protocol: chat, v2")
    assert seen["sec-websocket-protocol"] == "chat, v2" and seen["chosen"] == "chat"


def test_protocol_where_it_carries_no_token(site, application):
    token = tokens.mint()
    assert refused(site, application, "/ws/plain/x", f"Sec-WebSocket-Protocol: bearer.{token}") == 401
    seen = opens(site, "/ws/plain/x", f"Authorization: Bearer {token}", "Sec-WebSocket-Protocol: bearer.x")
    assert seen["sec-websocket-protocol"] == "bearer.x"


def test_protocol_of_no_handshake(site, application):
    answer = site.request("/ws/x", [f"Sec-WebSocket-Protocol: bearer.{tokens.mint()}"])
    assert answer.status == 401


def test_query(site, application):
    seen = opens(site, f"/ws/ticket/x?a=1&ticket={tokens.mint()}")
    assert seen["x-auth-user"] == "alice"
    token = tokens.mint()
    assert refused(site, application, f"/ws/x?ticket={token}") == 401
    assert refused(site, application, f"/ws/ticket/x?ticket={token}&ticket=x") == status(site, 400)
    assert refused(site, application, f"/ws/ticket/x?ticket={tokens.tampered(token)}") == 401


@pytest.mark.parametrize("headers", [
    [], ["Sec-WebSocket-Protocol: chat"], ["Sec-WebSocket-Protocol: bearer."],
    ["Sec-WebSocket-Protocol: chat, bearer.x.y.z"], ["Accept: text/html"],
    ["Sec-Fetch-Mode: websocket", "Sec-Fetch-Dest: websocket", "Sec-Fetch-Site: same-origin"]])
def test_denied(site, application, headers):
    """With a status, never sent to the login: a script could not follow."""
    assert refused(site, application, "/ws/x", *headers) == 401


def test_two_protocols_with_tokens(site, application):
    offered = f"bearer.{tokens.mint()}, bearer.{tokens.mint()}"
    assert refused(site, application, "/ws/x", f"Sec-WebSocket-Protocol: {offered}") == 401


def test_revoked(site, application):
    token = tokens.mint()
    assert opens(site, "/ws/x", f"Authorization: Bearer {token}")
    site.authctl("revocations", "add", "--token", "-", text=token)
    assert refused(site, application, "/ws/x", f"Sec-WebSocket-Protocol: bearer.{token}, chat") == 401


# --- asked over HTTP: by a sub-request that carries the handshake's own headers --------------------------

def test_asked_over_http():
    """It is a question about a handshake, not one; what some proxies leave out of it is made up for by the key."""
    with harness.Site(transport="http", sections=SECTIONS) as site:
        with http_bytes.Connection(f"unix:{site.services['verify'].path}") as connection:
            original = ["X-Original-URI: /ws/x", "X-Original-Method: GET", f"Sec-WebSocket-Key: {websocket.Client.KEY}"]
            upgrade = ["Upgrade: websocket", "Connection: Upgrade"]
            for more in ([], upgrade):
                foreign = [*original, *more, "Origin: https://evil.example"]
                answer = connection.request("/original", [*foreign, f"Cookie: auth={tokens.mint()}"])
                assert (answer.status, answer.json["reason"]) == (403, "rule_failed")
                offered = f"Sec-WebSocket-Protocol: a, bearer.{tokens.mint()}"
                answer = connection.request("/original", [*foreign, offered])
                assert answer.status == 200 and answer.header("Variable-AUTH_WEBSOCKET_PROTOCOL") == "a"
                answer = connection.request("/original", [*original, *more, "Accept: text/html"])
                assert answer.status == 401
