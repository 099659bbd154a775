# SPDX-License-Identifier: Apache-2.0
"""Tokens made by PyJWT and by hand, and the list of everything that no log may show."""

import base64
import hashlib
import hmac
import json
import secrets
import time

import jwt

SECRET = secrets.token_urlsafe(48)
OTHER_SECRET = secrets.token_urlsafe(48)
ISSUER, AUDIENCE = "https://sso.example", "site"

#: Tokens, cookies, passwords and keys in use: test_logs.py searches every log for them.
SENSITIVE = {SECRET, OTHER_SECRET}


def sensitive(text):
    SENSITIVE.add(text)
    return text


def password():
    return sensitive("pw-" + secrets.token_urlsafe(18))


def mint(user="alice", lifetime=600, key=SECRET, algorithm="HS256", header=None, drop=(), **claims):
    now = int(time.time())
    payload = {"sub": user, "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + lifetime,
               "jti": secrets.token_hex(16),
               "email": f"{user}@example.org"} | claims
    for name in drop:
        del payload[name]
    return sensitive(jwt.encode(payload, key, algorithm=algorithm, headers=header))


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(header, payload, key, digest=hashlib.sha256):
    """A token whose header (a dict) and payload (bytes) are written exactly as given."""
    text = b64(json.dumps(header).encode()) + "." + b64(payload)
    return sensitive(text + "." + b64(hmac.new(key.encode(), text.encode(), digest).digest()))


def unsigned(user="alice"):
    payload = {"sub": user, "iss": ISSUER, "exp": int(time.time()) + 600}
    return sensitive(b64(b'{"alg":"none","typ":"JWT"}') + "." + b64(json.dumps(payload).encode()) + ".")


def tampered(token):
    """Another user in a token that keeps its signature."""
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return sensitive(f"{header}.{b64(json.dumps(claims | {'sub': 'mallory'}).encode())}.{signature}")
