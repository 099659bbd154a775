# SPDX-License-Identifier: Apache-2.0
"""A vector (README.md) as a configuration: one issuer and one policy made for it in a folder of its own."""

import base64
import json
import re
from pathlib import Path

#: The maker's word for a refusal, and ours (fcgi-auth.conf(5), authctl(8)).
REASONS = {
    "alg-not-allowed": "bad_algorithm", "bad-signature": "bad_signature", "claim-type": "bad_claim",
    "crit": "token_malformed", "decrypt-failed": "decrypt_failed", "enc-not-allowed": "bad_algorithm",
    "expired": "token_expired", "forbidden-claim": "rule_failed", "iat-in-future": "not_yet_valid",
    "insufficient-scope": "rule_failed", "jwk-alg-mismatch": "bad_algorithm", "key-type-mismatch": "bad_algorithm",
    "key-use": "unknown_key", "malformed": "token_malformed", "missing-claim": "bad_claim",
    "missing-kid": "unknown_key", "not-yet-valid": "not_yet_valid", "revoked": "token_revoked",
    "unknown-kid": "unknown_key", "unsafe-claim": "bad_claim", "weak-key": "config", "wrong-aud": "bad_audience",
    "wrong-azp": "bad_party", "wrong-category": "bad_claim", "wrong-iss": "bad_issuer", "wrong-typ": "bad_claim",
    "zip-not-supported": "token_malformed",
}
#: Where the RFCs leave the choice to us and we decided otherwise than the maker: the verdict, and why.
DECIDED = {
    "duplicate-claim-sub-last-wins": ("token_malformed", "a member that comes twice is refused, whoever would win"),
}
HASH_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
MAX_TOKEN, LARGEST_TOKEN = 16 << 10, 128 << 10
CLERK_ALGORITHMS = {"RS256", "RS384", "RS512"}


def as_list(value):
    return [] if value is None else value if isinstance(value, list) else [value]


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def part_of(row, n):
    """Header (0) or claims set (1) of a signed token, when it can be read."""
    try:
        value = json.loads(decoded(row["token"].split(".")[n]))
        return value if isinstance(value, dict) else {}
    except (ValueError, IndexError):
        return {}


def expected(row):
    """("accept", None), or ("reject", our word for the reason)."""
    if row["name"] in DECIDED:
        return "reject", DECIDED[row["name"]][0]
    reason = row.get("reason")
    return row["expect"], REASONS.get(reason, reason)


def types(row):
    """The types of issuers that take such tokens, each with such a policy."""
    kind, policy, key = row.get("kind", "jws"), row["policy"], row["key"]["type"]
    if kind in ("nextauth-v4", "authjs-v5"):
        return [kind.split("-")[0]]
    if kind.startswith("better-auth"):
        return ["better-auth"]
    found = ["jwt"]
    if row["name"].startswith("clerk-") and set(policy["algs"]) <= CLERK_ALGORITHMS and key in ("jwks", "pem"):
        found.append("clerk")
    # What Clerk alone looks at.
    if policy.get("checkIat") or policy.get("headerForbid"):
        found.remove("jwt")
    if row["name"].startswith("better-auth-") and policy.get("userClaim") in ("user.id", "sub") \
            and (row.get("cookieName") or (key == "jwks" and not policy.get("typ"))):
        found.append("better-auth")
    return found


def is_whole(row):
    """Has the cookie header all of the token? Without a chunk it is another one."""
    name = re.escape(row.get("cookieName", ""))
    chunks = re.findall(rf"(?:^|; ){name}\.(\d+)=([^;]*)", row.get("cookieHeader", ""))
    joined = "".join(value for _, value in sorted(chunks, key=lambda chunk: int(chunk[0])))
    return not chunks or joined == row["token"]


class Configuration:
    """What a vector's configuration says, written into a folder."""

    def __init__(self, folder, row, type_, session_url=None):
        self.folder, self.row, self.type = Path(folder), row, type_
        self.issuer, self.policy, self.secrets = [("type", type_)], [("path", "/**"), ("issuer", "main")], []
        self.policy.append(("unauthenticated", "401"))
        self._key(row["key"])
        self._claims(row["policy"])
        self._settings(session_url)
        self._rules(row["policy"])
        self.path = self.folder / "fcgi-auth.conf"
        state = self.folder / "state"
        state.mkdir(mode=0o700)
        sections = {"server": [("state-dir", state), ("log", "stderr")], 'issuer "main"': self.issuer,
                    'policy "all"': self.policy}
        self.path.write_text("".join(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in rows)
                                     for name, rows in sections.items()), "utf-8")

    def _file(self, name, content):
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def _secret(self, value):
        raw = value if isinstance(value, bytes) else value.encode()
        # One line end at the end of the file is not part of the secret.
        path = self._file(f"secret-{len(self.secrets)}", raw + b"\n")
        self.secrets.append(raw)
        self.issuer.append(("secret", f"file:{path}"))

    def _key(self, key):
        kind = key["type"]
        if kind in ("secret", "secrets", "hkdf"):
            for value in key.get("secrets") or key.get("values") or [key["value"]]:
                self._secret(value)
        elif kind == "pem":
            self.issuer.append(("public-key", self._file("key.pem", key["pem"])))
        elif kind == "jwks":
            self.issuer.append(("jwks", f"file:{self._file('jwks.json', json.dumps(key['jwks']))}"))
        elif key["jwk"]["kty"] == "oct":
            self._secret(decoded(key["jwk"]["k"]))
        else:
            self.issuer.append(("public-key", self._file("key.jwk", json.dumps(key["jwk"]))))

    def _claims(self, policy):
        if self.type == "jwt" and policy.get("encs"):
            self.issuer += [("encryption", name) for name in policy["encs"]]
        elif self.type == "jwt" or (self.type == "better-auth" and self.row["key"]["type"] == "jwks"):
            self.issuer += [("algorithms", name) for name in policy["algs"]]
        for option, name in (("iss", "iss"), ("audience", "aud"), ("authorized-parties", "azp"), ("typ", "typ")):
            self.issuer += [(option, value) for value in as_list(policy.get(name))]
        if self.type == "jwt":
            self.issuer.append(("leeway", f"{policy.get('leeway', 0)}s"))
        if self.type in ("jwt", "clerk"):
            self.issuer += [("user-id", path) for path in as_list(policy.get("userClaim"))]

    def _settings(self, session_url):
        row, policy = self.row, self.row["policy"]
        if row.get("cookieName"):
            self.issuer.append(("cookie", row["cookieName"]))
        if "exp" not in policy.get("require", []) and row["expect"] == "accept" and self.type == "jwt" \
                and "encs" not in policy and "exp" not in part_of(row, 1):
            self.issuer.append(("require-exp", "off"))
        least = min(HASH_BYTES.get(name, 0) for name in policy.get("algs", ["HS256"]))
        if row["expect"] == "accept":
            least = HASH_BYTES.get(part_of(row, 0).get("alg"), least)
        short = any(0 < len(secret) < least for secret in self.secrets)
        if short and row["key"]["type"] != "hkdf" and row.get("reason") not in ("weak-key", "config"):
            self.issuer.append(("allow-short-secret", "on"))
        longest = max(len(row["token"]), len(row.get("cookieHeader", "")))
        if longest > MAX_TOKEN and "too-long" not in row["name"]:
            self.issuer.append(("max-token", LARGEST_TOKEN))
        if self.type == "nextauth" and row["key"].get("salt"):
            self.issuer.append(("salt", row["key"]["salt"]))
        if row.get("kind") == "better-auth-cookie":
            self.issuer.append(("session-url", session_url))
        settings = {name: f"{value}s" if value.isdigit() else value for name, value in row.get("settings", {}).items()}
        self.issuer = [pair for pair in self.issuer if pair[0] not in settings] + list(settings.items())

    def _rules(self, policy):
        self.policy += [("require", f"scope contains {word}") for word in policy.get("scope", [])]
        for path, value in policy.get("requireClaim", {}).items():
            text = str(value).lower() if isinstance(value, bool) else value
            name = path if re.fullmatch(r"[\w.-]+", path) else f'"{path}"'
            self.policy.append(("require", f"claim:{name} = {text}"))
