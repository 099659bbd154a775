# SPDX-License-Identifier: Apache-2.0
"""Clients of the farm that know what every answer must be. One thread with one epoll asks all hosts, through their
web servers (HTTP) or at the socket of auth-verify (FastCGI), at a steady rate or as fast as it is answered."""

import array
import collections
import dataclasses
import random
import selectors
import socket
import sys
import threading
import time

import fastcgi
import tokens
import ways

#: The schedule goes on beside the thread that asks.
sys.setswitchinterval(0.001)
#: Hosts that did not take the logout themselves know of it that much later.
GRACE = 1.0
ANSWER_TIME = 8.0
TARGET = "/app/page.txt"


@dataclasses.dataclass(eq=False)
class Token:
    """What was done to a token, in monotonic time."""

    user: str
    text: str
    asked: float | None = None  # when a revocation was begun
    acknowledged: float | None = None  # when it was known to be acknowledged
    host: object = None  # that did it
    encoded: dict = dataclasses.field(default_factory=dict)


def new_token(user="alice", lifetime=86400, **claims):
    """One that outlives the longest run."""
    return Token(user, tokens.mint(user, lifetime=lifetime, **claims))


@dataclasses.dataclass
class Question:
    host: object
    token: Token
    sent: float


@dataclasses.dataclass
class Reply:
    status: int
    reason: str | None = None
    variables: dict | None = None  # FastCGI: of an answer that allows
    retry: bool = False  # it has Retry-After


class Oracle:
    """What was asked of which token, and what an answer may be."""

    def __init__(self):
        self.violations, self.counts, self.grace = [], collections.Counter(), GRACE

    def log_out(self, host, *which, everywhere=False):
        """Revoke by logging out with the first; whether it was acknowledged. The others are of the same user."""
        for token in which:
            token.asked = token.asked or time.monotonic()
        try:
            done = host.log_out(which[0].text, **({"everywhere": True} if everywhere else {}))
        except OSError:
            done = False
        if done:
            for token in which:
                token.host, token.acknowledged = host, time.monotonic()
        return done

    def judge(self, question, reply):
        token, kind = question.token, "good"
        if token.acknowledged is not None and question.sent > token.acknowledged:
            later = question.sent - token.acknowledged
            kind = "revoked" if question.host is token.host or later > self.grace else "between"
            if kind == "revoked" and reply.status == 200:
                self.violations.append(f"{question.host.name} accepted a token {later:.3f} s after {token.host.name} "
                                       f"had acknowledged its end")
        elif token.asked is not None:
            kind = "between"
        elif reply.status in (401, 403):
            self.violations.append(f"{question.host.name} answered {reply.status} {reply.reason} to a good token "
                                   f"of {token.user}")
        self.counts[kind, reply.status] += 1
        return kind


class Http:
    """Through the host's web server, connections kept."""

    #: The web server may end a kept connection at the moment a request is sent on it: the request was not read.
    asks_again = True

    def connect(self, host):
        return socket.create_connection(("127.0.0.1", host.port), 5)

    def encode(self, host, token):
        return (f"GET {TARGET} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token.text}\r\n\r\n").encode()

    def decode(self, data):
        """(Reply, is the connection kept) or None when more has to come."""
        head, found, body = data.partition(b"\r\n\r\n")
        if not found:
            return None
        fields = head.lower().split(b"\r\n")
        length = next((int(field[15:]) for field in fields if field.startswith(b"content-length:")), None)
        if b"transfer-encoding: chunked" in fields:
            if not body.endswith(b"0\r\n\r\n"):
                return None
        elif length is not None and len(body) < length:
            return None
        status, reason = int(fields[0].split()[1]), None
        if b'"reason":"' in body:
            reason = body.partition(b'"reason":"')[2].partition(b'"')[0].decode()
        retry = any(field.startswith(b"retry-after:") for field in fields)
        return Reply(status, reason, retry=retry), b"connection: close" not in fields and length is not None


class FastCgi:
    """At the socket of the host's auth-verify, connections kept."""

    asks_again = False

    def connect(self, host):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(5)
        connection.connect(str(host.service("verify").path))
        return connection

    def encode(self, host, token):
        if "fastcgi" not in token.encoded:
            parameters = ways.environment(TARGET, [f"Authorization: Bearer {token.text}"])
            token.encoded["fastcgi"] = fastcgi.encode(parameters, stdin=None, keep=True)
        return token.encoded["fastcgi"]

    def decode(self, data):
        at, out = 0, b""
        while len(data) - at >= 8:
            kind, size, padding = data[at + 1], data[at + 4] << 8 | data[at + 5], data[at + 6]
            if len(data) - at < 8 + size + padding:
                return None
            if kind == fastcgi.STDOUT:
                out += data[at + 8:at + 8 + size]
            at += 8 + size + padding
            if kind == fastcgi.END_REQUEST:
                return self.reply(out), True
        return None

    def reply(self, out):
        answer = fastcgi.parse(out)
        reason = answer.body.partition(b'"reason":"')[2].partition(b'"')[0].decode() or None
        return Reply(answer.status, reason, answer.variables if answer.status == 200 else None,
                     answer.header("Retry-After") is not None)


class Client:
    """One connection, one question at a time."""

    def __init__(self, host):
        self.host, self.socket, self.question, self.data = host, None, None, b""
        self.kept = False


class Load(threading.Thread):
    """choose(random) gives (host, Token); rate: questions in a second over all hosts, None: as fast as clients (how
    many for each host) are answered; amount: end after that many answers. seen(question, reply, took) is called with
    each answer. Answers are judged by the oracle; what was no answer at all counts as status 0."""

    def __init__(self, farm, choose, oracle=None, seed=0, rate=200, clients=24, amount=None, way=None, seen=None):
        super().__init__(daemon=True)
        self.farm, self.choose, self.rate, self.amount = farm, choose, rate, amount
        self.oracle, self.way = oracle or Oracle(), way or Http()
        self.seen = seen or (lambda question, reply, took: None)
        self.random, self.selector = random.Random(seed), selectors.EpollSelector()
        self.idle = {host: [Client(host) for _ in range(clients)] for host in farm.hosts}
        self.waiting, self.answered, self.missed = set(), 0, 0
        self.took, self.ending, self.failure = array.array("d"), False, None

    # --- the thread ----------------------------------------------------------

    def run(self):
        try:
            self.loop()
        except BaseException as failure:  # noqa: B902 - told by the one that waits
            self.failure = failure

    def loop(self):
        due = time.monotonic()
        overdue = due + 1
        while not self.ending and (self.amount is None or self.answered < self.amount):
            now = time.monotonic()
            if self.rate is None:
                self.ask_all()
                wait = 0.05
            else:
                while due <= now:
                    self.ask(*self.choose(self.random))
                    due += 1 / self.rate
                wait = max(0, due - time.monotonic())
            for key, _ in self.selector.select(wait):
                self.receive(key.data)
            if now > overdue:
                overdue = now + 1
                self.give_up(now)
        for client in [client for clients in self.idle.values() for client in clients] + list(self.waiting):
            self.disconnect(client)

    def ask_all(self):
        for host, clients in self.idle.items():
            for _ in range(len(clients)):
                self.ask(*self.choose(self.random, host))

    def ask(self, host, token):
        if not self.idle[host]:
            self.missed += 1
            return
        client = self.idle[host].pop()
        self.waiting.add(client)
        self.send(client, token)

    def send(self, client, token):
        host = client.host
        client.kept = client.socket is not None
        client.question = None
        try:
            if client.socket is None:
                client.socket = self.way.connect(host)
                client.socket.setblocking(False)
                self.selector.register(client.socket, selectors.EVENT_READ, client)
            data = self.way.encode(host, token)
            client.data, client.question = b"", Question(host, token, time.monotonic())
            client.socket.sendall(data)
        except OSError:
            client.question = client.question or Question(host, token, time.monotonic())
            self.finish(client, Reply(0), False)

    def receive(self, client):
        try:
            part = client.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        if not part:
            self.lose(client)
            return
        client.data += part
        decoded = self.way.decode(client.data)
        if decoded:
            self.finish(client, *decoded)

    def lose(self, client):
        """The other side has ended the connection."""
        question, again = client.question, self.way.asks_again and client.kept and client.data == b""
        if question is None or again:
            self.disconnect(client)
        if question and again:
            self.send(client, question.token)
        elif question:
            self.finish(client, Reply(0), False)

    def finish(self, client, reply, kept):
        took, question = time.monotonic() - client.question.sent, client.question
        if not kept:
            self.disconnect(client)
        client.question = None
        self.waiting.discard(client)
        self.idle[client.host].append(client)
        self.answered += 1
        self.took.append(took)
        self.oracle.judge(question, reply)
        self.seen(question, reply, took)

    def give_up(self, now):
        for client in [client for client in self.waiting if now - client.question.sent > ANSWER_TIME]:
            self.finish(client, Reply(0), False)

    def disconnect(self, client):
        if client.socket:
            self.selector.unregister(client.socket)
            client.socket.close()
        client.socket = None

    # --- who uses it ---------------------------------------------------------

    def check(self):
        if self.failure:
            raise AssertionError("the load generator failed") from self.failure

    def end(self):
        self.ending = True
        self.join(30)
        self.check()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0
