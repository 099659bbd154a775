# SPDX-License-Identifier: Apache-2.0
"""One bounded HTTP call against servers that do what they should not."""

import os
import socket
import ssl
import subprocess
import threading

import pytest

import harness
from raw_server import JSON, Server, chunked, plain

CLIENT = harness.BUILD_DIR / "tests" / "net" / "fetch_client"


def drip(byte, pause):
    """One byte at a time, for ever."""
    yield b"HTTP/1.1 200 OK\r\n" + JSON + b"\r\n"
    ended = threading.Event()
    while not ended.wait(pause):
        yield byte


def flood(head):
    """A gigabyte, or what of it is taken."""
    yield head
    block = b"x" * (1 << 20)
    for _ in range(1 << 10):
        yield block


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()


def fetch(*words, **more):
    done = subprocess.run([CLIENT, *words], capture_output=True, text=True, timeout=60,
                          env=harness.environment() | more)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_an_answer_comes_as_it_is(server):
    got = fetch(server.put(plain(b'{"keys":[]}', JSON + b"Cache-Control: public, max-age=300\r\n")))
    assert got == ['status 200, type application/json, max-age 300, 11 bytes: {"keys":[]}']


def test_a_request_says_no_more_than_it_must(server):
    fetch("-h", "Cookie: a=b", "-h", "X-More: 1", server.put(plain(b"{}")))
    line, *fields = server.requests[0].rstrip("\r\n").split("\r\n")
    assert line == "GET /jwks HTTP/1.1"
    names = sorted(field.split(":")[0] for field in fields)
    assert names == ["Accept", "Cookie", "Host", "User-Agent", "X-More"]
    assert "Cookie: a=b" in fields and "X-More: 1" in fields


@pytest.mark.parametrize("header", ["Cookie: a\r\nX: b", "Cookie: a\nb", "Cookie:", "Cookie", ": a", "A: \x01",
                                    "Host: "])
def test_a_header_that_is_none_is_not_sent(server, header):
    assert fetch("-h", header, server.put(plain(b"{}"))) == [
        "failed: a header of the request is empty or has control characters"]
    assert server.connections == 0


def test_the_connection_is_kept(server):
    url = server.put(plain(b"{}"))
    assert len(fetch(url, url, url)) == 3 == len(server.requests)
    assert server.connections == 1


ANSWERS = [
    ("chunked", chunked([b"{", b"}"]), "status 200, type application/json, max-age -1, 2 bytes: {}"),
    ("a trailer counts for nothing",
     chunked([b"{}"], trailer=b"Content-Type: text/html\r\nCache-Control: max-age=9\r\n"),
     "status 200, type application/json, max-age -1, 2 bytes: {}"),
    ("an answer before the answer",
     b"HTTP/1.1 103 Early Hints\r\nContent-Type: text/css\r\nCache-Control: max-age=5\r\n\r\n" + plain(b"{}"),
     "status 200, type application/json, max-age -1, 2 bytes: {}"),
    ("any status", plain(b"oops", status=b"500 Oh"), "status 500, type application/json, max-age -1, 4 bytes: oops"),
    ("no type", plain(b"{}", b""), "status 200, type , max-age -1, 2 bytes: {}"),
    ("identity", plain(b"{}", JSON + b"Content-Encoding: identity\r\n"),
     "status 200, type application/json, max-age -1, 2 bytes: {}"),
    ("max-age that is none", plain(b"{}", JSON + b"Cache-Control: max-age=-1, max-age=x\r\n"),
     "status 200, type application/json, max-age -1, 2 bytes: {}"),
    ("redirect to a file", plain(b"", b"Location: file:///etc/passwd\r\n", b"302 Found"),
     "status 302, type , max-age -1, 0 bytes: "),
    ("redirect to itself", plain(b"", b"Location: /jwks\r\n", b"301 Moved"),
     "status 301, type , max-age -1, 0 bytes: "),
    ("gzip", plain(b"\x1f\x8b", JSON + b"Content-Encoding: gzip\r\n"),
     "failed: the answer is compressed (Content-Encoding), which was not asked for"),
    ("gzip on the way", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
     "failed: the answer has a Transfer-Encoding other than chunked"),
    ("a long header line", plain(b"{}", JSON + b"X-Long: " + b"x" * 17000 + b"\r\n"),
     "failed: the answer's header is too large"),
    ("many header lines", plain(b"{}", JSON + b"X-Many: 1\r\n" * 16000), "failed: the answer's header is too large"),
    ("many answers before the answer", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2000 + plain(b"{}"),
     "failed: the answer's header is too large"),
]


@pytest.mark.parametrize("answer, want", [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_answers(server, answer, want):
    assert fetch(server.put(answer)) == [want]
    assert len(server.requests) == 1


def test_an_answer_without_a_length_ends_with_the_connection(server):
    got = fetch(server.put(b"HTTP/1.1 200 OK\r\nX-Ends: with the connection\r\n\r\n{}"))
    assert got == ["status 200, type , max-age -1, 2 bytes: {}"]


TOO_LONG = ("failed: the answer is longer than allowed", "failed: Maximum file size exceeded")


@pytest.mark.parametrize("head", [
    b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n"], ids=["endless", "length", "chunk"])
def test_a_gigabyte_is_cut_off(server, head):
    assert fetch(server.put(lambda: flood(head)))[0] in TOO_LONG


def test_the_limit_is_exact(server):
    body = b"x" * 1000
    assert fetch("-m", "1000", server.put(chunked([body])), server.put(plain(body), "/plain")) == [
        f"status 200, type application/json, max-age -1, 1000 bytes: {'x' * 64}"] * 2
    assert fetch("-m", "999", server.put(chunked([body])), server.put(plain(body), "/plain")) == list(TOO_LONG)


@pytest.mark.parametrize("answer", [
    plain(b"{}")[:-1], chunked([b"{}"])[:-7], b"HTTP/1.1 200 OK\r\nContent-Le", b"", b"\x00" * 100,
    b"<html>"], ids=["body", "chunk", "header", "nothing", "zeros", "HTTP/0.9"])
def test_what_is_cut_short_is_no_answer(server, answer):
    def ends():
        yield answer
    assert fetch(server.put(ends))[0].startswith("failed: ")


@pytest.mark.parametrize("byte, pause", [(b"x", 0.01), (b"", 0.02)], ids=["drips", "hangs"])
def test_no_call_lasts_longer_than_its_time(server, byte, pause):
    assert "timed out" in fetch("-t", "300", server.put(lambda: drip(byte, pause)))[0]


def test_nothing_listens():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}/"
    assert fetch(url)[0].startswith("failed: Failed to connect")


def test_no_proxy_is_used(server):
    proxy = Server()
    address = f"http://127.0.0.1:{proxy.port}"
    names = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    got = fetch("-p", server.put(plain(b"{}")), f"https://127.0.0.1:{server.port}/",
                **{name: address for name in names}, no_proxy="")
    assert got[0].startswith("status 200") and got[1].startswith("failed")
    assert proxy.connections == 0
    proxy.close()


def test_a_certificate_that_nobody_vouches_for(tmp_path):
    harness.make_certificate(tmp_path / "server.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.pem")
    server = Server(tls)
    server.put(plain(b"{}"))
    got = fetch(f"https://localhost:{server.port}/jwks", SSL_CERT_FILE=os.devnull)
    assert got[0].startswith("failed: SSL certificate problem")
    assert server.requests == []
    server.close()


GOOD = ["https://a.example/jwks", "https://a.example", "https://a.example?x=1", "https://a.example:8443/%7Ea/b?c=d&e",
        "http://127.0.0.1/x", "http://127.9.9.9:1/x", "http://localhost:3000/x", "http://LOCALHOST/",
        "http://[::1]:80/x", "https://[2001:db8::1]/x", "https://key_server/x"]
BAD = ["", "a.example", "ftp://a.example/", "file:///etc/passwd", "gopher://localhost/", "HTTPS:/a.example/",
       "https://", "https:///x", "https://:443/x", "https://a.example:/x", "https://a.example:0/",
       "https://a.example:65536/", "https://a.example:08/", "https://user@a.example/",
       "https://user:word@a.example/", "https://a.example/#x", "https://a.example/a b", "https://a.example/\t",
       "https://a.example\\@b.example/", "https://a.example/ä", "https://[::1/x", "https://[::1]x/",
       "https://[a.example]/", "https://a.exam%70le/", "https://a,b/", "https://a.example/" + "x" * 2048]
PLAIN = ["http://a.example/", "http://10.0.0.1/", "http://127.1/", "http://0177.0.0.1/", "http://2130706433/",
         "http://localhost.example/", "http://localhost./", "http://127.0.0.1.example/", "http://[::ffff:127.0.0.1]/",
         "http://[::]/", "http://0.0.0.0/", "http://128.0.0.1/"]


def test_which_urls_may_be_asked():
    assert fetch("-u", *GOOD) == ["good"] * len(GOOD)
    assert fetch("-u", "-p", *GOOD, *PLAIN) == ["good"] * len(GOOD + PLAIN)
    for flag in ("-u", "-up"):
        for url, got in zip(BAD, fetch(flag, *BAD)):
            assert got.startswith("refused: "), url
    for url, got in zip(PLAIN, fetch("-u", *PLAIN)):
        assert "plain http" in got, url
    # What is refused is not asked either, and a password goes into no message.
    assert "plain http" in fetch("http://a.example/")[0]
    assert "hunter2" not in fetch("-u", "https://user:hunter2@a.example/")[0]


# --- looking at a server ----------------------------------------------------------------------

def test_a_look_says_what_it_is_told(server):
    url = server.put(plain(b"page", b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nServer: x/1\r\n"), "//a/./b;c?d")
    got = fetch("-T", "//a/./b;c?d", "-X", "BREW", "-h", "Host: other.example", "-h", "X_Y.z: 1", url)
    assert got == ["status 200, type , max-age -1, 4 bytes: page", "header Set-Cookie: a=1", "header Set-Cookie: b=2",
                   "header Server: x/1", "header Content-Length: 4", "server x/1"]
    line, *fields = server.requests[0].rstrip("\r\n").split("\r\n")
    assert line == "BREW //a/./b;c?d HTTP/1.1"
    assert "Host: other.example" in fields and "X_Y.z: 1" in fields
    assert not [field for field in fields if field.startswith("Accept: application/json")]


def test_a_look_leaves_the_path_alone(server):
    url = server.put(plain(b"page"), "/a/../b")
    fetch("-l", url)
    assert server.requests[0].startswith("GET /a/../b HTTP/1.1\r\n")


def test_a_look_sends_a_body(server):
    url = server.put(plain(b"page"))
    fetch("-d", "a=b", url)
    assert server.requests[0].startswith("POST /jwks HTTP/1.1\r\n") and "Content-Length: 3\r\n" in server.requests[0]


def test_a_look_at_the_head_alone(server):
    url = server.put(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nX-Ends: 1\r\n\r\n")
    assert fetch("-X", "HEAD", url)[0] == "status 200, type , max-age -1, 0 bytes: "
    assert server.requests[0].startswith("HEAD /jwks HTTP/1.1\r\n")


def test_a_look_takes_what_a_use_refuses(server):
    """Compressed, and longer than wanted: the beginning is enough."""
    url = server.put(plain(b"0123456789", b"Content-Encoding: gzip\r\n"))
    assert fetch("-l", "-m", "4", url)[0] == "status 200, type , max-age -1, 4 bytes: 0123"
    assert fetch("-m", "4", url)[0].startswith("failed: ")


# --- what is sent -------------------------------------------------------------

COOKIES = JSON + b"Set-Cookie: a=1; Path=/\r\nset-cookie: b=2\r\n"


def test_a_body_is_posted_and_all_header_lines_come(server):
    url = server.put(plain(b"{}", COOKIES))
    got = fetch("-h", "Content-Type: application/json", "-h", "Host: auth.example", "-s", '{"a":"b"}', url, url)
    assert [line for line in got if line.lower().startswith("header set-cookie")] == [
        "header Set-Cookie: a=1; Path=/", "header set-cookie: b=2"] * 2
    head, _, body = server.requests[1].partition("\r\n\r\n")
    assert body == '{"a":"b"}' and head.startswith("POST /jwks HTTP/1.1\r\n")
    names = sorted(field.split(":")[0] for field in head.split("\r\n")[1:])
    assert names == ["Accept", "Content-Length", "Content-Type", "Host", "User-Agent"]
    assert "Host: auth.example" in head and server.connections == 1


def test_an_empty_body_is_posted(server):
    fetch("-s", "", server.put(plain(b"{}")))
    assert server.requests[0].startswith("POST ") and "Content-Length: 0" in server.requests[0]


@pytest.mark.parametrize("answer, kind", [
    (plain(b"x" * 70000), "no good"), (b"nonsense\r\n\r\n", "no good"),
    (plain(b"{}", JSON + b"Content-Encoding: gzip\r\n"), "no good"),
    (plain(b"{}", b"".join(b"X-%d: y\r\n" % i for i in range(10000))), "no good"),
    (lambda: drip(b"x", 0.01), "timed out")])
def test_what_is_sent_gets_no_looser_answer(server, answer, kind):
    got = fetch("-t", "300", "-s", "{}", server.put(answer))
    assert got[0].startswith("failed: ") and got[1:] == [kind]


def test_a_redirect_of_what_is_sent_is_an_answer(server):
    away = JSON + b"Location: http://127.0.0.1:1/\r\n"
    got = fetch("-s", "{}", server.put(plain(b"", away, b"302 Found")))
    assert got[0].startswith("status 302") and "header Location: http://127.0.0.1:1/" in got
    assert len(server.requests) == 1


def test_nobody_to_send_to():
    port, = harness.free_ports(1)
    assert fetch("-s", "{}", f"http://127.0.0.1:{port}/")[1:] == ["unreached"]


def test_an_authority_is_trusted_for_one_call(tmp_path):
    harness.make_certificate(tmp_path / "server.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.pem")
    secure = Server(tls)
    secure.put(plain(b"{}"))
    url = f"https://localhost:{secure.port}/jwks"
    assert fetch("-a", str(tmp_path / "server.pem"), url)[0].startswith("status 200")
    assert fetch("-s", "{}", url)[1:] == ["unreached"]
    secure.close()
