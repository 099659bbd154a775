# SPDX-License-Identifier: Apache-2.0
"""The benchmark's load client finds every wrong answer: figures of wrong answers are worth nothing."""

import json
import os
import pathlib
import socket
import subprocess
import threading

import fastcgi
import pytest

BUILD_DIR = pathlib.Path(os.environ.get("BUILD_DIR") or pathlib.Path(__file__).resolve().parents[2] / "build")
HEAD = b"Status: 200 OK\r\nVariable-REMOTE_USER: alice\r\n\r\n"


def stdout(content):
    return fastcgi.record(fastcgi.STDOUT, content)


def end(id=1, app_status=0, protocol_status=0, **how):
    content = app_status.to_bytes(4, "big") + bytes([protocol_status, 0, 0, 0])
    return fastcgi.record(fastcgi.END_REQUEST, content, id, **how)


GOOD = stdout(HEAD) + stdout(b"") + end()
WRONG = {
    "another status": stdout(HEAD.replace(b"200", b"401")) + stdout(b"") + end(),
    "a longer status": stdout(HEAD.replace(b"200", b"2000")) + stdout(b"") + end(),
    "no status": stdout(HEAD.partition(b"\n")[2]) + stdout(b"") + end(),
    "no output": end(),
    "an empty output": stdout(b"") + end(),
    "another user": stdout(HEAD.replace(b"alice", b"bob")) + stdout(b"") + end(),
    "the user in the body": stdout(b"Status: 200 OK\r\n\r\nVariable-REMOTE_USER: alice\r\n\r\n") + stdout(b"") + end(),
    "a head without end": stdout(HEAD[:-2]) + stdout(b"") + end(),
    "STDOUT without end": stdout(HEAD) + end(),
    "STDOUT after its end": stdout(HEAD) + stdout(b"") + stdout(b"x") + end(),
    "STDERR": fastcgi.record(fastcgi.STDERR, b"oops") + GOOD,
    "a record of another type": fastcgi.record(fastcgi.PARAMS, b"") + GOOD,
    "another version": fastcgi.record(fastcgi.STDOUT, HEAD, version=2) + stdout(b"") + end(),
    "another request": fastcgi.record(fastcgi.STDOUT, HEAD, 2) + stdout(b"") + end(),
    "the end of another request": stdout(HEAD) + stdout(b"") + end(2),
    "a failed program": stdout(HEAD) + stdout(b"") + end(app_status=1),
    "a refused request": stdout(HEAD) + stdout(b"") + end(protocol_status=2),
    "a short end": stdout(HEAD) + stdout(b"") + fastcgi.record(fastcgi.END_REQUEST, b"\0" * 4),
    "bytes after the end": GOOD + b"\0",
    "too much": stdout(b"Status: 200 OK\r\n\r\n" + b"x" * 60000),
    "half an answer": GOOD[:-4],
    "nothing": b"",
}


class Answering:
    """A server that gives the same bytes to each connection, in pieces, and closes."""

    def __init__(self, path, answer, piece):
        self.answer, self.piece, self.served = answer, piece, 0
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(path))
        self.listening.listen(64)
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    for at in range(0, len(self.answer), self.piece):
                        connection.sendall(self.answer[at:at + self.piece])
                except OSError:
                    pass  # the client has seen enough
                self.served += 1

    def close(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listening.close()


@pytest.fixture
def run(tmp_path):
    """run(answer, …): the client's exit status and figures against a server that answers so."""
    (tmp_path / "parameters").write_text("REQUEST_METHOD=GET\nHTTP_COOKIE=sso=" + "t" * 300 + "\n")

    def ask(answer, piece=1 << 20, requests=5, options=()):
        path = tmp_path / f"server{len(list(tmp_path.iterdir()))}.sock"
        server = Answering(path, answer, piece)
        try:
            command = [BUILD_DIR / "bench/load", "-a", f"unix:{path}", "-p", tmp_path / "parameters",
                       "-n", str(requests), "-t", "Variable-REMOTE_USER: alice", *options]
            done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        finally:
            server.close()
        return done.returncode, json.loads(done.stdout), server.served
    return ask


@pytest.mark.parametrize("piece", [1 << 20, 1])
def test_right_answers_are_counted(run, piece):
    status, figures, served = run(GOOD, piece, requests=20, options=["-c", "4"])
    assert (status, figures["requests"], figures["errors"], served) == (0, 20, 0, 20)
    assert 0 < figures["p50_us"] <= figures["p99_us"] <= figures["max_us"] * 1.02


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_answer_is_an_error(run, what):
    status, figures, _ = run(WRONG[what])
    assert (status, figures["requests"], figures["errors"]) == (1, 0, 5)
    assert figures["first_error"]


def test_another_status_can_be_the_right_one(run):
    denial = stdout(HEAD.replace(b"200", b"401")) + stdout(b"") + end()
    assert run(denial, options=["-e", "401"])[0] == 0
    assert run(GOOD, options=["-e", "401"])[0] == 1


def test_a_kept_connection_that_is_closed_is_an_error(run):
    status, figures, _ = run(GOOD, options=["-k"])
    assert status == 1 and figures["errors"] > 0


def test_nobody_listening_is_an_error(tmp_path):
    (tmp_path / "parameters").write_text("REQUEST_METHOD=GET\n")
    done = subprocess.run([BUILD_DIR / "bench/load", "-a", f"unix:{tmp_path}/none", "-p", tmp_path / "parameters",
                           "-n", "3"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and json.loads(done.stdout)["errors"] == 3


@pytest.mark.parametrize("options", [[], ["-a", "unix:/x"], ["-a", "nowhere", "-p", "x"],
                                     ["-a", "unix:/x", "-p", "none"]])
def test_usage(options):
    assert subprocess.run([BUILD_DIR / "bench/load", *options], capture_output=True).returncode == 64
