#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mint tokens.json with PyJWT and jwcrypto: tokens made by others, for test_issuer."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import jwt
from jwcrypto import jwk, jws

NOW = 1767225600
SECRET = "first-Dw8fQm2LrXk5Zs9TbVy3Hc6Np1Jg4Ea7Ui0Oo"
SECOND = "second-Kp4Wn8Rt1Yx6Bq3Mv9Lz2Cd5Fh7Gj0Sa4Eu"
LONG = "long-" + "q7Rk2Tz9Wb4Xn1Cv6Pd3Hs8Jf5Lg0My" * 2
SHORT = "k" + "9" * 30
cases = []


def pyjwt(payload, secret=SECRET, alg="HS256", headers=None):
    return jwt.encode(payload, secret, algorithm=alg, headers=headers)


def jwcrypto(payload, secret=SECRET, alg="HS256", header=None):
    """A token by jwcrypto; payload may be text that no JSON library would print."""
    key = jwk.JWK(kty="oct", k=b64(secret.encode()))
    text = payload if isinstance(payload, (str, bytes)) else json.dumps(payload)
    made = jws.JWS(text)
    made.add_signature(key, alg, json.dumps({"alg": alg, **(header or {})}))
    return made.serialize(compact=True)


def b64(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def raw(header, payload, secret=SECRET):
    """A token of exactly these bytes, which no library makes."""
    signed = b64(header.encode()) + "." + b64(payload.encode() if isinstance(payload, str) else payload)
    return signed + "." + b64(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))


def claims(**more):
    return {"sub": "alice", "iat": NOW - 60, "exp": NOW + 600, **more}


def without(name):
    return {k: v for k, v in claims().items() if k != name}


def short(value):
    text = json.dumps(value)
    return text if len(text) <= 24 else "%s…%d" % (text[:16], len(value))


def case(name, maker, token, reason=None, user="alice", secrets=(SECRET,), policy=None, settings=None):
    row = {"name": name, "issuer": maker, "token": token, "key": {"type": "secrets", "values": list(secrets)},
           "policy": {"algs": ["HS256"], "leeway": 0, **(policy or {})}, "now": NOW,
           "expect": "reject" if reason else "accept"}
    if reason:
        row["reason"] = reason
    else:
        row["user"] = user
    if settings:
        row["settings"] = settings
    cases.append(row)


def pj(name, payload, reason=None, **more):
    headers = more.pop("headers", None)
    case(name, "PyJWT " + jwt.__version__, pyjwt(payload, headers=headers), reason, **more)


def jc(name, payload, reason=None, **more):
    header = more.pop("header", None)
    case(name, "jwcrypto", jwcrypto(payload, header=header), reason, **more)


def by_hand(name, payload, reason=None, **more):
    header = more.pop("header", '{"alg":"HS256"}')
    case(name, "by hand", raw(header, payload), reason, **more)


HEX = '{"sub":"alice","exp":%d' % (NOW + 600)

# algorithms and keys
pj("plain", claims())
jc("plain-jwcrypto", claims())
for alg, secret in (("HS384", LONG), ("HS512", LONG)):
    case(alg, "PyJWT " + jwt.__version__, pyjwt(claims(), LONG, alg), secrets=[LONG], policy={"algs": [alg]})
    case(alg + "-not-allowed", "jwcrypto", jwcrypto(claims(), LONG, alg), "bad_algorithm", secrets=[LONG])
    case("HS256-where-" + alg, "jwcrypto", jwcrypto(claims(), LONG), "bad_algorithm", secrets=[LONG],
         policy={"algs": [alg]})
case("second-secret", "jwcrypto", jwcrypto(claims(), SECOND), secrets=[SECRET, SECOND])
case("retired-secret", "jwcrypto", jwcrypto(claims(), SECOND), "bad_signature")
case("none", "PyJWT " + jwt.__version__, jwt.encode(claims(), None, algorithm="none"), "bad_algorithm")
for alg in ("none", "None", "NONE", "nOnE", ""):
    by_hand("alg-" + (alg or "empty"), json.dumps(claims()), "bad_algorithm", header=json.dumps({"alg": alg}))
for alg in (None, 1, ["HS256"], {"HS256": 1}, True):
    by_hand("alg-%s" % type(alg).__name__, json.dumps(claims()), "bad_algorithm", header=json.dumps({"alg": alg}))
by_hand("alg-missing", json.dumps(claims()), "bad_algorithm", header='{"typ":"JWT"}')
by_hand("alg-lower-case", json.dumps(claims()), "bad_algorithm", header='{"alg":"hs256"}')
by_hand("alg-NUL", json.dumps(claims()), "token_malformed", header='{"alg":"HS256\\u0000"}')
by_hand("alg-escaped", json.dumps(claims()), header='{"\\u0061lg":"HS\\u003256"}')
case("empty-key", "by hand", raw('{"alg":"HS256"}', json.dumps(claims()), ""), "bad_signature")
case("short-secret", "PyJWT " + jwt.__version__, pyjwt(claims(), SHORT), "config", secrets=[SHORT])
case("short-secret-allowed", "PyJWT " + jwt.__version__, pyjwt(claims(), SHORT), secrets=[SHORT],
     settings={"allow-short-secret": "on"})
case("blank-secret", "by hand", raw('{"alg":"HS256"}', json.dumps(claims()), " \t \n" * 12), "config",
     secrets=[" \t \n" * 12], settings={"allow-short-secret": "on"})
for alg, reason in (("HS256", None), ("HS512", "unknown_key")):
    case("short-for-HS512-" + alg, "PyJWT " + jwt.__version__, pyjwt(claims(), SECRET, alg), reason,
         policy={"algs": ["HS512", "HS256"]})

# headers
for name, value in (("crit", '["x"]'), ("crit", "[]"), ("crit", '"b64"'), ("crit", "[1]"), ("crit", '["exp"]'),
                    ("b64", "false"), ("b64", "true"), ("zip", '"DEF"'), ("enc", '"A256GCM"'), ("kid", "1"),
                    ("kid", "{}"), ("kid", '"a\\u0000"'), ("typ", "1"), ("alg", '"HS256"')):
    by_hand("header-%s-%s" % (name, value), json.dumps(claims()), "token_malformed",
            header='{"alg":"HS256","%s":%s}' % (name, value))
for name, value in (("jku", "http://127.0.0.1:1/"), ("x5u", "http://127.0.0.1:1/"), ("x5c", ["MIIB"]),
                    ("jwk", {"kty": "oct", "k": "AAAA"})):
    jc("header-%s-ignored" % name, claims(), header={name: value})
pj("kid-path-traversal", claims(), headers={"kid": "../../../../dev/null"})
pj("typ-any", claims(), headers={"typ": "at+jwt"})
for typ, want, reason in (("JWT", "JWT", None), ("jwt", "JWT", None), ("at+jwt", "at+jwt", None),
                          ("application/at+jwt", "at+jwt", None), ("AT+JWT", "application/at+jwt", None),
                          ("JWT", "at+jwt", "bad_claim"), ("application/", "at+jwt", "bad_claim"),
                          ("at+jwt2", "at+jwt", "bad_claim")):
    pj("typ-%s-for-%s" % (typ, want), claims(), reason, headers={"typ": typ}, policy={"typ": [want]})
jc("typ-missing", claims(), "bad_claim", policy={"typ": ["JWT"]})

# issuer, audience, party
ISS = {"iss": ["https://a.test", "https://b.test/"]}
for iss, reason in (("https://a.test", None), ("https://b.test/", None), ("https://b.test", "bad_issuer"),
                    ("https://a.test/", "bad_issuer"), ("https://a.test.evil", "bad_issuer"), ("", "bad_issuer"),
                    ("a.test", "bad_issuer"), (None, "bad_issuer"), (["https://a.test"], "bad_issuer"),
                    (1, "bad_issuer")):
    jc("iss-%s" % json.dumps(iss), claims(iss=iss), reason, policy=ISS)
jc("iss-missing", claims(), "bad_issuer", policy=ISS)
jc("iss-any", claims(iss="https://whoever.test"))
jc("iss-number-any", claims(iss=1), "bad_issuer")
AUD = {"aud": ["app", "api"]}
for aud, reason in (("app", None), ("api", None), (["x", "api"], None), ([1, None, "app"], None),
                    ("ap", "bad_audience"), ("app2", "bad_audience"), ("App", "bad_audience"), ("", "bad_audience"),
                    ([], "bad_audience"), (["x"], "bad_audience"), ([["app"]], "bad_audience"),
                    ({"app": "app"}, "bad_audience"), (None, "bad_audience"), (1, "bad_audience")):
    jc("aud-%s" % json.dumps(aud), claims(aud=aud), reason, policy=AUD)
jc("aud-missing", claims(), "bad_audience", policy=AUD)
jc("aud-any", claims(aud="whatever"))
AZP = {"azp": ["https://front.test"]}
for azp, reason in (("https://front.test", None), ("https://front.test/", "bad_party"), (None, "bad_party"),
                    (["https://front.test"], "bad_party")):
    jc("azp-%s" % json.dumps(azp), claims(azp=azp), reason, policy=AZP)
jc("azp-missing", claims(), "bad_party", policy=AZP)

# times
for exp, reason in ((NOW + 1, None), (NOW, "token_expired"), (NOW - 1, "token_expired"), (0, "token_expired"),
                    (NOW + 1.5, None), (NOW + 0.5, "token_expired"), (2 ** 31, None), (2 ** 63, None),
                    (2 ** 64, None), (10 ** 18, None), (-1, "bad_claim"), (str(NOW + 600), "bad_claim"),
                    (None, "bad_claim"), (True, "bad_claim"), ([NOW + 600], "bad_claim")):
    jc("exp-%s" % json.dumps(exp), claims(exp=exp), reason)
for exp, reason in (("1e400", "bad_claim"), ("-1e400", "bad_claim"), ("1e300", None), ("1.9e9", None),
                    ("19e8", None), ("1900000000000e-3", None), ("-0.5", "bad_claim"), ("1e-400", "token_expired"),
                    ("NaN", "token_malformed"), ("Infinity", "token_malformed"), ("+1900000000", "token_malformed"),
                    ("01900000000", "token_malformed"), ("1900000000.", "token_malformed"),
                    ("0x713fb300", "token_malformed")):
    by_hand("exp-as-%s" % exp, '{"sub":"alice","exp":%s}' % exp, reason)
jc("exp-missing", without("exp"), "bad_claim")
jc("exp-missing-allowed", without("exp"), settings={"require-exp": "off"})
jc("exp-null-allowed-missing", claims(exp=None), "bad_claim", settings={"require-exp": "off"})
for exp, reason in ((NOW - 14, None), (NOW - 15, "token_expired")):
    jc("exp-leeway-%d" % (NOW - exp), claims(exp=exp), reason, policy={"leeway": 15})
for nbf, leeway, reason in ((NOW, 0, None), (NOW + 1, 0, "not_yet_valid"), (NOW + 15, 15, None),
                            (NOW + 16, 15, "not_yet_valid"), (2 ** 64, 0, "not_yet_valid"), ("0", 0, "bad_claim"),
                            (None, 0, "bad_claim"), (-1, 0, "bad_claim")):
    jc("nbf-%s-leeway-%d" % (json.dumps(nbf), leeway), claims(nbf=nbf), reason, policy={"leeway": leeway})
jc("iat-missing", without("iat"))
jc("iat-ahead", claims(iat=NOW + 300))
jc("iat-string", claims(iat=str(NOW)), "bad_claim")
jc("iat-null", claims(iat=None), "bad_claim")
HOUR = {"max-lifetime": "3600"}
jc("lifetime-at-limit", claims(iat=NOW, exp=NOW + 3600), settings=HOUR)
jc("lifetime-over-limit", claims(iat=NOW, exp=NOW + 3601), "bad_claim", settings=HOUR)
jc("lifetime-without-iat", without("iat"), "bad_claim", settings=HOUR)
jc("lifetime-without-exp", without("exp"), "bad_claim", settings={"require-exp": "off", **HOUR})

# user
for sub in ("", " alice", "alice ", "\talice", "a\nb", "a\r\nSet-Cookie: x=y", "a\u007f", "x" * 256, None, True, {},
            [], ["alice"], 1.5):
    jc("sub-%s" % short(sub), claims(sub=sub, user_id="other"), "bad_claim")
by_hand("sub-NUL", HEX.replace("alice", "admin\\u0000x") + "}", "token_malformed")
for sub in ("x" * 255, "a b", "bj\u00f6rn@example.test", "auth0|123"):
    jc("sub-%s" % short(sub), claims(sub=sub), user=sub)
for text, reason in (("42", None), ("-7", None), ("123456789012345678901234567890", None), ("0", None),
                     ("-0", "bad_claim"), ("1.0", "bad_claim"), ("1e3", "bad_claim")):
    by_hand("sub-number-%s" % text, '{"sub":%s,"exp":%d}' % (text, NOW + 600), reason, user=text)
jc("user_id", {**without("sub"), "user_id": 42}, user="42")
jc("sub-before-user_id", claims(user_id="other"))
jc("user-missing", without("sub"), "bad_claim")
jc("user-path", claims(user={"id": "u1"}), user="u1", policy={"userClaim": ["user.id", "sub"]})
jc("user-path-absent", claims(user={"name": "u1"}), policy={"userClaim": ["user.id", "sub"]})
jc("user-path-through-string", claims(user="id"), policy={"userClaim": ["user.id", "sub"]})
jc("user-path-quoted", claims(**{"https://a.test/id": "u2"}), user="u2", policy={"userClaim": ['"https://a.test/id"']})

# JSON
for name, more in (("twice", ',"sub":"bob"'), ("escaped-twice", ',"s\\u0075b":"bob"'),
                   ("nested-twice", ',"a":{"b":1,"b":2}'),
                   ("control", ',"a":"\t"'), ("comma", ","), ("comment", "/**/"), ("surrogate", ',"a":"\\ud800"'),
                   ("depth-17", ',"a":' + "[" * 16 + "]" * 16), ("nodes", "".join(',"m%d":0' % i for i in range(998)))):
    by_hand("json-" + name, HEX + more + "}", "token_malformed")
by_hand("json-depth-16", HEX + ',"a":' + "[" * 15 + "]" * 15 + "}")
by_hand("json-most-nodes", HEX + "".join(',"m%d":0' % i for i in range(997)) + "}")
by_hand("json-trailing", HEX + "}x", "token_malformed")
by_hand("json-two", HEX + "}{}", "token_malformed")
by_hand("json-BOM", "\ufeff" + HEX + "}", "token_malformed")
by_hand("json-UTF-16", (HEX + "}").encode("utf-16-le"), "token_malformed")
by_hand("json-overlong", HEX.encode() + b',"a":"\xc0\xaf"}', "token_malformed")
for text in ("[1]", '"x"', "null", "1", "", " "):
    by_hand("payload-%s" % text, text, "token_malformed")

# the compact form
good = pyjwt(claims())
head, body, sig = good.split(".")
for name, token in (
        ("empty", ""), ("dot", "."), ("dots", ".."), ("many-dots", "." * 8000), ("two-parts", head + "." + body),
        ("four-parts", good + "."), ("six-parts", good + "..."),
        ("no-header", "." + body + "." + sig), ("no-payload", head + ".." + sig), ("leading-space", " " + good),
        ("trailing-space", good + " "), ("line-end", good + "\n"), ("padding", good + "="),
        ("plus", head + "." + body + ".+" + sig[1:]), ("slash", head + "." + body + "./" + sig[1:]),
        ("space-inside", head[:4] + " " + head[4:] + "." + body + "." + sig),
        ("NUL-inside", head + "\0." + body + "." + sig), ("non-ASCII", head + "\u00e9." + body + "." + sig),
        ("last-bits", good[:-1] + chr(ord(good[-1]) + 1)), ("too-long", head + "." + "A" * 16384 + "." + sig)):
    case("form-" + name, "by hand", token, "token_malformed")
case("form-five-parts", "by hand", good + "..", "bad_algorithm")
for name, token in (("no-signature", head + "." + body + "."),
                    ("short-signature", head + "." + body + "." + b64(urlsafe_b64decode(sig + "=")[:31])),
                    ("long-signature", good[:-1] + "AAAA" + "A"),
                    ("other-payload", head + "." + b64(json.dumps(claims(sub="bob")).encode()) + "." + sig),
                    ("other-signature", head + "." + body + "." + ("A" if sig[0] != "A" else "B") + sig[1:])):
    case("form-" + name, "by hand", token, "bad_signature")

print("[\n" + ",\n".join(json.dumps(row, sort_keys=True) for row in cases) + "\n]")
