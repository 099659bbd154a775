# SPDX-License-Identifier: Apache-2.0
"""The programs over HTTP: behind nginx with kept connections, and asked by whom they must not believe."""

import os
import pathlib
import re
import socket
import subprocess
import threading
import urllib.parse

import pytest

import fastcgi
import harness
import http_bytes
import servers
import tokens
from tokens import mint

PASSED = """proxy_http_version 1.1;
proxy_set_header Connection "";
proxy_set_header Host $fcgi_auth_host;
proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Real-IP $remote_addr;
"""


def nginx(name, text):
    """The site of data/nginx-http.conf in the place of the shipped one."""
    if name == "nginx.conf":
        run = re.search(r"pid (\S+)/", text)[1]
        upstreams = "".join(f"\tupstream {program} {{\n\t\tserver unix:{run}/{program}.sock;\n\t\tkeepalive 8;\n\t}}\n"
                            for program in harness.SOCKETS)
        return text.replace("\tserver {\n", upstreams + "\tserver {\n")
    if name == "global.conf":
        return re.search(r"^map [^{]* \$fcgi_auth_host {.*?^}\n", text, re.M | re.S)[0]
    if name == "site.conf":
        folder = re.search(r"include (\S+)/protect.conf", text)[1]
        run = re.search(r"unix:(\S+)/application.sock", text)[1]
        pathlib.Path(folder, "http.conf").write_text(PASSED)
        return servers.fill((servers.DATA / "nginx-http.conf").read_text(), {"CONF": folder, "RUN": run})
    return text


@pytest.fixture(scope="module")
def site():
    with harness.Site(server="nginx", transport="http", edit=nginx) as running:
        yield running


def bearer(token):
    return f"Authorization: Bearer {token}"


def connections(site, name):
    """The open sockets of a program beside its listening one."""
    found = set()
    for pid in site.services[name].workers():
        for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = os.readlink(descriptor)
            except FileNotFoundError:
                continue
            if target.startswith("socket:"):
                found.add(target)
    return found


# --- through nginx ----------------------------------------------------------------

def test_allowed_on_a_kept_connection(site):
    token = mint()
    assert site.request("/app/app.cgi", [bearer(token)]).status == 200
    before = connections(site, "verify")
    for i in range(50):
        answer = site.request(f"/app/app.cgi?{i}", [bearer(token), f"Cookie: n={i}"], "POST", b"x" * i)
        assert answer.status == 200 and answer.json["environment"]["REMOTE_USER"] == "alice"
        assert answer.json["length"] == i
    assert connections(site, "verify") == before


def test_denied_with_all_that_belongs_to_it(site):
    answer = site.request("/app/app.cgi?a=b", [bearer(mint(lifetime=-100))])
    assert (answer.status, answer.json["reason"]) == (401, "token_expired")
    assert 'error="invalid_token"' in answer.header("WWW-Authenticate")
    answer = site.request("/app/app.cgi?a=b", ["Accept: text/html", "Sec-Fetch-Mode: navigate"])
    assert answer.status == 302
    assert answer.header("Location") == "/auth/login?rd=/app/app.cgi%3Fa%3Db"


def test_the_original_request_decides(site):
    """Whatever headers the client brings along."""
    for more in (["X-Original-URI: /public"], ["X-Original-Method: OPTIONS"], ["X-Forwarded-Uri: /public"],
                 ["X_Original_URI: /public"], ["X-Forwarded-Host: intern.example"], ["X-Real-IP: 6.6.6.6"]):
        answer = site.request("/app/app.cgi", more)
        assert (answer.status, answer.json["reason"]) == (401, "no_token"), more
    log = site.log_text("verify").splitlines()[-6:]
    assert all('client=127.0.0.1 ' in line and "/app/app.cgi" in line for line in log), log


def test_methods_and_bodies(site):
    token = mint()
    for method in "GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH":
        for body, chunked in (None, False), (b"y" * 100000, False), (b"z" * 100000, True):
            answer = site.request("/app/app.cgi", [bearer(token)], method, body, chunked)
            assert answer.status == 200 and answer.json["length"] == len(body or b"")
            assert site.request("/app/app.cgi", [], method, body, chunked).status == 401
    assert site.request("/app/app.cgi", [bearer(token)], "HEAD").status == 200


def test_login_and_logout(site):
    password = site.add_user("dora")
    browser = site.browser()
    sent_away = browser.get("/app/app.cgi?a=1")
    assert sent_away.status == 302
    target = sent_away.header("Location")
    before = connections(site, "login")
    answer = browser.submit(browser.get(target), target, {"username": "dora", "password": password})
    for value in browser.jar.values():
        tokens.sensitive(value)
    assert answer.status == 303, answer.text
    back = urllib.parse.urlsplit(answer.header("Location"))._replace(scheme="", netloc="").geturl()
    seen = browser.get(back).json["environment"]
    assert back == "/app/app.cgi?a=1" and seen["REMOTE_USER"] == "dora"
    wrong = site.browser()
    assert wrong.submit(wrong.get(target), target, {"username": "dora", "password": "x" * 20}).status == 401
    assert re.search(r"event=login_failed client=127\.0\.0\.1 ", site.log_text("login"))
    assert len(connections(site, "login") - before) <= 1
    page = browser.get("/auth/logout")
    assert browser.submit(page, "/auth/logout", {}).status == 303
    assert browser.get("/app/app.cgi").status == 302


def test_restart(site):
    """nginx finds its kept connections closed, and asks on new ones."""
    token = mint()
    assert site.request("/app/app.cgi", [bearer(token)]).status == 200
    assert site.services["verify"].stop() == [0]
    site.services["verify"].start()
    assert site.request("/app/app.cgi", [bearer(token)]).status == 200


# --- through nginx as shipped --------------------------------------------------------

#: Bytes of an authorizer that are no decision; nginx takes several of them for 200.
NO_DECISION = {
    "nothing": b"", "closed within the head": b"HTTP/1.1 200 OK\r\n", "no HTTP": b"garbage\r\n\r\n",
    "HTTP/0.9": b"<p>Welcome</p>", "another page": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "204": b"HTTP/1.1 204 No Content\r\nVariable-AUTH_REQUEST_ID: 1\r\n\r\n",
    "no proof": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nVariable-REMOTE_USER: x\r\n"
                b"Variable-AUTH_REQUEST_ID: 1\r\n\r\n",
    "another proof": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Accel-Redirect: @fcgi_auth_changed\r\n\r\n",
}
ALLOW = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Accel-Redirect: @fcgi_auth_allowed\r\n\r\n"


class Scripted:
    """An HTTP server on a unix socket that sends everybody the same bytes, and keeps what it was asked."""

    def __init__(self, path, answer):
        path.unlink()
        self.path, self.answer, self.asked = path, answer, []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen(16)
        path.chmod(0o666)
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(65536))
                connection.sendall(self.answer)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()
        self.path.unlink()
        self.path.touch()


@pytest.fixture(scope="module")
def shipped():
    site = harness.Site(server="nginx-http")
    site.web.start()
    yield site
    site.close()


@pytest.mark.parametrize("case", NO_DECISION)
def test_shipped_no_decision(shipped, case):
    with Scripted(shipped.services["verify"].path, NO_DECISION[case]):
        for target in "/app/page.txt", "/app/app.cgi":
            answer = shipped.request(target)
            assert answer.status in (403, 500, 503)
            assert b"document of" not in answer.body and b"environment" not in answer.body


def test_shipped_question(shipped):
    """Each byte of the client's path stands where it can be taken for nothing else."""
    with Scripted(shipped.services["verify"].path, ALLOW) as script:
        assert shipped.request("/app/page.txt?a=b").body == b"document of app\n"
        for target in ("/app/%0d%0aX-Original-URI:%20/public%0d%0a%0d%0aGET%20/%20HTTP/1.1", "/app/a%3fpolicy=x&y",
                       "/app/%23%25%20%00b", "/app/%ff\xc3\xa4"):
            shipped.request(target)
    for head in script.asked:
        lines = head.decode("latin-1").split("\r\n")
        assert lines[0].startswith("HEAD /original/app/") and lines[0].endswith("@fcgi_auth_allowed HTTP/1.1"), lines
        assert lines[0].count("?") == 1 and lines[0].count(" ") == 2
        assert sum(line.lower().startswith("x-original-uri:") for line in lines) == 1
        assert head.count(b"\r\n\r\n") == 1 and head.endswith(b"\r\n\r\n")
    assert script.asked[0].startswith(
        b"HEAD /original/app/page.txt?policy=&accel-redirect=@fcgi_auth_allowed HTTP/1.1\r\n")


def test_shipped_kept_connections():
    with harness.Site(server="nginx-http") as site:
        token = bearer(mint())
        assert site.request("/app/app.cgi", [token]).status == 200
        before = connections(site, "verify")
        for _ in range(20):
            assert site.request("/app/app.cgi", [token]).json["environment"]["REMOTE_USER"] == "alice"
            assert site.request("/app/app.cgi").json["reason"] == "no_token"
        assert connections(site, "verify") == before


def test_shipped_served_path():
    """What a rewrite serves is judged too."""
    more = "location /moved/ {\n\trewrite ^/moved/(.*)$ /users/$1;\n}\n"
    with harness.Site(server="nginx-http", edit=lambda name, text: text.replace(
            "location /papp/ {", more + "location /papp/ {") if name == "site.conf" else text) as site:
        token = bearer(mint())
        assert site.request("/moved/alice/page.txt", [token]).status == 200
        assert site.request("/moved/bob/page.txt", [token]).json["reason"] == "user_mismatch"


# --- asked directly ----------------------------------------------------------------

class Program:
    """auth-verify (or another one) with a TCP port of its own."""

    def __init__(self, site, name="verify", trusted=None):
        self.port, = harness.free_ports(1)
        self.address = f"tcp:127.0.0.1:{self.port}"
        configuration = site.folder / "conf" / f"tcp-{self.port}.conf"
        text = site.configuration.read_text()
        if trusted:
            text = text.replace("[server]\n", f"[server]\ntrusted-proxies = {trusted}\n")
        configuration.write_text(text)
        self.log = site.folder / "log" / f"tcp-{self.port}.log"
        harness.LOGS.append(self.log)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [harness.program(harness.SOCKETS[name]), "-c", str(configuration), "-l", f"http:127.0.0.1:{self.port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=harness.environment(),
                preexec_fn=harness.drop_privileges)
        fastcgi.wait_until_listening(self.address, self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(15) == 0

    def ask(self, target, headers, **how):
        return http_bytes.request(self.address, target, headers, **how)


ORIGINAL = ["X-Original-URI: /app/page.txt", "X-Original-Method: GET"]
FORWARDED = ["X-Forwarded-Uri: /app/page.txt", "X-Forwarded-Method: GET", "X-Forwarded-Host: site.example"]


@pytest.mark.parametrize("trusted", [None, "::1", "10.0.0.0/8, 127.0.0.2"])
def test_nobody_is_believed_who_is_not_listed(site, trusted):
    """Not even with a good token: who knows which request it is?"""
    with Program(site, trusted=trusted) as program:
        for target, headers in ("/original", ORIGINAL), ("/forwarded", FORWARDED), ("/", []):
            answer = program.ask(target, [*headers, bearer(mint()), "X-Forwarded-For: 127.0.0.1"])
            assert (answer.status, answer.json["reason"]) == (403, "untrusted_proxy")
        assert "client=127.0.0.1" in program.log.read_text()


def test_whoever_is_listed_is_believed(site):
    with Program(site, trusted="192.0.2.0/24, 127.0.0.1") as program:
        good = bearer(mint())
        answer = program.ask("/original", [*ORIGINAL, good])
        assert answer.status == 200 and answer.body == b"" and answer.header("Variable-AUTH_USER_ID") == "alice"
        assert program.ask("/forwarded", [*FORWARDED, good]).header("Variable-REMOTE_USER") == "alice"
        # Policies: the proxy's configuration alone names one.
        answer = program.ask("/forwarded?policy=admin", [*FORWARDED, good])
        assert (answer.status, answer.json["reason"]) == (403, "rule_failed")
        answer = program.ask("/forwarded", [*FORWARDED, good, "Auth-Policy: admin"])
        assert answer.header("Variable-AUTH_MATCHED_POLICY") == "site"
        assert program.ask("/original", [*ORIGINAL, good, "X-Original-URI: /public"]).status == 400
        for target, headers in (("/original", FORWARDED), ("/forwarded", ORIGINAL), ("/original", ORIGINAL[:1]),
                                ("/forwarded", FORWARDED[:2]), ("/", ORIGINAL), ("/original?policies=x", ORIGINAL)):
            answer = program.ask(target, [*headers, good])
            assert (answer.status, answer.json["reason"]) == (400, "bad_request"), (target, headers)


def test_the_client_of_a_chain_of_proxies(site):
    with Program(site, trusted="192.0.2.0/24, 127.0.0.1") as program:
        for chain, client in (("6.6.6.6, 203.0.113.9", "203.0.113.9"), ("203.0.113.8, 192.0.2.7", "203.0.113.8"),
                              ("203.0.113.7, nobody", "127.0.0.1")):
            assert program.ask("/forwarded", [*FORWARDED, f"X-Forwarded-For: {chain}"]).status == 401
            assert f"event=deny client={client} " in program.log.read_text().splitlines()[-1]


def test_an_answer_to_head_has_no_body(site):
    with Program(site, trusted="127.0.0.1") as program, http_bytes.Connection(program.address) as connection:
        connection.send(http_bytes.encode("/original", ORIGINAL, "HEAD"))
        answer = connection.answer(head=True)
        assert answer.status == 401 and int(answer.header("Content-Length")) > 0
        assert connection.request("/original", [*ORIGINAL, bearer(mint())]).status == 200


def test_login_asked_by_anybody(site):
    """The login page is for everybody; whom it is for is believed of trusted addresses alone."""
    with Program(site, "login") as program:
        assert program.ask("/auth/login", ["X-Real-IP: 6.6.6.6"]).status == 200
        body = b'{"username":"nobody","password":"xxxxxxxxxxxxxxxx"}'
        answer = program.ask("/auth/login", ["Content-Type: application/json", "X-Real-IP: 6.6.6.6"], method="POST",
                             body=body)
        assert answer.status == 401
        assert "event=login_failed client=127.0.0.1 " in program.log.read_text()
        # Larger than any form.
        assert program.ask("/auth/login", ["Content-Length: 4000000"], method="POST").status == 413


@pytest.mark.parametrize("value,wrong", [("10.0.0.1/8", "bits beyond"), ("0.0.0.0/0", "everybody"),
                                         ("localhost", "no address"), ("10.0.0.0/33", "prefix")])
def test_wrong_trusted_proxies(tmp_path, value, wrong):
    configuration = tmp_path / "conf"
    configuration.write_text(f"[server]\ntrusted-proxies = 127.0.0.1\ntrusted-proxies = {value}\n")
    done = subprocess.run([harness.program("auth-verify"), "-c", str(configuration), "-t"], capture_output=True,
                          text=True, timeout=20)
    assert done.returncode == 78
    assert f"{configuration}:3: trusted-proxies:" in done.stderr and wrong in done.stderr


def test_trusted_proxies_before_a_web_server(site):
    """Over FastCGI the same list says whose X-Forwarded-For is read, and nothing but that."""
    with harness.Site(server="lighttpd", sections={"server": {"trusted-proxies": "127.0.0.1"}}) as behind:
        headers = ["X-Forwarded-For: 6.6.6.6, 203.0.113.9", "X-Forwarded-Uri: /public",
                   "X-Original-URI: /public"]
        assert behind.request("/app/app.cgi", headers).status == 401
        last = behind.log_text("verify").splitlines()[-1]
        assert "event=deny client=203.0.113.9 " in last and "/app/app.cgi" in last
