#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make tokens-python.json with PyJWT and python-jose (Debian's packages): the tokens of FastAPI services,
and every algorithm that each library has. New keys each time: made anew only when a library changes.

  /usr/bin/python3 make_tokens_python.py > tokens-python.json"""

import json
import sys

import jose
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jose import jwt as jose_jwt

NOW, END, PAST = 1767225600, 4102444800, 1577836800
SECRET = "python-data-secret-Xw5Vt9Rs3Qp7Nm1Kj8Hg4Fd6Cb2Z"
OTHER = "python-other-secret-Bn6Mv2Cx8Zl4Kj9Hg5Fd1Sa7Poi"
LONG = SECRET + SECRET[::-1]
ISS, AUD = "https://login.example.com", "tasks"
LIBRARIES = {"pyjwt": ("PyJWT " + jwt.__version__, jwt.encode),
             "python-jose": ("python-jose " + jose.__version__, jose_jwt.encode)}
KEYS = {
    "RS": lambda: rsa.generate_private_key(65537, 2048),
    "PS": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "Ed": ed25519.Ed25519PrivateKey.generate,
}
rows = []


def private_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


def public_pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM,
                                         serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def new_key(alg):
    return KEYS[alg if alg in KEYS else alg[:2]]()


def add(name, library, token, key, policy, reason=None, user="alice"):
    outcome = {"expect": "reject", "reason": reason} if reason else {"expect": "accept", "user": user}
    rows.append({"name": f"{library}-{name}", "issuer": LIBRARIES[library][0], "kind": "jws", "token": token,
                 "key": key, "policy": {"leeway": 0, **policy}, "now": NOW, "clock_free": True, **outcome})


def claims(**more):
    return {"sub": "alice", "iss": ISS, "aud": AUD, "iat": NOW, "exp": END} | more


def public_key_rows(library, algorithms):
    encode = LIBRARIES[library][1]
    for alg in algorithms:
        own, foreign, policy = new_key(alg), new_key(alg), {"algs": [alg], "iss": ISS, "aud": AUD}
        key = {"type": "pem", "pem": public_pem(own)}
        token = encode(claims(), private_pem(own), algorithm=alg)
        add(f"{alg}-ok", library, token, key, policy)
        add(f"{alg}-wrong-key", library, encode(claims(), private_pem(foreign), algorithm=alg), key, policy,
            "bad-signature")
        add(f"{alg}-expired", library, encode(claims(exp=PAST), private_pem(own), algorithm=alg), key, policy,
            "expired")


def secret_rows(library):
    encode = LIBRARIES[library][1]
    key = {"type": "secret", "value": LONG}
    for alg in ("HS256", "HS384", "HS512"):
        policy = {"algs": [alg], "iss": ISS, "aud": AUD}
        add(f"{alg}-ok", library, encode(claims(), LONG, algorithm=alg), key, policy)
        add(f"{alg}-wrong-secret", library, encode(claims(), OTHER, algorithm=alg), key, policy, "bad-signature")
    policy = {"algs": ["HS256"], "iss": ISS, "aud": AUD}
    for name, changes, reason in (("wrong-aud", {"aud": "mail"}, "wrong-aud"),
                                  ("wrong-iss", {"iss": ISS + "/"}, "wrong-iss"),
                                  ("expired", {"exp": PAST}, "expired"), ("early", {"nbf": END - 1}, "not-yet-valid")):
        add(name, library, encode(claims(**changes), LONG, algorithm="HS256"), key, policy, reason)
    add("wrong-alg", library, encode(claims(), LONG, algorithm="HS512"), key, policy, "alg-not-allowed")


def fastapi_rows():
    """What the login services make: S1 an e-mail as sub and a jti, S2 sub and user_id without jti."""
    key, policy = {"type": "secret", "value": SECRET}, {"algs": ["HS256"], "userClaim": ["sub", "user_id"]}
    login = {"sub": "ann@example.com", "exp": END, "iat": NOW, "jti": "dDLZ1Ur0ACs2ni7SCnkOpw"}
    task = {"sub": "7f1c", "user_id": "7f1c", "email": "ann@example.com", "exp": END, "iat": NOW}
    for name, payload, user in (("login", login, "ann@example.com"), ("tasks", task, "7f1c"),
                                ("tasks-user_id", {"user_id": "7f1c", "exp": END}, "7f1c")):
        for library, (_, encode) in LIBRARIES.items():
            add(f"{name}-ok", library, encode(payload, SECRET, algorithm="HS256"), key, policy, user=user)
            add(f"{name}-expired", library, encode(payload | {"exp": PAST}, SECRET, algorithm="HS256"), key, policy,
                "expired")


public_key_rows("pyjwt", ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"))
public_key_rows("python-jose", ("RS256", "RS512", "ES256", "ES384"))
for name in LIBRARIES:
    secret_rows(name)
fastapi_rows()
print("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]")
print(len(rows), "tokens", file=sys.stderr)
