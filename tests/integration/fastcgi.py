# SPDX-License-Identifier: Apache-2.0
"""A FastCGI client made by hand: records, parameters, and reading the answer.

    answer = fastcgi.request("unix:/run/x.sock", {"REQUEST_METHOD": "GET"})
    assert answer.status == 200 and answer.header("Variable-REMOTE_USER") == "alice"

An address is unix:/path or tcp:HOST:PORT. Parameters are a dict, or a list of
pairs where order and repetition matter. Everything raises FastCgiError when the
server breaks the protocol, Closed when it closed without a whole answer.
"""

import socket
import struct
import time
from dataclasses import dataclass

VERSION = 1

# record types
BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR, DATA = range(1, 9)
GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE = 9, 10, 11
# roles
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
# flags of BEGIN_REQUEST
KEEP_CONN = 1
REQUEST_COMPLETE = 0


class FastCgiError(Exception):
    """What came is no valid answer."""


class Closed(FastCgiError):
    """The server closed the connection before the answer was complete."""


@dataclass
class Answer:
    status: int | None  # None: the answer has no Status line
    headers: list  # pairs in the order of the answer, Status included
    body: bytes
    raw: bytes  # everything of STDOUT
    stderr: bytes = b""
    app_status: int = 0
    protocol_status: int = 0

    def header(self, name):
        """The first value of that name (any case), or None."""
        values = self.all(name)
        return values[0] if values else None

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def variables(self):
        """What Variable-NAME headers hand to the application."""
        prefix = "variable-"
        return {key[len(prefix):]: value for key, value in self.headers if key.lower().startswith(prefix)}


# --- bytes to send ---------------------------------------------------------

def record(type, content=b"", id=1, padding=0, version=VERSION):
    """One record; its content is at most 65535 bytes, its padding 255."""
    return struct.pack(">BBHHBx", version, type, id, len(content), padding) + content + b"\0" * padding


def begin(role=AUTHORIZER, keep=False, id=1):
    return record(BEGIN_REQUEST, struct.pack(">HB5x", role, KEEP_CONN if keep else 0), id)


def length(n, long=False):
    """A length as pairs carry it: one byte below 128, else (or when asked) four."""
    return struct.pack(">I", n | 0x80000000) if long or n > 127 else bytes([n])


def pair(name, value, long=False):
    name, value = _bytes(name), _bytes(value)
    return length(len(name), long) + length(len(value), long) + name + value


def pairs(params):
    items = params.items() if isinstance(params, dict) else params
    return b"".join(pair(name, value) for name, value in items)


def stream(type, content, id=1, size=65535, padding=0, end=True):
    """The records of a stream, cut every `size` bytes, with the empty one that ends it."""
    out = [record(type, content[i:i + size], id, padding) for i in range(0, len(content), size)]
    if end:
        out.append(record(type, b"", id))
    return b"".join(out)


def encode(params, stdin=b"", role=AUTHORIZER, keep=False, id=1):
    """A whole request. stdin=None: without any STDIN record, as mod_authnz_fcgi and lighttpd ask."""
    out = begin(role, keep, id) + stream(PARAMS, pairs(params), id)
    if stdin is not None:
        out += stream(STDIN, stdin, id)
    return out


def _bytes(text):
    return text if isinstance(text, bytes) else str(text).encode()


# --- the connection --------------------------------------------------------

def parse_address(address):
    kind, _, rest = address.partition(":")
    if kind == "unix":
        return socket.AF_UNIX, rest.split(",")[0]
    if kind == "tcp":
        host, _, port = rest.rpartition(":")
        host = host.strip("[]")
        return (socket.AF_INET6 if ":" in host else socket.AF_INET), (host, int(port))
    raise ValueError(f"address {address!r}: unix:/path or tcp:HOST:PORT")


class Connection:
    """One connection; several requests may follow each other on it with keep=True."""

    def __init__(self, address, timeout=5):
        family, where = parse_address(address)
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.timeout = timeout
        self.socket.settimeout(timeout)
        self.buffer = b""
        try:
            self.socket.connect(where)
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def request(self, params, stdin=b"", role=AUTHORIZER, keep=True, id=1):
        self.send(encode(params, stdin, role, keep, id))
        return self.answer(id)

    def read_record(self):
        """(type, id, content) of the next record; Closed at the end of the stream."""
        deadline = time.monotonic() + self.timeout
        header = self._read(8, deadline)
        version, type, id, size, padding = struct.unpack(">BBHHBx", header)
        if version != VERSION:
            raise FastCgiError(f"record of version {version}")
        return type, id, self._read(size + padding, deadline)[:size]

    def answer(self, id=1):
        """Read up to END_REQUEST."""
        out, err, ended = b"", b"", False
        while True:
            type, got, content = self.read_record()
            if got != id:
                raise FastCgiError(f"record of request {got}, not of {id}")
            if type == STDOUT:
                if ended:
                    raise FastCgiError("STDOUT after its end")
                ended = not content
                out += content
            elif type == STDERR:
                err += content
            elif type == END_REQUEST:
                if len(content) != 8 or not ended:
                    raise FastCgiError("END_REQUEST malformed or before the end of STDOUT")
                return parse(out, err, *struct.unpack(">IB3x", content))
            else:
                raise FastCgiError(f"record of type {type} in an answer")

    def closed(self):
        """Wait until the server closes; True when it sent nothing before that."""
        try:
            rest = self.buffer + self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            rest = self.buffer
        return rest == b""

    def _read(self, n, deadline):
        while len(self.buffer) < n:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no whole answer in time")
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except (ConnectionResetError, BrokenPipeError) as reset:
                raise Closed("connection reset") from reset
            finally:
                self.socket.settimeout(self.timeout)
            if not data:
                raise Closed(f"closed after {len(self.buffer)} of {n} bytes")
            self.buffer += data
        out, self.buffer = self.buffer[:n], self.buffer[n:]
        return out


def parse(raw, stderr=b"", app_status=0, protocol_status=0):
    """An answer in CGI form, as it comes out of STDOUT or of a CGI program."""
    head, found, body = raw.partition(b"\r\n\r\n")
    if not found:
        raise FastCgiError(f"an answer without the end of its head: {raw[:80]!r}")
    headers = []
    for line in head.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if not colon:
            raise FastCgiError(f"a header line without colon: {line!r}")
        headers.append((name.decode("latin-1"), value.strip(b" \t").decode("utf-8", "surrogateescape")))
    status = next((int(value.split()[0]) for name, value in headers if name.lower() == "status"), None)
    return Answer(status, headers, body, raw, stderr, app_status, protocol_status)


def request(address, params, stdin=b"", role=AUTHORIZER, keep=False, timeout=5):
    """Ask once on a connection of its own; with keep=False the server must close it."""
    with Connection(address, timeout) as connection:
        answer = connection.request(params, stdin, role, keep)
        if not keep and not connection.closed():
            raise FastCgiError("bytes after END_REQUEST")
        return answer


def wait_until_listening(address, process=None, timeout=5):
    """Return when somebody accepts there; raises when the process ended or time is up."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            Connection(address).close()
            return
        except OSError:
            if process is not None and process.poll() is not None:
                raise FastCgiError(f"the server ended with status {process.returncode}") from None
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)  # between two looks, not a wait for something to happen
