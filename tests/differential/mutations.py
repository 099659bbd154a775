# SPDX-License-Identifier: Apache-2.0
"""Ways to make a token wrong, odd, or spelled otherwise. Each gets a Case and gives the bytes of a token."""

import json

import tokens

NOW = 1767225600
ISSUER, AUDIENCE = "https://issuer.test", "app"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Case:
    """One token to mutate: its algorithm, key, claims and text."""

    def __init__(self, random, keys, name):
        self.random, self.keys, self.name, self.key = random, keys, name, keys.of[name]
        self.header = tokens.plain_header(name)
        self.claims = {"sub": random.choice(("alice", "bob", "user-17", "zoë")), "iss": ISSUER, "aud": AUDIENCE,
                       "iat": NOW - 60, "exp": NOW + 600}
        if random.random() < 0.3:
            self.claims["roles"] = ["admin", "reader"][:random.randrange(3)]
        self.text = self.make(self.header, self.claims)

    def make(self, header, claims):
        return self.make_bytes(tokens.dump(header), tokens.dump(claims))

    def make_bytes(self, header, payload):
        self.made = header, payload
        return tokens.make(self.name, self.key, header, payload)

    def parts(self):
        return self.text.split(".")


def pick(case, sequence):
    return sequence[case.random.randrange(len(sequence))]


# --- the text, with the signature left as it was --------------------------------------

def nothing(case):
    return case.text


def flip_bit(case):
    data = bytearray(case.text.encode())
    data[case.random.randrange(len(data))] ^= 1 << case.random.randrange(8)
    return bytes(data)


def flip_decoded_bit(case):
    parts = case.parts()
    n = case.random.choice([i for i, part in enumerate(parts) if part])
    data = bytearray(tokens.unb64(parts[n]))
    data[case.random.randrange(len(data))] ^= 1 << case.random.randrange(8)
    parts[n] = tokens.b64(bytes(data))
    return ".".join(parts)


def change_character(case):
    at = case.random.randrange(len(case.text))
    return case.text[:at] + pick(case, ALPHABET) + case.text[at + 1:]


def change_last_bits(case):
    """The last character of a part, whose lowest bits say nothing."""
    parts = case.parts()
    n = case.random.choice([i for i, part in enumerate(parts) if part])
    at = ALPHABET.index(parts[n][-1])
    parts[n] = parts[n][:-1] + ALPHABET[at ^ pick(case, (1, 2, 3, 4, 8, 12, 15))]
    return ".".join(parts)


def other_alphabet(case):
    at = case.random.randrange(len(case.text))
    if case.random.random() < 0.5:
        return case.text.replace("-", "+").replace("_", "/")
    return case.text[:at] + pick(case, "+/=~*%:, \t\r\n\0\x7f") + case.text[at + case.random.randrange(2):]


def pad(case):
    parts = case.parts()
    n = case.random.randrange(len(parts))
    parts[n] += "=" * case.random.randrange(1, 5)
    return ".".join(parts)


def truncate(case):
    return case.text[:case.random.randrange(len(case.text))]


def cut_part(case):
    parts = case.parts()
    n = case.random.randrange(len(parts))
    parts[n] = parts[n][:case.random.randrange(len(parts[n]) + 1)]
    return ".".join(parts)


def extend_part(case):
    parts = case.parts()
    n = case.random.randrange(len(parts))
    more = tokens.b64(case.random.randbytes(case.random.randrange(1, 40)))
    parts[n] = case.random.choice((parts[n] + more, more + parts[n], parts[n] + "A" * case.random.randrange(1, 9)))
    return ".".join(parts)


def change_signature_length(case):
    """Zero bytes before or behind the last part, or bytes taken away."""
    parts = case.parts()
    data, n = tokens.unb64(parts[-1]), case.random.randrange(1, 4)
    ways = (bytes(n) + data, data + bytes(n), data[n:], data[:-n], b"", bytes(len(data)))
    parts[-1] = tokens.b64(case.random.choice(ways))
    return ".".join(parts)


def move_parts(case):
    parts = case.parts()
    other = Case(case.random, case.keys, pick(case, [*tokens.SIGNED, *tokens.ENCRYPTED])).parts()
    how = case.random.randrange(6)
    if how == 0:
        case.random.shuffle(parts)
    elif how == 1:
        parts[case.random.randrange(len(parts))] = pick(case, other)
    elif how == 2:
        parts.insert(case.random.randrange(len(parts) + 1), pick(case, [*other, ""]))
    elif how == 3:
        del parts[case.random.randrange(len(parts))]
    elif how == 4:
        parts = other[:1] + parts[1:]
    else:
        parts = parts[:-1] + other[-1:]
    return ".".join(parts)


def blanks_around(case):
    blank = pick(case, (" ", "\t", "\n", "\r\n", "\0", "\ufeff", "\u00a0", "=", ".", ","))
    return case.random.choice((blank + case.text, case.text + blank))


def edit_header(case):
    parts = case.parts()
    parts[0] = tokens.b64(odd_header_bytes(case))
    return ".".join(parts)


# --- signed again, with the right key --------------------------------------------------

ODD_MEMBERS = [
    ("alg", ("none", "None", "HS256", "RS256", "ES256", "PS256", "EdDSA", "dir", "A128KW", "", None, 1, [], ["HS256"])),
    ("enc", ("A256GCM", "A128GCM", "A256CBC-HS512", "", None)), ("zip", ("DEF", "", None)),
    ("crit", ([], ["exp"], ["b64"], ["x"], "b64", None, [1])), ("b64", (True, False, None)),
    ("typ", ("JWT", "jwt", "at+jwt", "", None, 1, "JOSE+JSON")), ("cty", ("JWT", "json", None, 1)),
    ("kid", ("1", "", "../../dev/null", "a\u0000b", None, 1, {}, "k" * 3000, "' OR 1=1")),
    ("jwk", ({"kty": "oct", "k": "AAAA"}, None)), ("jku", ("http://127.0.0.1:1/",)), ("x5c", (["MIIB"], "x")),
    ("p2c", (10 ** 9,)), ("exp", (1,)), ("epk", ({},)), ("apu", ("x",)), ("nonce", ("x",)),
]


def odd_header(case):
    header = dict(case.header)
    for _ in range(case.random.randrange(1, 3)):
        name, values = pick(case, ODD_MEMBERS)
        header[name] = pick(case, values)
        if case.random.random() < 0.1:
            header.pop(pick(case, ("alg", "typ", "enc")), None)
    return header


def odd_header_bytes(case):
    if case.random.random() < 0.7:
        return tokens.dump(odd_header(case))
    return respell(case, tokens.dump(case.header))


def resign_header(case):
    return case.make_bytes(odd_header_bytes(case), tokens.dump(case.claims))


TIMES = (NOW, NOW + 1, NOW - 1, NOW + 0.5, NOW - 0.5, NOW + 600, NOW - 600, 0, 1, -1, 2 ** 31, 2 ** 53 + 1, 2 ** 63,
         2 ** 64, 1e300, str(NOW + 600), "", "x", None, True, False, [NOW + 600], {}, 1e18, -2 ** 63)
ODD_CLAIMS = [
    ("exp", TIMES), ("nbf", TIMES), ("iat", TIMES),
    ("iss", (ISSUER + "/", ISSUER[:-1], ISSUER.upper(), "", None, 1, [ISSUER], {"iss": ISSUER}, ISSUER + ".evil",
             ISSUER + "\u0000", " " + ISSUER)),
    ("aud", ("ap", "app2", "App", "", None, 1, [], ["app"], ["x", "app"], ["x"], [["app"]], {"app": 1}, [1, "app"],
             [None, "app"], "app\u0000", "app ", True)),
    ("sub", ("carol", "", None, 1, 0, -7, 10 ** 21, 1.5, True, [], {}, "a\nb", "x" * 300, " a", "b ", "\u00e9",
             "\u0000")),
    ("azp", ("x", None, 1)), ("jti", ("j1", "", None, 1, {})), ("sid", ("s1", None, 1)),
    ("scope", ("a b", None, ["a"])), ("user_id", ("other", 7, None)),
]


def resign_claims(case):
    claims = dict(case.claims)
    for _ in range(case.random.randrange(1, 4)):
        name, values = pick(case, ODD_CLAIMS)
        claims[name] = pick(case, values)
        if case.random.random() < 0.1:
            claims.pop(pick(case, ("exp", "iss", "aud", "sub", "iat")), None)
    return case.make(case.header, claims)


def escape_all(text):
    return "".join(f"\\u{ord(c):04x}" if c.isalpha() else c for c in text)


def respell(case, data):
    """The same JSON, or nearly, in other bytes."""
    text = data.decode()
    value = json.loads(text)
    name = pick(case, list(value))
    once = f'"{name}":{json.dumps(value[name])}'
    blanks = pick(case, (" ", "\n", "\t", "\r\n ", "\v", "\u00a0", "\0"))
    ways = (
        lambda: json.dumps(value, indent=2), lambda: json.dumps(value, sort_keys=True), lambda: blanks + text,
        lambda: text + blanks, lambda: text.replace(":", ":" + blanks), lambda: text.replace(",", blanks + ","),
        lambda: text.replace(f'"{name}"', f'"{escape_all(name)}"', 1), lambda: json.dumps(value, ensure_ascii=False),
        lambda: text.replace("/", "\\/"), lambda: text[:-1] + "," + once + "}", lambda: "{" + once + "," + text[1:],
        lambda: text[:-1] + f',"{escape_all(name)}":"x"}}', lambda: text[:-1] + ',"x":{"a":1,"a":2}}',
        lambda: text[:-1] + ",}", lambda: text + "}", lambda: text + "{}", lambda: "[" + text + "]", lambda: text[:-1],
        lambda: text[1:], lambda: text.replace('"', "'"), lambda: text[:-1] + ',"x":NaN}',
        lambda: text[:-1] + ',"x":Infinity}', lambda: text[:-1] + ',"x":1e400}', lambda: text[:-1] + ',"x":01}',
        lambda: text[:-1] + ',"x":+1}', lambda: text[:-1] + ',"x":1.}', lambda: text[:-1] + ',"x":"\\ud800"}',
        lambda: text[:-1] + ',"x":"a\tb"}', lambda: text[:-1] + ',"x":/**/1}', lambda: text[:-1] + ',"x":"\\x41"}',
        lambda: text[:-1] + ',"x":' + "[" * (depth := case.random.choice((5, 15, 16, 100, 3000))) + "]" * depth + "}",
        lambda: text[:-1] + "".join(f',"m{i}":0' for i in range(case.random.choice((10, 900, 1100)))) + "}",
        lambda: text[:-1] + ',"x":' + "9" * case.random.choice((20, 400, 5000)) + "}", lambda: "\ufeff" + text,
        lambda: text[:-1] + ',"x":tru}', lambda: text[:-1] + ',"x":True}', lambda: text.replace("{", "{{", 1),
    )
    made = pick(case, ways)().encode("utf-8")
    how = case.random.random()
    if how < 0.03:
        return made.decode().encode("utf-16")
    if how < 0.06:
        return made[:-1] + pick(case, (b',"x":"\xff"}', b',"x":"\xc0\xaf"}', b',"x":"\xed\xa0\x80"}'))
    return made


NUMBERS = ("1e10", "1E10", "1.9e9", "19e8", "190000000000e-2", "1900000000.0", "1900000000.999", "1e400", "-1e400",
           "1e-400", "-0", "0.0", "1767225600.0", "1767225601.0", "17672256010e-1", "1e5000",
           "99999999999999999999999999",
           "1900000000000000000000e-12", "9223372036854775807", "9223372036854775808", "18446744073709551616")


def resign_number(case):
    """A time spelled in a way that no library writes."""
    name, number = pick(case, ("exp", "exp", "nbf", "iat")), pick(case, NUMBERS)
    claims = {key: value for key, value in case.claims.items() if key != name}
    return case.make_bytes(tokens.dump(case.header), tokens.dump(claims)[:-1] + f',"{name}":{number}}}'.encode())


def resign_spelling(case):
    return case.make_bytes(tokens.dump(case.header), respell(case, tokens.dump(case.claims)))


def resign_garbage(case):
    own = case.text.encode()
    payload = pick(case, (b"", b" ", b"null", b"1", b'"x"', b"[]", b"[1]", b"{}", b"{", b"\xff", b"foo", own))
    return case.make_bytes(tokens.dump(case.header), payload)


# --- signed again, with another key or another algorithm -------------------------------

def other_key(case):
    """The issuer's algorithm in the header, another algorithm's key of the same ring behind it."""
    name = pick(case, list(tokens.ENCRYPTED) if case.name in tokens.ENCRYPTED else tokens.SIGNED)
    return tokens.make(name, case.keys.of[name], tokens.dump(pick(case, (case.header, tokens.plain_header(name)))),
                       tokens.dump(case.claims))


def public_key_as_secret(case):
    name = pick(case, [name for name in tokens.SIGNED if not name.startswith("HS")])
    pem = case.keys.public_pem(name if case.name in tokens.ENCRYPTED or case.name.startswith("HS") else case.name)
    secret = pick(case, (pem, pem.strip(), b"".join(pem.splitlines()[1:-1]), b"", b"\0"))
    alg = pick(case, ("HS256", "HS384", "HS512"))
    header = pick(case, (tokens.plain_header(alg), case.header))
    return tokens.jws(alg, secret, tokens.dump(header), tokens.dump(case.claims))


def der_signature(case):
    if not case.name.startswith("ES"):
        return flip_decoded_bit(case)
    text = ".".join(case.parts()[:2])
    return text + "." + tokens.b64(tokens.sign_der(case.name, case.key, text.encode()))


#: (name, how often, what it does)
MUTATIONS = [
    ("nothing", 2, nothing), ("bit of the text", 10, flip_bit), ("bit of a part", 10, flip_decoded_bit),
    ("character", 6, change_character), ("last bits", 4, change_last_bits), ("alphabet", 6, other_alphabet),
    ("padding", 3, pad), ("cut off", 3, truncate), ("part cut off", 4, cut_part), ("part made longer", 4, extend_part),
    ("length of the signature", 5, change_signature_length), ("parts moved", 8, move_parts),
    ("blanks around", 3, blanks_around), ("header edited", 6, edit_header), ("header, signed again", 16, resign_header),
    ("claims, signed again", 24, resign_claims), ("numbers, signed again", 6, resign_number),
    ("spelling, signed again", 20, resign_spelling), ("no claims, signed again", 2, resign_garbage),
    ("other key", 5, other_key), ("public key as secret", 3, public_key_as_secret), ("DER signature", 2, der_signature),
]
WEIGHTS = [weight for _, weight, _ in MUTATIONS]


def mutate(case):
    """(name of the mutation, bytes of the token, header and payload as they were last signed)."""
    name, _, change = case.random.choices(MUTATIONS, WEIGHTS)[0]
    text = change(case)
    return name, text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"), case.made
