# SPDX-License-Identifier: Apache-2.0
"""Issuers: wrong ones are refused before they serve, several stand side by side, and explain tells them apart."""

import json
import re
import secrets
import subprocess

import jwt
import pytest
from jwcrypto import jwe, jwk

import harness
from test_authctl import AUTHCTL, NOW, Site

KEYS = {
    "rsa": jwk.JWK.generate(kty="RSA", size=2048, kid="r1"),
    "weak": jwk.JWK.generate(kty="RSA", size=1024, kid="w1"),
    "ec": jwk.JWK.generate(kty="EC", crv="P-256", kid="e1"),
    "ed": jwk.JWK.generate(kty="OKP", crv="Ed25519", kid="d1"),
    "clerk": jwk.JWK.generate(kty="RSA", size=2048, kid="ins_1"),
}
SECRET = secrets.token_urlsafe(48)
RAW = secrets.token_hex(16)
CLERK = "https://clerk.example.com"


def private(name):
    return KEYS[name].export_to_pem(private_key=True, password=None).decode()


def public(name):
    return KEYS[name].export_to_pem().decode()


def key_set(*names, private_too=False):
    return json.dumps({"keys": [json.loads(KEYS[name].export(private_key=private_too)) for name in names]})


class Issuers(Site):
    """Issuers instead of the configuration's, with key files beside it."""

    def write(self, issuers, policy="path = /**"):
        files = {"rsa.pem": public("rsa"), "weak.pem": public("weak"), "ec.pem": public("ec"),
                 "private.pem": private("rsa"), "good.jwks": key_set("rsa", "ec"), "clerk.jwks": key_set("clerk"),
                 "private.jwks": key_set("rsa", private_too=True),
                 "secret.jwks": json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "s"}]}),
                 "secret": SECRET, "short": "x" * 31, "raw": RAW, "placeholder": "changeme" * 8}
        for name, text in files.items():
            (self.folder / name).write_text(text + "\n")
            (self.folder / name).chmod(0o600)
        text = issuers.replace("@", str(self.folder))
        self.configuration.write_text(f"[server]\nstate-dir = {self.state}\n\n{text}\n[policy \"site\"]\n{policy}\n")

    def call(self, *words, text=""):
        done = super().call(*words, text=text)
        assert SECRET not in done.stdout + done.stderr and RAW not in done.stdout + done.stderr
        assert not text.strip() or text.strip() not in done.stdout + done.stderr
        return done

    def explain(self, token, *words, status=1):
        done = self.run("explain", "--json", "--now", str(NOW), *words, text=token, status=status)
        answer = json.loads(done.stdout)
        step = next(step for step in answer["steps"] if step["step"] == "token")
        return answer, {row["what"]: (row["wanted"], row["came"]) for row in step["rows"]}


@pytest.fixture
def site(tmp_path):
    return Issuers(tmp_path)


#: options, the key that the message names, words that it must have
WRONG = {
    "short-secret": ("algorithms = HS256\nsecret = file:@/short", "secret",
                     ["31 bytes", "at least 32", "authctl secret generate"]),
    "short-for-hs512": ("algorithms = HS512\nsecret = file:@/raw", "secret", ["32 bytes", "at least 64"]),
    "no-secret": ("algorithms = HS256", "secret", ["is missing", "authctl secret generate"]),
    "no-key": ("algorithms = RS256", None, ["there is no key", "public-key", "jwks"]),
    "weak-rsa": ("algorithms = RS256\npublic-key = @/weak.pem", "public-key", ["1024 bits", "2048"]),
    "private-key": ("algorithms = RS256\npublic-key = @/private.pem", "public-key", ["-----BEGIN PUBLIC KEY-----"]),
    "other-key": ("algorithms = RS256\npublic-key = @/ec.pem", "public-key", ["none of the allowed algorithms"]),
    "hs-beside-public-key": ("algorithms = RS256, HS256\npublic-key = @/rsa.pem", "algorithms",
                             ["HS256", "everybody could sign"]),
    "hs-beside-jwks": ("algorithms = HS256, RS256\njwks = https://id.example/jwks", "algorithms", ["HS256", "jwks"]),
    "secret-beside-jwks": ("algorithms = RS256\nsecret = file:@/secret\njwks = https://id.example/jwks", "jwks",
                           ["stands next to secret", "second [issuer]"]),
    "rs-with-a-secret": ("algorithms = RS256\nsecret = file:@/secret", "algorithms", ["RS256 is not for a secret"]),
    "pem-as-secret": ("algorithms = HS256\nsecret = file:@/rsa.pem", "secret", ["PEM file"]),
    "unknown-algorithm": ("algorithms = RS257\npublic-key = @/rsa.pem", "algorithms", ["RS257", "RS256"]),
    "unknown-encryption": ("encryption = A255GCM\nsecret = file:@/raw", "encryption", ["A255GCM", "A256GCM"]),
    "both": ("algorithms = HS256\nencryption = A256GCM\nsecret = file:@/raw", "algorithms", ["encryption"]),
    "size-of-key": ("encryption = A256CBC-HS512\nsecret = file:@/raw", "secret", ["32 bytes", "64"]),
    "private-jwks": ("algorithms = RS256\njwks = file:@/private.jwks", "jwks", ["private"]),
    "secret-jwks": ("algorithms = RS256\njwks = file:@/secret.jwks", "jwks", ["secret"]),
    "no-url": ("algorithms = RS256\njwks = @/good.jwks", "jwks", ["good.jwks", "https://"]),
    "no-such-file": ("algorithms = RS256\njwks = file:@/none.jwks", "jwks", ["none.jwks", "No such file"]),
    "option-of-another-type": ("algorithms = HS256\nsecret = file:@/secret\nsalt = x", "salt",
                               ["type jwt", "remove it"]),
    "clerk-without-iss": ("type = clerk\njwks = file:@/clerk.jwks", "iss", ["https://clerk."]),
    "clerk-with-es256": (f"type = clerk\niss = {CLERK}\nalgorithms = ES256\npublic-key = @/ec.pem", "algorithms",
                         ["RS256"]),
    "clerk-with-secret": (f"type = clerk\niss = {CLERK}\nsecret = file:@/secret", "secret", ["type clerk"]),
}


@pytest.mark.parametrize("options, key, words", WRONG.values(), ids=WRONG)
def test_wrong_issuer(site, options, key, words):
    site.write(f'[issuer "main"]\n{options}\n')
    place = rf"{re.escape(str(site.configuration))}:\d+: " + (f"{key}: " if key else "")
    for command in ([AUTHCTL, "check"], [harness.program("auth-verify"), "-t"]):
        done = subprocess.run([*command, "-c", str(site.configuration)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, env=harness.environment(), timeout=10)
        text = done.stdout + done.stderr
        assert done.returncode == 78, text
        assert re.search(place, text), text
        for word in words:
            assert word in text
        assert SECRET not in text and RAW not in text and KEYS["rsa"].export_private(as_dict=True)["d"] not in text


def test_two_that_nothing_tells_apart(site):
    issuer = '[issuer "{}"]\nalgorithms = HS256\nsecret = file:@/secret\n'
    site.write(issuer.format("one") + issuer.format("two"))
    failed, = [row for row in site.json("check", status=78) if row["result"] == "FAILED"]
    assert "[issuer \"one\"] and [issuer \"two\"] cannot be told apart" in failed["text"]


def test_a_party_says_whom_a_token_is_for(site):
    for more, warned in (("", True), ("authorized-parties = https://wiki.example\n", False)):
        site.write('[issuer "main"]\nalgorithms = HS256\nsecret = file:@/secret\niss = https://sso.example\n' + more)
        assert any("no audience" in row["text"] for row in site.json("check")) == warned


def test_placeholder_is_warned_of(site):
    site.write('[issuer "main"]\nalgorithms = HS256\nsecret = file:@/placeholder\n')
    assert any("placeholder" in row["text"] for row in site.json("check") if row["result"] == "warning")


SIDE_BY_SIDE = f"""
[issuer "shared"]
algorithms = HS256
secret = file:@/secret
cookie = sso

[issuer "old"]
iss = https://id.example
algorithms = RS256
public-key = @/rsa.pem

[issuer "new"]
iss = https://id.example
algorithms = ES256
jwks = file:@/good.jwks

[issuer "sealed"]
encryption = A256GCM
secret = file:@/raw
user-id = user.id

[issuer "clerk"]
type = clerk
iss = {CLERK}
jwks = file:@/clerk.jwks
authorized-parties = https://app.example.com
"""
#: Nobody listens there.
FAR = """
[issuer "far"]
iss = https://far.example
algorithms = EdDSA
jwks = http://127.0.0.1:1/jwks
"""


def payload(**claims):
    return {"sub": "ann", "iat": NOW - 10, "exp": NOW + 60} | claims


def sealed(key, **claims):
    token = jwe.JWE(json.dumps(claims), json.dumps({"alg": "dir", "enc": "A256GCM"}))
    token.add_recipient(jwk.JWK(kty="oct", k=jwt.utils.base64url_encode(key.encode()).decode()))
    return token.serialize(compact=True)


def clerk(headers=None, **claims):
    return jwt.encode(payload(iss=CLERK, azp="https://app.example.com", **claims), private("clerk"), "RS256",
                      headers={"kid": "ins_1"} | (headers or {}))


def test_each_token_finds_its_issuer(site):
    site.write(SIDE_BY_SIDE, "path = /**\nattribute = AUTH_ROLE = claim:org_role\n"
                             "attribute = AUTH_MAY = claim:org_permissions")
    iss = "https://id.example"
    rows = [
        (jwt.encode(payload(), SECRET, "HS256"), [], "ok"),
        (jwt.encode(payload(), SECRET, "HS256"), ["--cookie", "sso"], "ok"),
        (jwt.encode(payload(iss=iss), private("rsa"), "RS256"), [], "ok"),
        (jwt.encode(payload(iss=iss), private("ec"), "ES256", headers={"kid": "e1"}), [], "ok"),
        (jwt.encode(payload(iss=iss), private("ec"), "ES256", headers={"kid": "e2"}), [], "bad_issuer"),
        (sealed(RAW, exp=NOW + 60, user={"id": "ann"}), [], "ok"),
        (sealed(RAW[::-1], exp=NOW + 60, user={"id": "ann"}), [], "decrypt_failed"),
        (clerk(), [], "ok"),
        (clerk(), ["--cookie", "__session"], "ok"),
        # Signed by one, with the iss or in the cookie of another.
        (jwt.encode(payload(iss=iss), SECRET, "HS256"), [], "bad_issuer"),
        (jwt.encode(payload(iss=CLERK), SECRET, "HS256"), [], "bad_algorithm"),
        (jwt.encode(payload(iss=CLERK), private("rsa"), "RS256"), [], "bad_signature"),
        (jwt.encode(payload(iss=CLERK), private("rsa"), "RS256", headers={"kid": "r1"}), [], "unknown_key"),
        (clerk(), ["--cookie", "sso"], "bad_algorithm"),
        (jwt.encode(payload(), SECRET, "HS256"), ["--cookie", "__session"], "bad_algorithm"),
        (clerk(headers={"cat": "cl_B7d4PD333AAA"}), [], "bad_claim"),
        (clerk(sub="mch_1"), [], "bad_claim"),
        ("mt_abc", [], "token_malformed"),
    ]
    for token, words, reason in rows:
        answer = site.verify(token, *words)
        assert answer["reason"] == reason, (words, answer)
        assert answer["user_id"] == ("ann" if reason == "ok" else None)


def test_organisation_of_clerk(site):
    site.write(SIDE_BY_SIDE, "path = /**\nrequire = claim:org_role = org:admin\n"
                             "attribute = AUTH_MAY = claim:org_permissions")
    organisation = {"id": "org_1", "slg": "acme", "rol": "admin", "per": "read,manage", "fpm": "3"}
    answer = site.verify(clerk(v=2, o=organisation, fea="o:wiki"))
    assert answer["attributes"] == {"AUTH_MAY": "org:wiki:read,org:wiki:manage"}
    assert answer["claims"]["org_id"] == "org_1" and answer["claims"]["o"] == organisation
    version_1 = {"org_id": "org_1", "org_role": "org:admin", "org_permissions": ["org:wiki:read"]}
    assert site.verify(clerk(**version_1))["attributes"] == {"AUTH_MAY": "org:wiki:read"}
    assert site.reason(clerk(v=2, o=organisation | {"rol": "member"}, fea="o:wiki")) == "rule_failed"


def test_longest_token(site):
    site.write('[issuer "main"]\nalgorithms = HS256\nsecret = file:@/secret\nmax-token = 1k\n')
    small, large = (jwt.encode(payload(x="y" * n), SECRET, "HS256") for n in (500, 1000))
    assert site.reason(small) == "ok" and site.reason(large) == "token_malformed"
    _, rows = site.explain(large)
    assert rows["size"] == ("at most 1024 bytes (max-token)", f"{len(large)} bytes")


def test_check_lists_keys(site):
    site.write(SIDE_BY_SIDE)
    text = "\n".join(f"{row['what']}: {row['text']}" for row in site.json("check"))
    for line in ('issuer "shared": key for HS256, any kid, 512 bits, from secret',
                 'issuer "old": key for RS256, any kid, 2048 bits, from public-key',
                 f'issuer "new": key for ES256, kid "e1", 256 bits, from file:{site.folder}/good.jwks',
                 'issuer "sealed": key for A256GCM, any kid, 256 bits, from secret',
                 'issuer "clerk": type clerk, algorithms RS256',
                 f'issuer "clerk": key for RS256, kid "ins_1", 2048 bits, from file:{site.folder}/clerk.jwks'):
        assert line in text


def flip(token, at):
    return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:]


def test_explain_says_what_was_wanted_of_the_token(site):
    site.write(SIDE_BY_SIDE)
    hs = jwt.encode(payload(), SECRET, "HS256")
    header, body, signature = hs.split(".")
    crit = jwt.encode(payload(), SECRET, "HS256", headers={"crit": ["x"]})
    cases = [
        (flip(hs, len(header) + len(body) + 10), "bad_signature", "signature", "another one"),
        (f"{header}.{body}", "token_malformed", "form", "2 parts"),
        (f"{header}.{body}.{signature}=", "token_malformed", "signature", "other bytes"),
        (f"{header}.W10.{signature}", "token_malformed", "payload", "another value"),
        (f"eyJ9.{body}.{signature}", "token_malformed", "header", "something else"),
        (crit, "token_malformed", "crit", '["x"]'),
        (jwt.encode(payload(iss=CLERK), SECRET, "HS256"), "bad_algorithm", "alg", '"HS256"'),
        (jwt.encode(payload(iss=CLERK), private("rsa"), "RS256", headers={"kid": "r1"}), "unknown_key", "kid", "r1"),
        (clerk(headers={"cat": "cl_B7d4PD333AAA"}), "bad_claim", "cat", '"cl_B7d4PD333AAA"'),
        (clerk(headers={"typ": "at+jwt"}), "bad_claim", "typ", '"at+jwt"'),
        (clerk(sub=7), "bad_claim", "user id", "7"),
        (sealed(RAW[::-1], exp=NOW + 60, user={"id": "ann"}), "decrypt_failed", "decryption", "another one"),
    ]
    for token, reason, what, came in cases:
        answer, rows = site.explain(token)
        assert answer["reason"] == reason, answer
        assert rows[what][0], (what, rows)
        assert rows[what][1] is None if came is None else came in rows[what][1], rows[what]
        assert answer["hint"]
    answer, rows = site.explain(clerk(headers={"kid": "ins_2"}))
    assert rows["kid"] == ('"ins_1" (RS256, 2048 bits)', '"ins_2"') and "iss" in rows
    answer, rows = site.explain(sealed(RAW[::-1], exp=NOW + 60, user={"id": "ann"}))
    assert "same secret" in answer["hint"] and not {"exp", "user id", "iss"} & set(rows)
    _, rows = site.explain(jwt.encode(payload(iss="https://id.example"), private("ed"), "EdDSA"))
    assert '"shared" (any iss), "old" (iss https://id.example)' in rows["issuer"][0]
    assert rows["alg"][1] == '"EdDSA"' and rows["iss"][1] == '"https://id.example"'


def test_keys_that_cannot_be_fetched(site):
    site.write(SIDE_BY_SIDE + FAR)
    token = jwt.encode(payload(iss="https://far.example"), private("ed"), "EdDSA")
    done = site.call("explain", "--now", str(NOW), text=token)
    assert done.returncode == 1 and "answer       deny, 503 keys_unavailable" in done.stdout
    assert "wanted those at http://127.0.0.1:1/jwks, which have not been fetched; came nothing" in done.stdout
    token = jwt.encode(payload(iss="https://far.example"), SECRET, "HS256")
    assert "401 bad_algorithm" in site.call("explain", "--now", str(NOW), text=token).stdout


def test_cookie_with_another_prefix(site):
    site.write('[issuer "main"]\nalgorithms = HS256\nsecret = file:@/secret\ncookie = __Secure-sso\n')
    done = site.run("explain", "--now", str(NOW), "--cookie", "sso", text=jwt.encode(payload(), SECRET, "HS256"),
                    status=1)
    assert "cookie sso came, but __Secure-sso is looked for" in done.stdout
