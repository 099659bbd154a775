# SPDX-License-Identifier: Apache-2.0
"""mod_auth_request with an authorizer that fails: whatever it does, and does not do, denies, in bounded time. And
what its connections do: they are kept, bounded, seen to be dead, and another authorizer stands in."""

import os
import signal
import socket
import threading
import time

import pytest

import apache
import fastcgi
import harness
from authorizer import PROOF, Authorizer, alice, allow

TIMEOUT = 1.0

CONF = """
AuthRequestBackend main fcgi:unix:{folder}/a.sock timeout=1s
AuthRequestBackend pair fcgi:unix:{folder}/a.sock timeout=1s
AuthRequestBackend pair fcgi:unix:{folder}/b.sock timeout=1s
AuthRequestBackend few fcgi:unix:{folder}/a.sock pool=2 connect=300ms timeout=2s
AuthRequestBackend none fcgi:unix:{folder}/a.sock pool=0
AuthRequestBackend deaf fcgi:unix:{folder}/deaf.sock connect=300ms timeout=1s
AuthRequestBackend tcp fcgi://127.0.0.1:{free} connect=300ms timeout=1s
AuthRequestBackend free fcgi:unix:{folder}/a.sock proof=none
AuthRequestBackend sub /_fcgi
{locations}
<Location /_fcgi>
  ProxyPass unix:{folder}/a.sock|fcgi://localhost/ enablereuse=off timeout=1
</Location>
"""
BACKENDS = ("main", "pair", "few", "none", "deaf", "tcp", "free", "sub")


@pytest.fixture(scope="module", params=["event", "prefork"])
def server(request):
    folder = harness.RUN / f"failures-{request.param}"
    folder.mkdir()
    port, free = harness.free_ports(2)
    locations = "\n".join(f"<Location /{name}>\nAuthRequest backend:{name}\n</Location>" for name in BACKENDS)
    conf = CONF.format(folder=folder, free=free, locations=locations)
    made = apache.Apache(folder, port, ("proxy", "proxy_fcgi"), conf, request.param)
    for name in BACKENDS:
        (made.htdocs / name).mkdir()
        (made.htdocs / name / "page.txt").write_text("secret\n")
    with made:
        yield made


@pytest.fixture
def authorizer(server):
    made = Authorizer(server.folder / "a.sock")
    made.raw = None
    with made:
        yield made




def timed(server, target, method="GET"):
    start = time.monotonic()
    answer = server.request(target, method=method)
    return answer, time.monotonic() - start


END = fastcgi.record(fastcgi.END_REQUEST, b"\0" * 8)
HEAD = allow("Variable-REMOTE_USER: alice")


def out(text):
    return fastcgi.stream(fastcgi.STDOUT, text)


#: name: (what is sent before the connection closes, status by FastCGI)
BROKEN = {
    "nothing": (b"", 503),
    "half a record": (out(HEAD)[:20], 502),
    "no end of the request": (out(HEAD), 502),
    "half an end of the request": (out(HEAD) + END[:12], 502),
    "no FastCGI": (b"HTTP/1.1 200 OK\r\nVariable-AUTH_REQUEST_ID: 1\r\n\r\n", 502),
    "another version": (fastcgi.record(fastcgi.STDOUT, HEAD, version=2) + END, 502),
    "another request": (fastcgi.record(fastcgi.STDOUT, HEAD, id=2) + END, 502),
    "an unknown record": (fastcgi.record(99, HEAD) + END, 502),
    "an end alone": (END, 502),
    "an end with output of no bytes": (out(b"") + END, 502),
    "an empty line": (out(b"\r\n") + END, 502),
    "no empty line": (out(HEAD[:-2]) + END, 502),
    "a line without colon": (out(b"Status: 200 OK\r\nnonsense\r\n" + HEAD) + END, 502),
    "a line without name": (out(b": x\r\n" + HEAD) + END, 502),
    "a folded line": (out(b"Status: 200 OK\r\n folded: x\r\n" + HEAD[15:]) + END, 502),
    "a control byte": (out(HEAD.replace(b"alice", b"a\0b")) + END, 502),
    "no status": (out(HEAD[HEAD.index(b"\n") + 1:]) + END, 502),
    "a status alone": (out(b"Status: 200 OK\r\n\r\n") + END, 502),
    "an empty proof": (out(b"Status: 200 OK\r\nVariable-AUTH_REQUEST_ID:  \r\n\r\n") + END, 502),
    "two statuses": (out(b"Status: 403 No\r\n" + HEAD) + END, 502),
    "a status of words": (out(HEAD.replace(b"200 OK", b"OK")) + END, 502),
    "a status of four digits": (out(HEAD.replace(b"200 OK", b"2000")) + END, 502),
    "a proved 201": (out(HEAD.replace(b"200 OK", b"201 Created")) + END, 502),
    "a proved 204": (out(HEAD.replace(b"200 OK", b"204 None")) + END, 502),
    "a redirect to itself": (out(b"Location: /secret\r\n" + PROOF.encode() + b"\r\n\r\n") + END, 502),
    "a long line": (out(b"X: " + b"x" * 9000 + b"\r\n" + HEAD) + END, 502),
    "a huge answer": (out(HEAD + b"x" * 200_000) + END, 502),
    "an overloaded application": (out(HEAD) + fastcgi.record(fastcgi.END_REQUEST, b"\0\0\0\0\2\0\0\0"), 502),
    "a failed application": (out(HEAD) + fastcgi.record(fastcgi.END_REQUEST, b"\0\0\0\1\0\0\0\0"), 502),
}


#: These carry the proof, and mod_proxy_fcgi takes them for good: nobody behind it can see what was broken.
MENDED_BY_PROXY = {"half an end of the request", "a line without name", "a control byte", "no status", "two statuses",
                   "a huge answer", "an overloaded application", "a failed application"}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("place", ["main", "sub"])
def test_a_broken_answer_denies(server, authorizer, name, place):
    sent, status = BROKEN[name]
    authorizer.raw = lambda connection, _: connection.sendall(sent)
    answer, seconds = timed(server, f"/{place}/page.txt")
    assert seconds < TIMEOUT + 1
    if place == "main" or name not in MENDED_BY_PROXY:
        assert answer.status == status if place == "main" else answer.status >= 400, answer
        assert b"secret" not in answer.body
    authorizer.raw = None
    assert server.request(f"/{place}/page.txt").status == 200, "it has not got over it"


def test_without_proof_where_the_admin_says_so(server, authorizer):
    authorizer.answer = lambda _: b"Status: 200 OK\r\nVariable-REMOTE_USER: alice\r\n\r\n"
    assert server.request("/free/page.txt").status == 200
    authorizer.answer = lambda _: b"\r\n"
    assert server.request("/free/page.txt").status == 502


@pytest.mark.parametrize("place", ["main", "sub"])
def test_a_hanging_authorizer(server, authorizer, place):
    release = threading.Event()
    authorizer.raw = lambda *_: release.wait(20) and False
    answer, seconds = timed(server, f"/{place}/page.txt")
    release.set()
    assert answer.status == 504 and TIMEOUT * 0.9 < seconds < TIMEOUT + 1


def test_a_dripping_authorizer(server, authorizer):
    """Every byte comes in time, the whole does not."""
    stop = threading.Event()

    def drip(connection, _):
        for byte in out(HEAD + b"x" * 1000) + END:
            if stop.wait(0.05):
                break
            connection.sendall(bytes([byte]))

    authorizer.raw = drip
    answer, seconds = timed(server, "/main/page.txt")
    stop.set()
    assert answer.status == 504 and seconds < TIMEOUT + 0.5


@pytest.mark.parametrize("place", ["main", "sub", "tcp", "pair"])
def test_nobody_there(server, place):
    answer, seconds = timed(server, f"/{place}/page.txt")
    assert answer.status == 503 and seconds < 1


def test_nobody_takes_connections(server):
    """A socket whose queue is full, and one where nobody accepts."""
    path = server.folder / "deaf.sock"
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(path))
        os.chmod(path, 0o666)
        deaf.listen(0)
        answer, seconds = timed(server, "/deaf/page.txt")
        assert answer.status == 504 and seconds < 2
        fill = [socket.socket(socket.AF_UNIX) for _ in range(4)]
        for one in fill:
            one.setblocking(False)
            one.connect_ex(str(path))
        answer, seconds = timed(server, "/deaf/page.txt")
        for one in fill:
            one.close()
        assert answer.status == 503 and seconds < 1.5
    path.unlink()


# --- Connections -------------------------------------------------------------

def requests(server, target, n, at_once):
    """n requests, at_once of them together; their statuses."""
    statuses, lock, left = [], threading.Lock(), iter(range(n))

    def work():
        while True:
            with lock:
                if next(left, None) is None:
                    return
            status = server.request(target).status
            with lock:
                statuses.append(status)

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def test_connections_are_kept(server, authorizer):
    assert set(requests(server, "/main/page.txt", 60, 1)) == {200}
    assert authorizer.connections <= 6, "one for each child is enough"
    assert set(requests(server, "/none/page.txt", 10, 1)) == {200}
    assert authorizer.connections >= 10


def test_a_restarted_authorizer(server, authorizer):
    """Its kept connections are dead: seen before they are used, or asked again on a new one."""
    assert set(requests(server, "/main/page.txt", 20, 4)) == {200}
    for _ in range(3):
        authorizer.stop()
        authorizer.start()
        assert set(requests(server, "/main/page.txt", 20, 4)) == {200}


def test_a_kept_connection_that_ends_with_the_question(server, authorizer):
    """Not seen before: the end comes when the question is there. One retry, on a new connection."""
    used = set()

    def once(connection, question):
        if connection in used:
            return False
        used.add(connection)
        connection.sendall(out(alice(question)) + END)
        return True

    authorizer.raw = once
    assert set(requests(server, "/main/page.txt", 40, 2)) == {200}


def test_what_is_left_over_is_not_the_next_answer(server, authorizer):
    """A second answer that nobody asked for is another request's, perhaps."""
    authorizer.raw = lambda connection, question: connection.sendall(
        (out(alice(question)) + END) * (2 if question["REQUEST_URI"].endswith("twice") else 1)) or True
    for _ in range(10):
        assert server.request("/main/page.txt?twice").status == 200
        authorizer.raw, kept = None, authorizer.raw
        authorizer.answer = lambda _: b"Status: 403 No\r\n\r\n"
        assert server.request("/main/page.txt").status == 403
        authorizer.raw, authorizer.answer = kept, alice


def test_a_bounded_number_is_in_use(server, authorizer):
    if server.mpm == "prefork":
        return  # a child asks one question at a time
    lock, now, most, gate = threading.Lock(), 0, 0, threading.Semaphore(0)

    def slow(connection, question):
        nonlocal now, most
        with lock:
            now, most = now + 1, max(most, now + 1)
        gate.acquire(timeout=0.05)  # held, so that others want one as well
        with lock:
            now -= 1
        connection.sendall(out(alice(question)) + END)
        return True

    authorizer.raw = slow
    statuses = requests(server, "/few/page.txt", 40, 16)
    assert most <= 2 * len(server.children()) and set(statuses) <= {200, 503} and statuses.count(200) >= 10


def test_fail_over(server, authorizer):
    with Authorizer(server.folder / "b.sock") as second:
        assert server.request("/pair/page.txt").status == 200 and not second.questions
        authorizer.stop()
        try:
            for _ in range(10):
                assert server.request("/pair/page.txt").status == 200
            assert len(second.questions) == 10
        finally:
            authorizer.start()
        harness.wait_for("the first to be asked again", lambda: server.request("/pair/page.txt").status == 200
                         and len(authorizer.questions) > 1, 15)


def test_fail_over_from_one_that_hangs(server, authorizer):
    release = threading.Event()
    authorizer.raw = lambda *_: release.wait(20) and False
    with Authorizer(server.folder / "b.sock"):
        answer, seconds = timed(server, "/pair/page.txt")
        release.set()
        assert answer.status == 200 and seconds < TIMEOUT + 1


def test_graceful_restart_with_a_request_in_flight(server, authorizer):
    asked, release = threading.Event(), threading.Event()

    def slow(connection, question):
        asked.set()
        release.wait(10)
        connection.sendall(out(b"Status: 403 No\r\nContent-Type: text/plain\r\n\r\nno") + END)
        return True

    authorizer.raw = slow
    answers = []
    thread = threading.Thread(target=lambda: answers.append(server.request("/few/page.txt")))
    thread.start()
    assert asked.wait(5)
    server.process.send_signal(signal.SIGUSR1)
    release.set()
    thread.join()
    assert (answers[0].status, answers[0].text) == (403, "no")
    authorizer.raw = None
    harness.wait_for("the new children", lambda: server.request("/main/page.txt").status == 200)
