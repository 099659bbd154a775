# SPDX-License-Identifier: Apache-2.0
"""What bench/web needs around the servers: one user for all of them, two issuers, their tokens, one page."""

import datetime
import importlib.util
import os
import pwd
import secrets
import shutil
import time
from contextlib import contextmanager
from pathlib import Path

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from contestants import Failed
from environment import MAX_CONNECTIONS, PAGE, THREADS, Environment

USER = "www-data"
APACHE, NGINX = "/usr/sbin/apache2", "/usr/sbin/nginx"
APACHE_MODULES = Path("/usr/lib/apache2/modules")
KINDS = ["HS256", "RS256"]
AUDIENCE = "www"
TEN_YEARS = 10 * 365 * 86400

CONFIGURATION = """\
[server]
state-dir = {site.state}
threads = {threads}
max-connections = {connections}

[issuer "hs256"]
type = jwt
algorithms = HS256
secret = file:{site.secret_file}
iss = https://hs256.example.org
audience = {audience}

[issuer "rs256"]
type = jwt
algorithms = RS256
public-key = {site.public_key_file}
iss = https://rs256.example.org
audience = {audience}

[policy "site"]
path = /**
issuer = hs256, rs256
unauthenticated = 401
"""


@contextmanager
def unprivileged(folder, build):
    """Apache serves nothing as root, and what it starts must read what the others write: all run as one user.

    The saved id stays root's, so that the folder can be removed in the end; no program that is started has it."""
    if os.geteuid() != 0:
        yield
        return
    user = pwd.getpwnam(USER)
    os.chown(folder, user.pw_uid, user.pw_gid)
    os.initgroups(USER, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, 0)
    try:
        if not os.access(build, os.R_OK | os.X_OK):
            raise Failed(f"{USER}, as whom Apache runs, cannot read {build}: build elsewhere, or run this as a user")
        yield
    finally:
        os.setresuid(0, 0, 0)


def issuer(kind):
    return f"https://{kind.lower()}.example.org"


class Site(Environment):
    """The temporary folder with everything that all contestants share."""

    def __init__(self, folder, build, peers):
        super().__init__(folder, build)
        self.peers = Path(peers)
        self.secret = secrets.token_hex(32)
        self.key, self.other_key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
        self.secret_file = self.write_file("hs256.secret", self.secret.encode())
        self.public_key_file = self.write_file("rs256.pem", self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
        self.certificate_file = self.write_file("rs256.crt", self.certificate())
        self.configurations = {threads: self.write_file(f"{threads}-threads.conf", CONFIGURATION.format(
            site=self, threads=threads, connections=MAX_CONNECTIONS, audience=AUDIENCE).encode())
            for threads in (1, THREADS)}
        self.documents.mkdir()
        (self.documents / "page.html").write_bytes(PAGE)
        self.good = {kind: self.token_of(kind) for kind in KINDS}

    def apache_module(self, name):
        """The file, or None; our own is in the build folder."""
        for path in (self.build / "apache" / f"mod_{name}.so", APACHE_MODULES / f"mod_{name}.so"):
            if path.is_file():
                return path
        return None

    @property
    def settings(self):
        """How authorizers that are not ours find what they need."""
        return {"SECRET_FILE": str(self.secret_file), "PUBLIC_KEY_FILE": str(self.public_key_file),
                "REDIS_SOCKET": str(self.folder / "redis.sock"), "PEERS": f"{self.peers}/",
                "PYTHONDONTWRITEBYTECODE": "1"}

    @property
    def node(self):
        """That of the peers, else the system's, or None."""
        own = self.peers / "run-node"
        return own if own.exists() else shutil.which("node")

    def missing(self, contestant):
        """What the contestant needs and is not here."""
        server = {"Apache": APACHE, "nginx": NGINX}[contestant.server]
        absent = [] if Path(server).is_file() else [server]
        absent += [f"mod_{name}.so" for name in contestant.modules if not self.apache_module(name)]
        return absent + [need for need in (contestant.judge.needs if contestant.judge else ()) if not self.has(need)]

    def has(self, need):
        """A program of the build or the system; "python:" a module, "npm:" a package, "linked:" a library of ours."""
        kind, _, name = need.rpartition(":")
        if kind == "python":
            return importlib.util.find_spec(name) is not None
        if kind == "npm":
            return (self.peers / "node_modules" / name / "package.json").is_file()
        if kind == "linked":
            return bool(self.program("auth-verify")) and name.encode() in self.program("auth-verify").read_bytes()
        return bool(self.program(name) or shutil.which(name))

    def write_file(self, name, content):
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        return path

    def certificate(self):
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "rs256.example.org")])
        now = datetime.datetime.utcnow()
        made = x509.CertificateBuilder(name, name, self.key.public_key(), x509.random_serial_number(),
                                       now, now + datetime.timedelta(days=3650))
        return made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def token_of(self, kind, forged=False, lifetime=TEN_YEARS):
        """The same claims for each kind; a forged one is signed with a key that nobody trusts."""
        now = int(time.time())
        claims = {"iss": issuer(kind), "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + lifetime,
                  "jti": secrets.token_hex(16), "email": "alice@example.org"}
        keys = {"HS256": (self.secret, secrets.token_hex(32)), "RS256": (self.key, self.other_key)}
        return jwt.encode(claims, keys[kind][forged], algorithm=kind)
