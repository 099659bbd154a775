# SPDX-License-Identifier: Apache-2.0
"""Keys from a seed, and tokens of exactly the bytes asked for, signed or encrypted with cryptography alone."""

import hmac
import json
import os
import random
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
CURVES = {"ES256": (ec.SECP256R1, 32), "ES384": (ec.SECP384R1, 48), "ES512": (ec.SECP521R1, 66)}
SIGNED = [family + size for family in ("HS", "RS", "PS", "ES") for size in HASHES] + ["EdDSA"]
SMALL_PRIMES = (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
#: name: bytes of the key
ENCRYPTED = {"A128GCM": 16, "A192GCM": 24, "A256GCM": 32, "A128CBC-HS256": 32, "A192CBC-HS384": 48, "A256CBC-HS512": 64}


def b64(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def prime(source, bits):
    """A probable prime whose two highest bits are set, by Miller and Rabin."""
    while True:
        n = source.getrandbits(bits) | (3 << (bits - 2)) | 1
        if all(n % small for small in SMALL_PRIMES) and n % 65537 != 1 and is_prime(n, source):
            return n


def is_prime(n, source):
    d, r = n - 1, 0
    while d % 2 == 0:
        d, r = d // 2, r + 1
    for _ in range(40):
        x = pow(source.randrange(2, n - 1), d, n)
        if x in (1, n - 1):
            continue
        for _ in range(r - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def rsa_key(source):
    p, q = prime(source, 1024), prime(source, 1024)
    d = pow(65537, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()


class Keys:
    """A key for every algorithm and encryption, the same for the same seed."""

    def __init__(self, seed):
        source = random.Random(f"keys {seed}")
        pair = rsa_key(source)
        self.of = {name: pair for name in SIGNED if name[:2] in ("RS", "PS")}
        self.of |= {name: source.randbytes(64).hex()[:64].encode() for name in SIGNED if name.startswith("HS")}
        for name, (curve, size) in CURVES.items():
            self.of[name] = ec.derive_private_key(source.getrandbits(size * 8 - 16) + 1, curve())
        self.of["EdDSA"] = ed25519.Ed25519PrivateKey.from_private_bytes(source.randbytes(32))
        # No line end at the end: a file's last one is not part of a secret.
        self.of |= {name: source.randbytes(size - 1) + b"k" for name, size in ENCRYPTED.items()}

    def public_pem(self, name):
        return self.of[name].public_key().public_bytes(serialization.Encoding.PEM,
                                                       serialization.PublicFormat.SubjectPublicKeyInfo)


def sign_der(alg, key, text):
    """As OpenSSL writes an ECDSA signature, which JWS does not."""
    return key.sign(text, ec.ECDSA(HASHES[alg[2:]]()))


def sign(alg, key, text):
    if alg == "EdDSA":
        return key.sign(text)
    digest = HASHES[alg[2:]]
    if alg.startswith("HS"):
        return hmac.digest(key, text, digest.name)
    if alg.startswith("RS"):
        return key.sign(text, rsa_padding.PKCS1v15(), digest())
    if alg.startswith("PS"):
        return key.sign(text, rsa_padding.PSS(rsa_padding.MGF1(digest()), digest.digest_size), digest())
    size = CURVES[alg][1]
    r, s = decode_dss_signature(sign_der(alg, key, text))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def jws(alg, key, header, payload):
    """A compact JWS of these bytes."""
    text = f"{b64(header)}.{b64(payload)}".encode()
    return text.decode() + "." + b64(sign(alg, key, text))


def encrypt_cbc(key, iv, payload, aad):
    """RFC 7518 section 5.2.2."""
    half = len(key) // 2
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key[half:]), modes.CBC(iv)).encryptor()
    ciphertext = encryptor.update(padder.update(payload) + padder.finalize()) + encryptor.finalize()
    text = aad + iv + ciphertext + (8 * len(aad)).to_bytes(8, "big")
    return ciphertext, hmac.digest(key[:half], text, {16: "sha256", 24: "sha384", 32: "sha512"}[half])[:half]


def jwe(enc, key, header, payload):
    """A compact JWE with "dir" of these bytes."""
    aad = b64(header).encode()
    if enc.endswith("GCM"):
        iv = os.urandom(12)
        sealed = AESGCM(key).encrypt(iv, payload, aad)
        ciphertext, tag = sealed[:-16], sealed[-16:]
    else:
        iv = os.urandom(16)
        ciphertext, tag = encrypt_cbc(key, iv, payload, aad)
    return ".".join((aad.decode(), "", b64(iv), b64(ciphertext), b64(tag)))


def make(name, key, header, payload):
    return (jwe if name in ENCRYPTED else jws)(name, key, header, payload)


def plain_header(name):
    return {"alg": "dir", "enc": name} if name in ENCRYPTED else {"alg": name, "typ": "JWT"}


def dump(value):
    return json.dumps(value, separators=(",", ":")).encode()
