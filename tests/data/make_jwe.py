#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mint jwe.json: encrypted tokens by jwcrypto, and those of shapes that no library makes, for test_jwe."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from jwcrypto import jwa, jwe, jwk

GCM = {"A128GCM": 16, "A192GCM": 24, "A256GCM": 32}
CBC = {"A128CBC-HS256": (32, hashlib.sha256), "A192CBC-HS384": (48, hashlib.sha384),
       "A256CBC-HS512": (64, hashlib.sha512)}
CLAIMS = '{"sub":"alice","iat":1767225540,"exp":1767226200}'
cases = []
# The same bytes every time.
jwa._randombits = lambda bits: bytes(range(0x60, 0x60 + bits // 8))


def b64(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def key(enc, first=0):
    return bytes((first + i) % 256 for i in range(GCM[enc] if enc in GCM else CBC[enc][0]))


def header(enc, **more):
    return json.dumps({"alg": "dir", "enc": enc, **more}, separators=(",", ":"))


def case(name, maker, enc, token, reason=None, payload=None):
    row = {"name": name, "issuer": maker, "token": token, "policy": {"encs": [enc]},
           "key": {"type": "jwk", "jwk": {"kty": "oct", "k": b64(key(enc))}},
           "expect": "reject" if reason else "accept"}
    if reason:
        row["reason"] = reason
    else:
        row["payload_hex"] = payload.hex()
    cases.append(row)


def by_jwcrypto(name, enc, payload, reason=None, first=0, **more):
    made = jwe.JWE(payload, protected=header(enc, **more))
    made.add_recipient(jwk.JWK(kty="oct", k=b64(key(enc, first))))
    case(name, "jwcrypto", enc, made.serialize(compact=True), reason, payload)


def seal(enc, text, payload, iv=None, padded=None):
    """Parts of a token with this very header; padded: what is encrypted, whatever its padding."""
    first = b64(text.encode())
    if enc in GCM:
        iv = bytes(range(12)) if iv is None else iv
        out = AESGCM(key(enc)).encrypt(iv, payload, first.encode())
        return [first, "", b64(iv), b64(out[:-16]), b64(out[-16:])]
    size, hash_ = CBC[enc]
    half = size // 2
    iv = bytes(range(16)) if iv is None else iv
    n = 16 - len(payload) % 16
    aes = Cipher(algorithms.AES(key(enc)[half:]), modes.CBC(iv)).encryptor()
    out = aes.update(payload + bytes([n]) * n if padded is None else padded)
    mac = hmac.digest(key(enc)[:half], first.encode() + iv + out + (8 * len(first)).to_bytes(8, "big"), hash_)
    return [first, "", b64(iv), b64(out), b64(mac[:half])]


def by_hand(name, enc, parts, reason=None, payload=CLAIMS.encode()):
    case(name, "by hand", enc, ".".join(parts), reason, payload)


for enc in (*GCM, *CBC):
    by_jwcrypto(enc, enc, CLAIMS.encode())
    by_jwcrypto(enc + "-kid-typ", enc, CLAIMS.encode(), kid="first", typ="JWT")
    by_jwcrypto(enc + "-no-JSON", enc, b"\0\xff")
    by_jwcrypto(enc + "-other-key", enc, CLAIMS.encode(), "decrypt_failed", first=1)
    for n in (0, 1, 15, 16, 17, 4096):
        by_jwcrypto("%s-%d-bytes" % (enc, n), enc, bytes(i % 251 for i in range(n)))
    parts = seal(enc, header(enc), CLAIMS.encode())
    by_hand(enc + "-by-hand", enc, parts)
    by_hand(enc + "-blanks-in-header", enc, seal(enc, '{ "enc":"%s",\n"alg":"dir" }' % enc, CLAIMS.encode()))
    by_hand(enc + "-other-header", enc, [b64(header(enc, typ="JWT").encode()), *parts[1:]], "decrypt_failed")

# IVs that OpenSSL would take, with a tag that is right for them.
for n in (8, 11, 13, 16):
    by_hand("GCM-IV-%d" % n, "A256GCM", seal("A256GCM", header("A256GCM"), CLAIMS.encode(), iv=bytes(range(n))),
            "decrypt_failed")

# A right MAC over a wrong padding.
BLOCK = b"fifteen bytes.."
for name, padded in (("zero", BLOCK + b"\0"), ("17", BLOCK + b"\x11"), ("255", BLOCK + b"\xff"),
                     ("unequal", BLOCK[:-1] + b"\x03\x02"), ("cut", b"\x10" * 15 + b"\x0f"),
                     ("second-block", BLOCK + b"." + b"\x20" * 16)):
    for enc in CBC:
        by_hand("%s-padding-%s" % (enc, name), enc, seal(enc, header(enc), b"", padded=padded), "decrypt_failed")
for enc in CBC:
    by_hand(enc + "-no-block", enc, seal(enc, header(enc), b"", padded=b""), "decrypt_failed")

# Headers, each with a tag that is right for it.
DIR = '"alg":"dir","enc":"A256GCM"'
for name, text, reason in (
        ("crit", '{%s,"crit":["x"],"x":1}' % DIR, "token_malformed"),
        ("crit-empty", '{%s,"crit":[]}' % DIR, "token_malformed"),
        ("zip-DEF", '{%s,"zip":"DEF"}' % DIR, "token_malformed"),
        ("zip-null", '{%s,"zip":null}' % DIR, "token_malformed"),
        ("b64", '{%s,"b64":true}' % DIR, "token_malformed"),
        ("kid-number", '{%s,"kid":1}' % DIR, "token_malformed"),
        ("typ-list", '{%s,"typ":["JWT"]}' % DIR, "token_malformed"),
        ("twice", '{%s,"alg":"dir"}' % DIR, "token_malformed"),
        ("no-object", '["dir","A256GCM"]', "token_malformed"),
        ("trailing", '{%s}}' % DIR, "token_malformed"),
        ("empty", "", "token_malformed"),
        ("no-members", "{}", "bad_algorithm"),
        ("no-alg", '{"enc":"A256GCM"}', "bad_algorithm"),
        ("no-enc", '{"alg":"dir"}', "bad_algorithm"),
        ("none", '{"alg":"none","enc":"A256GCM"}', "bad_algorithm"),
        ("DIR", '{"alg":"DIR","enc":"A256GCM"}', "bad_algorithm"),
        ("dir-blank", '{"alg":"dir ","enc":"A256GCM"}', "bad_algorithm"),
        ("dir-NUL", '{"alg":"dir\\u0000","enc":"A256GCM"}', "token_malformed"),
        ("alg-list", '{"alg":["dir"],"enc":"A256GCM"}', "bad_algorithm"),
        ("enc-small", '{"alg":"dir","enc":"a256gcm"}', "bad_algorithm"),
        ("enc-number", '{"alg":"dir","enc":256}', "bad_algorithm"),
        ("enc-other", '{"alg":"dir","enc":"A128CBC-HS256"}', "bad_algorithm"),
        ("HS256", '{"alg":"HS256"}', "bad_algorithm"),
        ("HS256-enc", '{"alg":"HS256","enc":"A256GCM"}', "bad_algorithm"),
        ("RSA1_5", '{"alg":"RSA1_5","enc":"A256GCM"}', "bad_algorithm"),
        ("RSA-OAEP", '{"alg":"RSA-OAEP","enc":"A256GCM"}', "bad_algorithm"),
        ("A256KW", '{"alg":"A256KW","enc":"A256GCM"}', "bad_algorithm"),
        ("A256GCMKW", '{"alg":"A256GCMKW","enc":"A256GCM"}', "bad_algorithm"),
        ("ECDH-ES", '{"alg":"ECDH-ES","enc":"A256GCM","epk":{}}', "bad_algorithm"),
        ("PBES2-p2c", '{"alg":"PBES2-HS512+A256KW","enc":"A256GCM","p2s":"c2FsdA","p2c":1000000000}', "bad_algorithm"),
        ("jwk-is-no-matter", '{%s,"jwk":{"kty":"oct","k":"AA"},"jku":"http://127.0.0.1:1/"}' % DIR, None)):
    by_hand("header-" + name, "A256GCM", seal("A256GCM", text, CLAIMS.encode()), reason)

# The compact form.
good = seal("A256GCM", header("A256GCM"), CLAIMS.encode())
wrapped = [good[0], b64(bytes(40)), *good[2:]]
by_hand("form-encrypted-key", "A256GCM", wrapped, "token_malformed")
by_hand("form-encrypted-key-A256KW", "A256GCM", [b64(b'{"alg":"A256KW","enc":"A256GCM"}'), *wrapped[1:]],
        "bad_algorithm")
by_hand("form-nothing", "A256GCM", [""] * 5, "token_malformed")
by_hand("form-padding", "A256GCM", [*good[:4], good[4] + "="], "token_malformed")
by_hand("form-last-bits", "A256GCM", [*good[:4], good[4][:-1] + chr(ord(good[4][-1]) + 1)], "token_malformed")
by_hand("form-blank", "A256GCM", [*good[:4], good[4] + " "], "token_malformed")
by_hand("form-three-parts-enc", "A256GCM", [good[0], good[3], good[4]], "token_malformed")

print("[\n" + ",\n".join(json.dumps(row, sort_keys=True) for row in cases) + "\n]")
