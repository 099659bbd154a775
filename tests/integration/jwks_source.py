# SPDX-License-Identifier: Apache-2.0
"""An issuer elsewhere: keys and tokens by jwcrypto and PyJWT, and the server that publishes its JWK Set."""

import json
import time

import jwt
from jwcrypto import jwk

import raw_server
import tokens

ISSUER = "https://issuer.example"


class Key:
    KINDS = {"ES256": {"kty": "EC", "crv": "P-256"}, "RS256": {"kty": "RSA", "size": 2048},
             "EdDSA": {"kty": "OKP", "crv": "Ed25519"}}

    def __init__(self, kid, algorithm="ES256"):
        self.kid, self.algorithm = kid, algorithm
        self.jwk = jwk.JWK.generate(kid=kid, **self.KINDS[algorithm])
        self.pem = self.jwk.export_to_pem(private_key=True, password=None)

    def public(self, **more):
        return self.jwk.export_public(as_dict=True) | {"use": "sig", "alg": self.algorithm} | more

    def private(self):
        return self.jwk.export_private(as_dict=True)

    def mint(self, kid=None, header=None, **claims):
        payload = {"sub": "alice", "iss": ISSUER, "exp": int(time.time()) + 600} | claims
        return tokens.sensitive(jwt.encode(payload, self.pem, algorithm=self.algorithm,
                                           headers={"kid": kid or self.kid} | (header or {})))


def jwk_set(*keys):
    return json.dumps({"keys": [key.public() if isinstance(key, Key) else key for key in keys]}).encode()


class Source(raw_server.Server):
    """Publishes keys at url; answers in its place by publish_raw(), and can go down and come back."""

    def __init__(self, *keys, fields=b""):
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}/jwks"
        self.publish(*keys, fields=fields)

    def publish(self, *keys, fields=b""):
        self.publish_raw(raw_server.plain(jwk_set(*keys), raw_server.JSON + fields))

    def publish_raw(self, answer):
        self.put(answer)

    def go_down(self):
        """It is asked, and breaks off."""
        self.put(lambda: iter((b"",)))

    @property
    def fetches(self):
        """How often somebody has come for the keys."""
        return len(self.requests)
