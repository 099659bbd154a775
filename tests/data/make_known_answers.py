#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print the table of src/token/known_answer.c: signatures of one text by throw-away keys, made with
python3-cryptography. Each run makes new ones."""
import base64
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TEXT = b"known answer"
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVES = {
    "256": (ec.SECP256R1(), "P-256", 32),
    "384": (ec.SECP384R1(), "P-384", 48),
    "512": (ec.SECP521R1(), "P-521", 66),
}


def text_of(number, size=None):
    if isinstance(number, int):
        number = number.to_bytes(size or (number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(number).rstrip(b"=").decode()


def c_string(text, indent, width=88):
    quoted = text.replace('"', '\\"')
    lines, line = [], ""
    for piece in [quoted[i:i + 2] for i in range(0, len(quoted), 2)]:
        # Never between a backslash and its quote.
        if len(line) >= width and not line.endswith("\\"):
            lines.append(line)
            line = ""
        line += piece
    return ("\n" + indent).join(f'"{line}"' for line in lines + [line])


def rows():
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_numbers()
    signatures = []
    for size, algorithm in HASHES.items():
        pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
        signatures.append(("RS" + size, key.sign(TEXT, padding.PKCS1v15(), algorithm)))
        signatures.append(("PS" + size, key.sign(TEXT, pss, algorithm)))
    yield {"kty": "RSA", "n": text_of(public.n), "e": text_of(public.e)}, signatures
    for size, (curve, crv, width) in CURVES.items():
        key = ec.generate_private_key(curve)
        public = key.public_key().public_numbers()
        r, s = utils.decode_dss_signature(key.sign(TEXT, ec.ECDSA(HASHES[size])))
        jwk = {"kty": "EC", "crv": crv, "x": text_of(public.x, width), "y": text_of(public.y, width)}
        yield jwk, [("ES" + size, r.to_bytes(width, "big") + s.to_bytes(width, "big"))]
    key = ed25519.Ed25519PrivateKey.generate()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": text_of(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))}
    yield jwk, [("EdDSA", key.sign(TEXT))]


def main():
    for jwk, signatures in rows():
        print("\t{%s, {" % c_string(json.dumps(jwk, separators=(",", ":")), "\t "))
        for name, signature in signatures:
            print('\t\t{"%s", %s},' % (name, c_string(text_of(signature), "\t\t\t ")))
        print("\t}},")


main()
