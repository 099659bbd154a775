# SPDX-License-Identifier: Apache-2.0
"""What the transport `fastcgi` makes of bytes: each case of the protocol, over unix and TCP sockets.

After each case the process is alive and another client is answered."""

import random
import signal
import socket
import subprocess
import threading

import pytest

import echo
import fastcgi
from echo import Echo, until
from fastcgi import (ABORT_REQUEST, AUTHORIZER, DATA, FILTER, GET_VALUES, PARAMS, RESPONDER, STDIN, Closed, begin,
                     encode, pair, record, stream)

AB = pair("A", "B")
ASK = begin(AUTHORIZER, keep=True)
PARAMS_AB = record(PARAMS, AB) + record(PARAMS)


@pytest.fixture(scope="module", params=["unix", "tcp"])
def server(request):
    """As auth-verify: never reads a body."""
    with Echo(family=request.param) as running:
        yield running


@pytest.fixture(scope="module", params=["unix", "tcp"])
def responder(request):
    """As auth-login-proxy: reads bodies of up to 1000 bytes."""
    with Echo(family=request.param, reads_body=1000) as running:
        yield running


# --- answered ------------------------------------------------------------------

ANSWERED = {
    "responder, PARAMS in one record": begin(RESPONDER, True) + PARAMS_AB + record(STDIN),
    "PARAMS in many records, any padding":
        ASK + b"".join(record(PARAMS, AB[i:i + 1], padding=i * 85) for i in range(len(AB))) + record(PARAMS, padding=9),
    "four-byte lengths": ASK + record(PARAMS, pair("A", "B", long=True)) + record(PARAMS),
    "authorizer without STDIN": ASK + PARAMS_AB,
    "authorizer with an empty STDIN": ASK + PARAMS_AB + record(STDIN),
    "responder without STDIN": begin(RESPONDER, True) + PARAMS_AB,
    "responder with a body that nobody reads": begin(RESPONDER, True) + PARAMS_AB + stream(STDIN, b"x" * 100000),
    "flags that mean nothing": record(fastcgi.BEGIN_REQUEST, b"\0\2\xff\1\2\3\4\5") + PARAMS_AB,
    "the largest request id": begin(AUTHORIZER, True, id=65535) + stream(PARAMS, AB, id=65535),
    "management between": ASK + record(PARAMS, AB) + record(GET_VALUES, pair("FCGI_MAX_CONNS", ""), id=0) +
        record(PARAMS),
}


@pytest.mark.parametrize("case", ANSWERED)
def test_answered(server, case):
    with server.connect() as connection:
        connection.send(ANSWERED[case])
        if "management" in case:
            assert connection.read_record()[:2] == (fastcgi.GET_VALUES_RESULT, 0)
        answer = connection.answer(65535 if "largest" in case else 1)
        assert (answer.status, answer.body) == (200, b"A=B\n\n")
        assert (answer.app_status, answer.protocol_status, answer.stderr) == (0, fastcgi.REQUEST_COMPLETE, b"")
        # The connection is kept.
        assert connection.request({"A": "C"}).body == b"A=C\n\n"
    server.check()


def test_longest_record(server):
    pairs = pair("REPLY_SIZE", "100")
    pairs += pair("N", "v" * (65535 - len(pairs) - 6))
    assert len(pairs) == 65535
    with server.connect() as connection:
        connection.send(ASK + record(PARAMS, pairs, padding=255) + record(PARAMS))
        assert len(connection.answer().raw) == 100
    server.check()


def test_bytes_one_at_a_time(server):
    with server.connect() as connection:
        for byte in encode({"A": "B"}, role=RESPONDER, keep=True):
            connection.send(bytes([byte]))
        assert connection.answer().body == b"A=B\n\n"
    server.check()


def test_many_requests_at_once(server):
    with server.connect() as connection:
        connection.send(b"".join(encode({"N": i}, keep=True, role=RESPONDER if i % 2 else AUTHORIZER)
                                 for i in range(100)))
        for i in range(100):
            assert connection.answer().body == b"N=%d\n\n" % i
    server.check()


def test_not_kept_is_closed_at_once(server):
    for role in AUTHORIZER, RESPONDER:
        for stdin in b"", None:
            with server.connect() as connection:
                assert connection.request({"A": "B"}, stdin=stdin, role=role, keep=False).status == 200
                assert connection.closed()


def test_stdin_after_the_answer(server):
    """A server that writes STDIN only after it was answered gets no error that hides the answer."""
    with server.connect() as connection:
        connection.send(begin(RESPONDER) + PARAMS_AB)
        assert connection.answer().status == 200
        connection.send(stream(STDIN, b"x" * 10000))
        assert connection.closed()


def test_reply_of_every_size(server):
    for size in 100, 8192, 65527, 65528, 65529, 65535, 65536:
        assert len(server.ask({"REPLY_SIZE": size}).raw) == size


def test_late_records_are_skipped(server):
    with server.connect() as connection:
        connection.send(ASK + PARAMS_AB)
        assert connection.answer().status == 200
        connection.send(record(STDIN, b"late") + record(DATA, b"late") + record(ABORT_REQUEST) + record(STDIN))
        connection.send(begin(AUTHORIZER, True, id=2) + record(STDIN, b"late") + stream(PARAMS, AB, id=2))
        assert connection.answer(2).status == 200
    server.check()


def test_abort_while_the_handler_runs(server, tmp_path):
    with server.connect() as connection:
        connection.send(encode({"WAIT_FOR": tmp_path / "go"}, keep=True))
        connection.send(record(ABORT_REQUEST))
        (tmp_path / "go").touch()
        assert connection.answer().status == 200
        assert connection.request({"A": "B"}).status == 200


def test_management(server):
    with server.connect() as connection:
        connection.send(record(GET_VALUES, pair("FCGI_MPXS_CONNS", ""), id=0) + record(77, b"abc", id=0, padding=5))
        assert connection.read_record() == (fastcgi.GET_VALUES_RESULT, 0, fastcgi.pairs(
            {"FCGI_MAX_CONNS": 1024, "FCGI_MAX_REQS": 1024, "FCGI_MPXS_CONNS": 0}))
        assert connection.read_record() == (fastcgi.UNKNOWN_TYPE, 0, b"\x4d" + bytes(7))
        assert connection.request({"A": "B"}).status == 200


def test_names_and_values(server):
    answer = server.ask([("HTTP_COOKIE", "a=1"), ("HTTP_COOKIE", "b=2"), ("a", "lower"), ("A", "upper"), ("E", "")])
    assert answer.body == b"HTTP_COOKIE=a=1\nHTTP_COOKIE=b=2\na=lower\nA=upper\nE=\n\n"
    assert server.ask({"N" * 255: b"\x01\xff\n"}).body == b"N" * 255 + b"=\x01\xff\n\n\n"
    assert server.ask([("N", i) for i in range(256)]).status == 200


# --- refused --------------------------------------------------------------------

REFUSED = {
    "no parameters": ASK + record(PARAMS),
    "257 parameters": ASK + stream(PARAMS, AB * 257),
    "20000 parameters in 20000 records": ASK + record(PARAMS, AB) * 20000 + record(PARAMS),
    "more than 64 KiB": ASK + stream(PARAMS, pair("N", "v" * 70000)),
    "name of 256 bytes": ASK + stream(PARAMS, pair("N" * 256, "v")),
    "empty name": ASK + stream(PARAMS, pair("", "v")),
    "= in a name": ASK + stream(PARAMS, pair("HTTP_X=evil", "v")),
    "NUL in a name": ASK + stream(PARAMS, pair("A\0", "v")),
    "NUL in a value": ASK + stream(PARAMS, pair("A", "v\0w")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(server, case):
    with server.connect() as connection:
        connection.send(REFUSED[case])
        assert connection.answer().status == 400
        assert connection.closed()
    server.check()


# --- closed ---------------------------------------------------------------------

CLOSED = {
    "filter": encode({"A": "B"}, b"in", FILTER) + record(DATA, b"data") + record(DATA),
    "unknown role": encode({"A": "B"}, role=9),
    "BEGIN_REQUEST of 7 bytes": record(fastcgi.BEGIN_REQUEST, b"\0\2\1\0\0\0\0") + PARAMS_AB,
    "request id 0": begin(id=0) + PARAMS_AB,
    "version 0": record(fastcgi.BEGIN_REQUEST, b"\0\2\1\0\0\0\0\0", version=0) + PARAMS_AB,
    "version 2": record(fastcgi.BEGIN_REQUEST, b"\0\2\1\0\0\0\0\0", version=2) + PARAMS_AB,
    "lengths beyond the stream, one byte": ASK + stream(PARAMS, b"\x05\x05abc"),
    "lengths beyond the stream, four bytes": ASK + stream(PARAMS, b"\xff\xff\xff\xf0\x10" + b"x" * 100),
    "both lengths 0x7fffffff": ASK + stream(PARAMS, b"\xff" * 8 + b"x" * 100),
    "name of 1 GiB": ASK + stream(PARAMS, b"\xc0\0\0\0\x10" + b"x" * 100),
    "end within a pair": ASK + stream(PARAMS, AB + AB[:3]),
    "STDIN within PARAMS": ASK + record(PARAMS, AB) + record(STDIN),
    "ABORT_REQUEST within PARAMS": ASK + record(PARAMS, AB) + record(ABORT_REQUEST),
    "ABORT_REQUEST after BEGIN_REQUEST": ASK + record(ABORT_REQUEST),
    "two BEGIN_REQUESTs": ASK + record(PARAMS, AB) + ASK,
    "multiplexing": ASK + record(PARAMS, AB) + begin(AUTHORIZER, True, id=2),
    "PARAMS of another request": ASK + record(PARAMS, AB) + record(PARAMS, AB, id=2),
    "STDIN of a request that never was": record(STDIN, b"x"),
    "unknown application type": ASK + record(200, b"x"),
    "an answer's records": ASK + record(fastcgi.STDOUT, b"Status: 200 OK\r\n\r\n"),
    "GET_VALUES over the limit": record(GET_VALUES, pair("N", "v" * 1100), id=0),
    "GET_VALUES that is no pairs": record(GET_VALUES, b"\x7f\x7f", id=0),
    "no FastCGI": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "parameters without end": ASK + record(PARAMS, b"x" * 65535) * 17,
    "a handler without reply": encode({"REPLY_NOTHING": "1"}),
    "a handler without Status": encode({"REPLY_BREAK": "1"}),
}


@pytest.mark.parametrize("case", CLOSED)
def test_closed(server, case):
    """Without a byte, and above all without END_REQUEST."""
    with server.connect() as connection:
        try:
            connection.send(CLOSED[case])
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert connection.closed()
    server.check()


@pytest.mark.parametrize("sent", [ASK[:7], ASK, ASK + record(PARAMS, AB), (ASK + PARAMS_AB)[:-1], b""])
def test_end_of_file(server, sent):
    """What is not complete is never handled."""
    with server.connect() as connection:
        connection.send(sent)
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.closed()
    server.check()


# --- bodies ---------------------------------------------------------------------

def test_body(responder):
    for stdin in b"", b"x", b"y" * 1000:
        answer = responder.ask({"CONTENT_LENGTH": len(stdin)}, stdin=stdin, role=RESPONDER)
        assert answer.status == 200 and answer.body.endswith(b"\n\n" + stdin)
    with responder.connect() as connection:
        connection.send(begin(RESPONDER) + PARAMS_AB + stream(STDIN, b"z" * 500, size=1, padding=3))
        assert connection.answer().body == b"A=B\n\n" + b"z" * 500


@pytest.mark.parametrize("told,stdin", [("3", b"body"), ("5", b"body"), ("x", b"body"), ("-4", b"body"),
                                        ("1001", None), ("99999999999999999999", None), ("", b"x" * 1001)])
def test_body_refused(responder, told, stdin):
    assert responder.ask({"CONTENT_LENGTH": told}, stdin=stdin, role=RESPONDER).status == 400
    assert responder.ask().status == 400  # an authorizer is not what this program is


def test_responder_out_of_order(responder):
    for more in record(PARAMS, AB), record(ABORT_REQUEST), record(DATA, b"x"), record(STDIN, id=2), begin(RESPONDER):
        with responder.connect() as connection:
            connection.send(begin(RESPONDER) + PARAMS_AB + record(STDIN, b"x") + more)
            assert connection.closed()


# --- slow peers -----------------------------------------------------------------

def test_deadlines(server):
    """Silence is ended, wherever it begins; the bytes of one are dripping meanwhile."""
    begun = [b"", ASK[:7], ASK, ASK + record(PARAMS, AB)[:9], ASK + record(PARAMS, AB), record(GET_VALUES, id=0)]
    connections = [server.connect() for _ in begun]
    for connection, sent in zip(connections, begun):
        connection.send(sent)
    with server.connect() as dripping:
        ended = threading.Event()

        def drip():
            try:
                dripping.send(ASK)
                while not ended.wait(0.05):
                    dripping.send(record(PARAMS, AB))
            except (BrokenPipeError, ConnectionResetError):
                pass

        thread = threading.Thread(target=drip)
        thread.start()
        server.check()
        for connection, sent in zip(connections, begun):
            if sent[1:2] == bytes([GET_VALUES]):
                assert connection.read_record()[0] == fastcgi.GET_VALUES_RESULT
            assert connection.closed()
            connection.close()
        assert dripping.closed()
        ended.set()
        thread.join()
    server.check()


# --- hostile peers ----------------------------------------------------------------

def hostile_requests():
    """The twenty requests that every FastCGI program should survive."""
    def ask(pairs, role=RESPONDER):
        return begin(role) + stream(PARAMS, pairs) + record(STDIN)
    return [
        ask(AB), begin(AUTHORIZER) + PARAMS_AB, CLOSED["filter"], CLOSED["unknown role"],
        ask(b"\xff\xff\xff\xf0\x10" + b"x" * 100), ask(b"\xff" * 8 + b"x" * 100), ask(b"\xc0\0\0\0\x10" + b"x" * 100),
        CLOSED["request id 0"], begin(RESPONDER) + record(PARAMS, AB) + record(PARAMS, AB, id=2) + record(PARAMS),
        CLOSED["version 0"], record(GET_VALUES, pair("FCGI_MAX_CONNS", ""), id=0), record(200, b"x"),
        ask(b""), begin(RESPONDER) + record(ABORT_REQUEST), begin(RESPONDER)[:5],
        ask(pair("HTTP_X_USER", "evil") + pair("HTTP_X_USER", "good")), ask(pair("A", "v\0w")),
        ask(pair("HTTP_X=evil", "v")), ask(pair("", "v")),
        begin(RESPONDER) + record(PARAMS, AB) * 20000 + record(PARAMS) + record(STDIN),
    ]


def send_and_read(server, data):
    """Everything that comes back until the server closes."""
    with server.connect() as connection:
        try:
            connection.send(data)
            connection.socket.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        got = b""
        try:
            while more := connection.socket.recv(65536):
                got += more
        except ConnectionResetError:
            pass
        return got


@pytest.mark.parametrize("number", range(20))
def test_hostile_request(number):
    with Echo() as server:
        send_and_read(server, hostile_requests()[number])
        server.check()


def answers_in(data):
    """Take the records apart: an END_REQUEST comes only after a reply with Status."""
    stdout = b""
    while data:
        size = int.from_bytes(data[4:6], "big")
        assert data[0] == 1 and len(data) >= 8 + size + data[6]
        if data[1] == fastcgi.STDOUT:
            stdout += data[8:8 + size]
        elif data[1] == fastcgi.END_REQUEST:
            assert stdout.startswith(b"Status: ") and data[8:8 + size] == bytes(8)
            stdout = b""
        else:
            assert data[1] in (fastcgi.GET_VALUES_RESULT, fastcgi.UNKNOWN_TYPE)
        data = data[8 + size + data[6]:]
    assert stdout == b""


def test_mutations():
    """Random bytes in valid and invalid requests: alive, memory flat."""
    source = random.Random(20240917)
    originals = [hostile_requests()[i - 1] for i in (1, 2, 3, 16, 17, 18, 19)]
    with Echo(threads=2) as server:
        def round_of(n):
            for _ in range(n):
                data = bytearray(source.choice(originals))
                for _ in range(source.randint(1, 4)):
                    data[source.randrange(len(data))] = source.randrange(256)
                answers_in(send_and_read(server, bytes(data)))
        round_of(2000)
        before = server.memory()
        round_of(20000)
        server.check()
        assert server.is_sanitized() or server.memory() - before < 1 << 20


# --- the other transport: what well-formed peers ask ----------------------------------

def test_libfcgi():
    with Echo(transport="libfcgi") as server:
        for role in AUTHORIZER, RESPONDER:
            assert server.ask(role=role).body == b"A=B\n\n"
        assert server.ask(stdin=None).body == b"A=B\n\n"
        assert len(server.ask({"REPLY_SIZE": 65536}).raw) == 65536
        assert server.ask([("N", i) for i in range(257)]).status == 400
        with server.connect() as connection:
            for i in range(20):
                assert connection.request({"N": i}).body == b"N=%d\n\n" % i
        answer = server.ask([("HTTP_COOKIE", "a=1"), ("HTTP_COOKIE", "b=2")])
        assert answer.body == b"HTTP_COOKIE=a=1\nHTTP_COOKIE=b=2\n\n"


def test_libfcgi_gives_no_empty_answer():
    with Echo(transport="libfcgi") as server:
        for name in "REPLY_NOTHING", "REPLY_BREAK":
            with pytest.raises(Closed, match="after 0 of 8"):
                server.ask({name: "1"})
        assert server.ask().status == 200


def test_libfcgi_bodies():
    with Echo(transport="libfcgi", reads_body=1000) as server:
        answer = server.ask({"CONTENT_LENGTH": 4}, stdin=b"body", role=RESPONDER)
        assert answer.body == b"CONTENT_LENGTH=4\n\nbody"
        assert server.ask({"CONTENT_LENGTH": 1001}, stdin=b"x" * 1001, role=RESPONDER).status == 400
        assert server.ask().status == 400


def test_libfcgi_drains(tmp_path):
    with Echo(transport="libfcgi", threads=4) as server:
        with server.connect() as kept, server.connect() as busy:
            for connection in kept, busy:
                assert connection.request({"A": "B"}).status == 200
            busy.send(encode({"WAIT_FOR": tmp_path / "go"}))
            server.process.send_signal(signal.SIGTERM)
            assert kept.closed()
            (tmp_path / "go").touch()
            assert busy.answer().status == 200
        assert until(lambda: server.process.poll() is not None)


def test_libfcgi_wants_a_unix_socket():
    result = subprocess.run([echo.PROGRAM, "--transport", "libfcgi", "--listen", echo.free_address()],
                            capture_output=True, text=True, timeout=10)
    assert result.returncode == 1 and "needs a unix socket" in result.stderr
