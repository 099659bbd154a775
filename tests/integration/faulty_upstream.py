# SPDX-License-Identifier: Apache-2.0
"""An auth server that signs people in until a test says otherwise, and certificates that no client should take."""

import datetime
import ipaddress
import json
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import raw_server
import tokens
from raw_server import JSON, plain

DAY = datetime.timedelta(days=1)


class Upstream(raw_server.Server):
    """Answers every POST with a token of the shared secret. answer_instead: None, or bytes, or a function that gives
    bytes or an iterator of them; an iterator ends the connection. asked: (request line and headers, body)."""

    def __init__(self, tls=None, key=tokens.SECRET):
        super().__init__(tls)
        self.key, self.answer_instead, self.asked = key, None, []
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}"

    def token(self, **claims):
        return tokens.mint("ann", key=self.key, **claims)

    def good(self, fields=b""):
        body = {"message": "Login successful", "token": self.token(), "user": {"id": 1, "username": "ann"}}
        return plain(json.dumps(body).encode(), JSON + fields)

    def answer(self, connection):
        request = b""
        while b"\r\n\r\n" not in request:
            part = connection.recv(65536)
            if not part:
                return False
            request += part
        head, _, body = request.partition(b"\r\n\r\n")
        wanted = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                  if line.startswith(b"content-length:")]
        while wanted and len(body) < wanted[0]:
            body += connection.recv(65536)
        self.asked.append((head.decode(), body.decode()))
        made = self.answer_instead or self.good
        made = made() if callable(made) else made
        for part in [made] if isinstance(made, bytes) else made:
            connection.sendall(part)
        return isinstance(made, bytes)

    def hang(self):
        """From now on nobody gets an answer, until the event that is given is set."""
        released = threading.Event()

        def wait():
            released.wait(60)
            return self.good()
        self.answer_instead = wait
        return released


def flood(head, block=b"x" * (1 << 20), times=1 << 10):
    """A gigabyte, or what of it is taken."""
    yield head
    for _ in range(times):
        yield block


def drip(head):
    """A byte a second."""
    yield head
    never = threading.Event()
    while not never.wait(1):
        yield b" "


def certificate(path, *names, issuer=None, ends=DAY, authority=False):
    """A certificate and its key in one file; (key, certificate)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (x509.CertificateBuilder().subject_name(name).issuer_name(issuer[1].subject if issuer else name)
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(now - 3 * DAY).not_valid_after(now + ends)
               .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True))
    if not authority:
        builder = builder.add_extension(x509.SubjectAlternativeName(
            [x509.IPAddress(ipaddress.ip_address(one)) if one[0].isdigit() else x509.DNSName(one) for one in names]),
            critical=False)
    made = builder.sign(issuer[0] if issuer else key, hashes.SHA256())
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption())
                     + made.public_bytes(serialization.Encoding.PEM))
    return key, made


def context(path):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path)
    return tls
