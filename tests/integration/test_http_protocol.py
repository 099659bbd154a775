# SPDX-License-Identifier: Apache-2.0
"""What the transport `http` makes of bytes, over unix and TCP sockets.

Which bytes are taken and which are not is in tests/unit/test_http_stream.c; here
is what becomes of the connection. After each case the process is alive and
another client is answered."""

import random
import re
import signal
import socket
import threading

import pytest

from echo import Echo, until
from http_bytes import Closed, encode

ASK = encode()
PLAIN = b"REQUEST_METHOD=GET\nREQUEST_URI=/\nHTTP_HOST=h\nSERVER_PROTOCOL=HTTP/1.1\n"


@pytest.fixture(scope="module", params=["unix", "tcp"])
def server(request):
    """As auth-verify: never reads a body."""
    with Echo(family=request.param, http=True) as running:
        yield running


@pytest.fixture(scope="module", params=["unix", "tcp"])
def responder(request):
    """As auth-login-proxy: reads bodies of up to 1000 bytes."""
    with Echo(family=request.param, http=True, reads_body=1000) as running:
        yield running


def seen(answer):
    """The parameters, without the peer's address."""
    return re.sub(rb"REMOTE_ADDR=127.0.0.1\n", b"", answer.body.partition(b"\n\n")[0] + b"\n")


# --- answered ------------------------------------------------------------------

def test_answered(server):
    with server.connect() as connection:
        for _ in range(3):
            answer = connection.request()
            assert (answer.status, seen(answer)) == (200, PLAIN)
            assert answer.header("Connection") is None and answer.header("X-Body") == "0"
    server.check()


def test_peer_address(server):
    body = server.ask(headers=["Remote-Addr: 6.6.6.6"]).body
    assert body.count(b"REMOTE_ADDR=") == 1 + (b"127.0.0.1" in body)
    assert (b"\nREMOTE_ADDR=127.0.0.1\n" in body) == server.address.startswith("tcp:")


def test_head(server):
    with server.connect() as connection:
        answer = connection.request(method="HEAD")
        assert answer.status == 200 and int(answer.header("Content-Length")) > 0
        assert connection.request().status == 200


def test_headers(server):
    sent = ["X-Original-URI: /a", "X_Original_URI: /b", "X.Original.URI: /c", "Content-Type: t", "Cookie: a=1",
            "Cookie: b=2", "Empty:", "Upgrade: websocket", "Connection: upgrade", "Proxy: http://evil.example"]
    assert seen(server.ask(headers=sent)) == PLAIN.replace(b"SERVER", (
        b"HTTP_X_ORIGINAL_URI=/a\nCONTENT_TYPE=t\nHTTP_COOKIE=a=1\nHTTP_COOKIE=b=2\nHTTP_EMPTY=\n"
        b"HTTP_UPGRADE=websocket\nHTTP_CONNECTION=upgrade\nHTTP_PROXY=http://evil.example\nSERVER"))


def test_version_1_0(server):
    with server.connect() as connection:
        answer = connection.request(version="1.0", headers=["Connection: keep-alive"])
        assert answer.status == 200 and answer.header("Connection") == "keep-alive"
        answer = connection.request(version="1.0")
        assert answer.status == 200 and answer.header("Connection") == "close"
        assert connection.closed()


def test_connection_close(server):
    with server.connect() as connection:
        assert connection.request(headers=["Connection: close"]).header("Connection") == "close"
        assert connection.closed()


def test_bytes_one_at_a_time(responder):
    with responder.connect() as connection:
        for byte in encode(method="POST", body=b"body"):
            connection.send(bytes([byte]))
        assert connection.answer().body.endswith(b"\n\nbody")
    responder.check()


def test_split_anywhere(responder):
    """The same answers wherever the bytes are cut: whole requests, a chunked one, then a wrong one."""
    data = (encode(method="POST", body=b"body") +
            encode(method="POST", headers=["Transfer-Encoding: chunked"]) + b"3\r\nabc\r\n0\r\n\r\n" + ASK +
            b"GET / HTTP/1.1\r\nA : b\r\n\r\n")

    def answers(cut):
        with responder.connect() as connection:
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) if \
                responder.address.startswith("tcp:") else None
            connection.send(data[:cut])
            if cut >= len(encode(method="POST", body=b"body")):
                first = [connection.answer()]
            else:
                first = []
            connection.send(data[cut:])
            rest = [connection.answer() for _ in range(4 - len(first))]
            assert connection.closed()
            return [(answer.status, answer.body) for answer in first + rest]

    whole = answers(0)
    assert [status for status, _ in whole] == [200, 200, 200, 400]
    for cut in range(1, len(data)):
        assert answers(cut) == whole, cut


def test_pipelining(server):
    """Answered in the order of the requests."""
    with server.connect() as connection:
        connection.send(b"".join(encode(f"/{i}", method="POST" if i % 3 else "GET", body=b"x" * i if i % 3 else None)
                                 for i in range(100)))
        for i in range(100):
            assert b"REQUEST_URI=/%d\n" % i in connection.answer().body
    server.check()


def test_reply_of_every_size(server):
    for size in 200, 8192, 65535, 65536:
        answer = server.ask(headers=[f"Reply-Size: {size}"])
        # The reply has its status as a header, and the length is added.
        assert len(answer.body) + len("Status: 200 OK") + sum(
            len(f"\r\n{name}: {value}") for name, value in answer.headers if name != "Content-Length") + 4 == size


# --- refused --------------------------------------------------------------------

REFUSED = {
    "bare LF": b"GET / HTTP/1.1\nHost: h\n\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": encode(headers=["Host: h"]),
    "absolute-form": encode("http://h/"),
    "asterisk-form": encode("*", method="OPTIONS"),
    "authority-form": encode("h:443", method="CONNECT"),
    "unknown method": encode(method="BREW"),
    "folded header": encode(headers=["A: b", " c"]),
    "blank before the colon": encode(headers=["A : b"]),
    "NUL": encode(headers=["A: b\0c"]),
    "bare CR": encode(headers=["A: b\rB: c"]),
    "two lengths": encode(headers=["Content-Length: 0", "Content-Length: 0"]),
    "length and chunks": encode(headers=["Transfer-Encoding: chunked", "Content-Length: 4"]) + b"0\r\n\r\n",
    "other coding": encode(headers=["Transfer-Encoding: xchunked"]),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(100),
    "FastCGI": b"\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0",
    "257 parameters": encode(headers=["A: b"] * 254),
    "more than 64 KiB": encode(headers=["A: " + "b" * 66000]),
    "without end": b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20000,
    "expectation": encode(headers=["Expect: miracles"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(server, case):
    """400, and nothing that follows is read as a request."""
    with server.connect() as connection:
        try:
            connection.send(REFUSED[case] + ASK)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = connection.answer()
        assert answer.status == 400 and answer.header("Connection") == "close"
        assert connection.closed()
    server.check()


@pytest.mark.parametrize("sent", [ASK[:1], ASK[:-1], b""])
def test_end_of_file(server, sent):
    """What is not complete is never handled."""
    with server.connect() as connection:
        connection.send(sent)
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.closed()
    server.check()


@pytest.mark.parametrize("header", ["Reply-Nothing: 1", "Reply-Break: 1"])
def test_no_reply(server, header):
    with server.connect() as connection:
        with pytest.raises(Closed, match="b''"):
            connection.request(headers=[header])
    server.check()


# --- bodies ---------------------------------------------------------------------

def test_body(responder):
    with responder.connect() as connection:
        for body in b"", b"x", b"y" * 1000:
            answer = connection.request(method="POST", body=body)
            assert answer.status == 200 and answer.body.endswith(b"\n\n" + body)
    responder.check()


def test_chunked_body(responder):
    with responder.connect() as connection:
        connection.send(encode(method="POST", headers=["Transfer-Encoding: chunked"]) +
                        b"".join(b"1\r\nz\r\n" for _ in range(1000)) + b"0\r\n\r\n" + ASK)
        assert connection.answer().body.endswith(b"\n\n" + b"z" * 1000)
        assert seen(connection.answer()) == PLAIN


@pytest.mark.parametrize("headers,body", [
    (["Content-Length: 1001"], b""), (["Content-Length: -4"], b"body"), (["Content-Length: 0x4"], b"body"),
    (["Transfer-Encoding: chunked"], b"3e9\r\n"), (["Transfer-Encoding: chunked"], b"1;a\r\nb\r\n0\r\n\r\n"),
    (["Transfer-Encoding: chunked"], b"1\r\nb\r\n0\r\nA: b\r\n\r\n"), (["Transfer-Encoding: chunked"], b"1\nb\n0\n\n")])
def test_body_refused(responder, headers, body):
    with responder.connect() as connection:
        connection.send(encode(method="POST", headers=headers) + body)
        assert connection.answer().status == 400
        assert connection.closed()
    responder.check()


def test_continue(responder):
    with responder.connect() as connection:
        connection.send(encode(method="POST", headers=["Expect: 100-continue", "Content-Length: 4"]))
        assert connection.answer().status == 100
        connection.send(b"body")
        assert connection.answer().body.endswith(b"\n\nbody")
        assert connection.request().status == 200


def test_body_that_nobody_reads(server):
    """The answer does not wait for it, and the connection is kept where it is certain to come."""
    with server.connect() as connection:
        connection.send(encode(method="POST", headers=["Content-Length: 300000"]))
        assert connection.answer().status == 200
        connection.send(ASK * (300000 // len(ASK)) + b"x" * (300000 % len(ASK)))
        assert seen(connection.request()) == PLAIN
        connection.send(encode(method="POST", headers=["Transfer-Encoding: chunked"]) + b"4\r\nbody\r\n")
        assert connection.answer().status == 200
        connection.send(b"0\r\n\r\n" + ASK)
        assert seen(connection.answer()) == PLAIN
        connection.send(encode(method="POST", headers=["Expect: 100-continue", "Content-Length: 4"]))
        answer = connection.answer()
        assert answer.status == 200 and answer.header("Connection") == "close"
        assert connection.closed()
    server.check()


def test_answer_is_not_lost_by_a_long_body(responder):
    """Who writes on is told what is wrong all the same."""
    with responder.connect() as connection:
        connection.send(encode(method="POST", headers=["Content-Length: 2000000"]))
        try:
            connection.send(b"x" * 2000000)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert connection.answer().status == 400


# --- slow peers -----------------------------------------------------------------

def test_deadlines(server):
    """Silence is ended, wherever it begins; the bytes of one are dripping meanwhile."""
    begun = [b"", ASK[:1], ASK[:-1]]
    connections = [server.connect() for _ in begun]
    for connection, sent in zip(connections, begun):
        connection.send(sent)
    with server.connect() as dripping:
        ended = threading.Event()

        def drip():
            try:
                dripping.send(ASK[:-2])
                while not ended.wait(0.05):
                    dripping.send(b"A: b\r\n")
            except (BrokenPipeError, ConnectionResetError):
                pass

        thread = threading.Thread(target=drip)
        thread.start()
        server.check()
        for connection in connections:
            assert connection.closed()
            connection.close()
        assert dripping.closed()
        ended.set()
        thread.join()
    server.check()


def test_idle_and_slow_peers_hold_nobody_up():
    with Echo(http=True, threads=2) as server:
        idle, half, deaf = ([server.connect() for _ in range(100)] for _ in range(3))
        try:
            for connection in idle:
                assert connection.request().status == 200
            for connection in half:
                connection.send(ASK[:20])
            for connection in deaf:
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.socket.settimeout(0)
                try:
                    connection.send(encode(headers=["Reply-Size: 65536"]) * 100)
                except BlockingIOError:
                    pass
            for _ in range(200):
                assert server.ask(timeout=2).status == 200
            for connection in idle:
                assert connection.request().status == 200
            for connection in half:
                assert connection.closed()
            assert until(lambda: "does not read the answer" in server.log(), 20)
            server.check()
        finally:
            for connection in idle + half + deaf:
                connection.close()


def test_memory():
    with Echo(http=True) as server:
        connections = [server.connect() for _ in range(1000)]
        for connection in connections:
            assert connection.request(headers=["Cookie: " + "c" * 1000]).status == 200
        assert server.is_sanitized() or server.memory() <= 16 << 20
        for connection in connections:
            connection.close()


# --- the end ----------------------------------------------------------------------

def test_drain(tmp_path):
    """Idle connections end, begun requests are answered with the word that it was the last one."""
    with Echo(http=True) as server, server.connect() as idle, server.connect() as busy, server.connect() as begun:
        assert idle.request().status == 200
        busy.send(encode(headers=[f"Wait-For: {tmp_path}/go"]))
        begun.send(ASK[:-1])
        assert server.ask().status == 200
        server.process.send_signal(signal.SIGTERM)
        assert idle.closed()
        begun.send(ASK[-1:])
        answer = begun.answer()
        assert answer.status == 200 and answer.header("Connection") == "close"
        assert begun.closed()
        (tmp_path / "go").touch()
        answer = busy.answer()
        assert answer.status == 200 and answer.header("Connection") == "close"
        assert busy.closed()
        assert server.process.wait(10) == 0


def test_drain_under_load():
    """Whoever could send a request gets its answer, or the end of the stream before the first byte of it."""
    with Echo(http=True) as server:
        failures, answered = [], []

        def run():
            try:
                with server.connect(20) as connection:
                    while True:
                        try:
                            connection.send(ASK)
                        except (BrokenPipeError, ConnectionResetError):
                            return
                        answer = connection.answer()
                        answered.append(answer.status)
                        if answer.header("Connection") == "close":
                            return
            except Exception as failure:
                failures.append(repr(failure))

        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        assert until(lambda: failures or len(answered) > 500)
        assert server.stop() == 0
        for thread in threads:
            thread.join()
        assert failures == [] and set(answered) == {200}


# --- hostile peers ------------------------------------------------------------------

def test_mutations():
    """Random bytes in valid and invalid requests: alive, memory flat, and each answer is whole."""
    seeds = [ASK, encode(method="POST", body=b"x" * 50), ASK * 3,
             encode(method="POST", headers=["Transfer-Encoding: chunked"]) + b"5\r\nabcde\r\n0\r\n\r\n" + ASK,
             encode(headers=["Cookie: a=b", "X-Original-URI: /x?y=z", "Authorization: Bearer x"]), *REFUSED.values()]
    seeds = [seed for seed in seeds if len(seed) < 2000]
    generator = random.Random(5)
    with Echo(http=True, reads_body=1000) as server:
        server.check()
        before = server.memory()
        for _ in range(10000):
            data = b""
            for _ in range(10):
                seed = bytearray(generator.choice(seeds))
                for _ in range(generator.randint(1, 4)):
                    seed[generator.randrange(len(seed))] = generator.choice(b"\0\t\n\r :,;/0159aHTtc\x7f\x80\xff")
                data += seed
            # Ten mutated requests on one connection: the first wrong one ends it.
            with server.connect() as connection:
                try:
                    connection.send(data)
                    connection.socket.shutdown(socket.SHUT_WR)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                try:
                    for _ in range(300):
                        last = connection.answer()
                        assert last.status in (100, 200, 400)
                        assert last.status == 100 or last.header("Connection") in (None, "close", "keep-alive")
                except Closed as closed:
                    assert "b''" in str(closed) or "reset" in str(closed), closed
        server.check()
        assert server.is_sanitized() or server.memory() <= before + (2 << 20)
