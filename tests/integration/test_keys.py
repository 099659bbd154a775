# SPDX-License-Identifier: Apache-2.0
"""authctl keys: what becomes of a ring, of wrong use, of many at once, and of a killed command."""

import concurrent.futures
import json
import os
import pathlib
import signal
import stat
import subprocess
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwcrypto import jwk

import harness
import tokens

ALGORITHMS = ("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384",
              "ES512", "EdDSA", "Ed25519")
#: Members that nobody but the programs may see (RFC 7518 sections 6.2.2, 6.3.2, 6.4).
SECRET_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "k"}


class Keys:
    """A configuration with one issuer that has a ring, and authctl on it."""

    def __init__(self, folder, algorithms="ES256", more=""):
        self.folder, self.ring = folder, folder / "ring.json"
        (folder / "state").mkdir(mode=0o700)
        self.configuration = folder / "fcgi-auth.conf"
        self.configuration.write_text(
            f'[server]\nstate-dir = {folder}/state\n[issuer "main"]\niss = {tokens.ISSUER}\n'
            f'algorithms = {algorithms}\nkey-ring = file:{self.ring}\n{more}'
            '[policy "site"]\npath = /**\nissuer = main\n[login]\nissuer = main\nlifetime = 90m\n')

    def run(self, *words, status=0, text=""):
        done = subprocess.run([harness.program("authctl"), "-c", str(self.configuration), *words], input=text,
                              text=True, capture_output=True, env=harness.environment(), timeout=60, check=False)
        assert done.returncode == status, (words, done.stdout, done.stderr)
        return done

    def add(self, *words):
        return self.run("keys", "add", *words).stdout.strip()

    def json(self, *words):
        return [json.loads(line) for line in self.run(*words, "--json").stdout.splitlines()]

    def kids(self):
        return [key["kid"] for key in self.keys()]

    def keys(self):
        found = json.loads(self.ring.read_text())["keys"]
        tokens.SENSITIVE.update(key[name] for key in found for name in SECRET_MEMBERS & key.keys())
        return found

    def make_older(self, seconds):
        """As if every key had been added so long ago."""
        keys = self.keys()
        for key in keys:
            key["iat"] -= seconds
        self.ring.write_text(json.dumps({"keys": keys}))

    def is_good(self):
        """Would a program start with it?"""
        return subprocess.run([harness.program("auth-verify"), "-t", "-c", str(self.configuration)],
                              capture_output=True, env=harness.environment(), timeout=60, check=False).returncode == 0


@pytest.fixture
def keys(tmp_path):
    return Keys(tmp_path)


# add -------------------------------------------------------------------------

@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_add_makes_the_ring_and_a_key(tmp_path, algorithm):
    keys = Keys(tmp_path, algorithm)
    assert not keys.is_good()
    kid = keys.add()
    assert not kid.startswith("-")
    made, = keys.keys()
    assert (made["kid"], made["alg"]) == (kid, algorithm)
    assert abs(made["iat"] - time.time()) < 60
    assert keys.is_good()
    assert stat.S_IMODE(keys.ring.stat().st_mode) == 0o600
    known = jwk.JWK(**{name: value for name, value in made.items() if name != "iat"})
    assert known.has_private or known.is_symmetric
    if made["kty"] != "oct":
        assert known.thumbprint() == kid
    assert {path.name for path in tmp_path.iterdir()} == {"fcgi-auth.conf", "ring.json", "ring.json.lock", "state"}


def test_add_appends_in_order(tmp_path):
    keys = Keys(tmp_path, "ES256, EdDSA, HS256")
    made = [keys.add(), keys.add("--algorithm", "EdDSA"), keys.add("--algorithm", "HS256", "--issuer", "main")]
    first = keys.add("--first")
    assert keys.kids() == [first, *made]
    assert [key["alg"] for key in keys.keys()] == ["ES256", "ES256", "EdDSA", "HS256"]
    row, = keys.json("keys", "add", "--algorithm", "HS256")
    assert row == {"act": "add", "issuer": "main", "kid": keys.kids()[-1], "algorithm": "HS256", "bits": 256,
                   "rank": 5, "signs": False, "ring": str(keys.ring)}


def pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


@pytest.mark.parametrize("make, algorithm", [
    (lambda: rsa.generate_private_key(65537, 2048), "RS256"),
    (lambda: ec.generate_private_key(ec.SECP256R1()), "ES256"),
    (lambda: ec.generate_private_key(ec.SECP384R1()), "ES384"), (ed25519.Ed25519PrivateKey.generate, "EdDSA")])
def test_add_private_key_of_a_file(tmp_path, make, algorithm):
    """The first algorithm of the issuer that the key fits is its own."""
    keys = Keys(tmp_path, "HS256, EdDSA, ES384, ES256, RS256, PS256")
    private = make()
    file = tmp_path / "key.pem"
    file.touch(mode=0o600)
    file.write_text(pem(private))
    kid = keys.add("--from", str(file))
    assert keys.keys()[0]["alg"] == algorithm
    token = keys.run("token", "issue", "--user", "bob").stdout.strip()
    assert jwt.get_unverified_header(token) == {"alg": algorithm, "typ": "JWT", "kid": kid}
    assert jwt.decode(token, private.public_key(), [algorithm], options={"verify_aud": False})["sub"] == "bob"
    assert "already" in keys.run("keys", "add", "--from", str(file), status=1).stderr


def test_add_shared_secret(tmp_path):
    """A site moves from secret to a ring: its old tokens, which name no key, stay good; others read the new ones."""
    keys = Keys(tmp_path, "HS256")
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text(tokens.SECRET + "\n")
    kid = keys.add("--from-secret", f"file:{secret}")
    token = keys.run("token", "issue", "--user", "bob").stdout.strip()
    assert jwt.get_unverified_header(token)["kid"] == kid
    assert jwt.decode(token, tokens.SECRET, ["HS256"])["sub"] == "bob"
    assert '"decision":"allow"' in keys.run("token", "verify", text=tokens.mint()).stdout


BROKEN_PEM = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize("words, status, said", [
    (["--algorithm", "PS256"], 64, "one of the issuer's algorithms"),
    (["--algorithm", "none"], 64, "one of the issuer's algorithms"),
    (["--algorithm", "es256"], 64, "one of the issuer's algorithms"),
    (["--issuer", "other"], 64, "no [issuer \"other\"]"),
    (["--from", "{folder}/key.pem", "--from-secret", "file:x"], 64, "not both"),
    (["--from-secret", "text:abc"], 64, "every user could see"),
    (["--bytes", "32"], 64, "no option here"),
    (["more"], 64, "operands"),
    (["--from", "{folder}/nothing.pem"], 1, "No such file"),
    (["--from", "{folder}/open.pem"], 1, "chmod 600"),
    (["--from", "{folder}/broken.pem"], 1, "broken.pem"),
    (["--from", "{folder}/text"], 1, "no PEM file"),
    (["--from", "{folder}/rsa.pem"], 1, "takes no key of type RSA"),
    (["--from-secret", "file:{folder}/text"], 1, "takes no shared secret"),
])
def test_add_refused(keys, words, status, said):
    for name, text, mode in (("broken.pem", BROKEN_PEM, 0o600), ("text", "text" * 16, 0o600),
                             ("open.pem", BROKEN_PEM, 0o644),
                             ("rsa.pem", pem(rsa.generate_private_key(65537, 2048)), 0o600)):
        (keys.folder / name).touch(mode=mode)
        (keys.folder / name).write_text(text)
    kid = keys.add()
    before = keys.ring.read_bytes()
    done = keys.run("keys", "add", *(word.format(folder=keys.folder) for word in words), status=status)
    assert said in done.stderr and not done.stdout
    assert keys.ring.read_bytes() == before and kid in keys.kids()


@pytest.mark.parametrize("secret, said", [("short", "32"), (" \n", "white space"), ("-----BEGIN RSA", "PEM")])
def test_add_refuses_a_bad_secret(tmp_path, secret, said):
    keys = Keys(tmp_path, "HS256")
    file = tmp_path / "secret"
    file.touch(mode=0o600)
    file.write_text(secret)
    assert said in keys.run("keys", "add", "--from-secret", f"file:{file}", status=1).stderr
    assert not keys.ring.exists()


def test_add_without_a_ring_in_the_configuration(tmp_path):
    keys = Keys(tmp_path)
    text = keys.configuration.read_text()
    keys.configuration.write_text(text.replace("key-ring", "#key-ring"))
    assert "fcgi-auth.conf:3: key-ring: is missing" in keys.run("keys", "add", status=78).stderr
    keys.configuration.write_text(text.replace("key-ring = file:", "key-ring = cred:"))
    assert "fcgi-auth.conf:6: key-ring: authctl changes" in keys.run("keys", "add", status=78).stderr
    keys.configuration.write_text(text.replace("ES256", "XS256"))
    assert "algorithms" in keys.run("keys", "add", status=78).stderr


def test_full_ring(tmp_path):
    keys = Keys(tmp_path, "HS256")
    for _ in range(32):
        keys.add()
    assert "retire some first" in keys.run("keys", "add", status=1).stderr
    assert len(keys.kids()) == 32 and keys.is_good()


# promote and retire --------------------------------------------------------------

def test_a_rotation(keys):
    old = keys.add()
    new = keys.add()
    early = keys.run("keys", "promote", new, status=1).stderr
    assert "has just been added" in early and "--at-once" in early
    assert keys.kids() == [old, new]
    keys.make_older(10)
    done = keys.run("keys", "promote", new).stdout.splitlines()
    assert done[0] == f"signs from now on: {new}" and old in done[1] and "90m" in done[1]
    assert keys.kids() == [new, old]
    header = jwt.get_unverified_header(keys.run("token", "issue", "--user", "bob").stdout.strip())
    assert header["kid"] == new
    assert old in keys.run("keys", "retire", old).stdout
    assert keys.kids() == [new] and keys.is_good()


def test_promote_and_retire_refused(keys):
    old = keys.add()
    assert "only key" in keys.run("keys", "retire", old, status=1).stderr
    new = keys.add()
    assert "promote another first" in keys.run("keys", "retire", old, status=1).stderr
    for command in ("promote", "retire"):
        for kid in ("nothing", "", new.lower(), new[:-1]):
            assert "no key with this kid" in keys.run("keys", command, kid, status=1).stderr
        assert "operands" in keys.run("keys", command, status=64).stderr
        assert "operands" in keys.run("keys", command, old, new, status=64).stderr
    assert keys.kids() == [old, new]
    before = keys.ring.stat().st_mtime_ns
    keys.run("keys", "promote", old)
    assert keys.ring.stat().st_mtime_ns == before, "nothing was to be done"


def test_at_once(keys):
    old, new = keys.add(), keys.add()
    assert keys.json("keys", "promote", "--at-once", new)[0]["signs"] is True
    row, = keys.json("keys", "retire", old)
    assert row == {"act": "retire", "issuer": "main", "kid": old, "algorithm": "ES256", "bits": 256,
                   "ring": str(keys.ring)}
    assert keys.kids() == [new]


def test_kid_that_looks_like_an_option(keys):
    keys.add()
    ring = keys.keys()
    keys.ring.write_text(json.dumps({"keys": [ring[0], ring[0] | {"kid": "-x"}]}))
    keys.run("keys", "promote", "--at-once", "--", "-x")
    assert keys.kids()[0] == "-x"


def test_unknown_members_stay(keys):
    keys.add()
    keys.ring.write_text(json.dumps({"keys": [keys.keys()[0] | {"x5t": "abc", "note": {"a": [1, 2.50]}}]}))
    keys.add()
    assert keys.keys()[0]["x5t"] == "abc" and keys.keys()[0]["note"] == {"a": [1, 2.50]}
    assert keys.is_good()


# The file ------------------------------------------------------------------------

@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666])
def test_ring_that_others_may_use(keys, mode):
    kid = keys.add()
    keys.ring.chmod(mode)
    for words in (["keys", "add"], ["keys", "promote", kid], ["keys", "list"], ["check"]):
        done = keys.run(*words, status=78 if words == ["check"] else 1)
        assert "ring.json" in done.stdout + done.stderr and "chmod 600" in done.stdout + done.stderr
    assert not keys.is_good()


@pytest.mark.parametrize("text, said", [
    ("", "empty"), ("{", "JSON"), ('{"keys":[]}', ""), ('{"keys":[{}]}', "kty"),
    ('{"keys":[{"kty":"oct","kid":"a","alg":"HS256","k":"AAAA"}]}', "HS256")])
def test_bad_ring(keys, text, said):
    keys.ring.touch(mode=0o600)
    keys.ring.write_text(text)
    assert not keys.is_good()
    done = keys.run("keys", "list", status=1)
    assert "key-ring" in done.stderr and said in done.stderr


def test_ring_in_the_configuration_is_not_printed(keys):
    keys.add()
    text = json.dumps({"keys": keys.keys()})
    keys.configuration.write_text(keys.configuration.read_text().replace(f"file:{keys.ring}", f"text:{text}"))
    assert keys.is_good()
    done = subprocess.run([harness.program("auth-verify"), "-T", "-c", str(keys.configuration)], text=True,
                          capture_output=True, env=harness.environment(), timeout=60, check=True)
    assert "key-ring = ****" in done.stdout and keys.keys()[0]["d"] not in done.stdout
    assert keys.keys()[0]["d"] not in keys.run("keys", "list").stdout


def test_missing_ring(keys):
    assert f"{keys.ring} is not there; make one: authctl keys add" in keys.run("keys", "list", status=1).stderr
    assert "authctl keys add" in keys.run("token", "issue", "--user", "bob", status=78).stderr


def test_bad_key_can_be_retired(tmp_path):
    """A ring that the programs refuse is mended by the same commands."""
    keys = Keys(tmp_path, "ES256, HS256")
    keys.add()
    bad = keys.add("--algorithm", "HS256")
    keys.configuration.write_text(keys.configuration.read_text().replace("ES256, HS256", "ES256"))
    assert not keys.is_good()
    assert "stays as it was" in keys.run("keys", "add", status=1).stderr
    keys.run("keys", "retire", bad)
    assert keys.is_good()


def test_link_stays(keys):
    (keys.folder / "real").mkdir()
    keys.add()
    keys.ring.rename(keys.folder / "real" / "ring")
    keys.ring.symlink_to("real/ring")
    keys.add()
    assert keys.ring.is_symlink() and len(keys.kids()) == 2
    assert {path.name for path in (keys.folder / "real").iterdir()} == {"ring", "ring.lock"}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_leaves_the_ring_to_the_programs(keys):
    """A new ring belongs to the owner of state-dir, a changed one to whom it belonged."""
    os.chown(keys.folder / "state", harness.NOBODY, harness.NOBODY)
    keys.add()
    assert keys.ring.stat().st_uid == keys.ring.stat().st_gid == harness.NOBODY
    os.chown(keys.ring, 1, 2)
    keys.add()
    assert (keys.ring.stat().st_uid, keys.ring.stat().st_gid) == (1, 2)
    assert stat.S_IMODE(keys.ring.stat().st_mode) == 0o600


def test_folder_that_cannot_be_written(keys):
    kid = keys.add()
    harness.give_away(keys.folder)
    keys.folder.chmod(0o555)
    for parent in list(keys.folder.parents)[:2]:  # pytest's own; not the folder of everybody's temporary files
        parent.chmod(0o755)
    before = keys.ring.read_bytes()
    done = subprocess.run([harness.program("authctl"), "-c", str(keys.configuration), "keys", "add"], text=True,
                          capture_output=True, env=harness.environment(), preexec_fn=harness.drop_privileges,
                          timeout=60, check=False)
    assert done.returncode == 1 and str(keys.ring) in done.stderr and not done.stdout
    assert keys.ring.read_bytes() == before and keys.kids() == [kid]


def test_full_disk(keys):
    kid = keys.add()
    done = subprocess.run([harness.program("authctl"), "-c", str(keys.configuration), "keys", "add"], text=True,
                          capture_output=True, env=harness.environment(), timeout=60, check=False,
                          preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                              harness.limit_files(0, 100)))
    assert done.returncode == 1 and "the old ring stays" in done.stderr
    assert keys.kids() == [kid] and not (keys.folder / "ring.json.new").exists()


def test_many_at_once(tmp_path):
    """Nobody's key is lost."""
    keys = Keys(tmp_path, "EdDSA")
    first = keys.add()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: keys.add(), range(24)))
        list(pool.map(lambda kid: keys.run("keys", "retire", kid), made[:12]))
    assert keys.kids()[0] == first and set(keys.kids()) == {first, *made[12:]}
    assert keys.is_good()


def test_killed_in_the_middle(tmp_path):
    """Killed at every moment of its life: the ring is the old or the new one, and the next command works."""
    keys = Keys(tmp_path, "EdDSA")
    told = {keys.add()}
    command = [harness.program("authctl"), "-c", str(keys.configuration), "keys", "add", "--first"]
    begun = time.monotonic()
    subprocess.run(command, capture_output=True, env=harness.environment(), check=True)
    life = time.monotonic() - begun
    before, rounds, changed = keys.kids(), 60, 0
    told.update(before)
    for i in range(rounds):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=harness.environment(), text=True)
        try:
            process.wait(3 * life * (i / rounds) ** 2)  # the last ones late enough on a busy machine
        except subprocess.TimeoutExpired:
            process.kill()
        out = process.communicate()[0].strip()
        after = keys.kids()
        assert after in (before, [after[0], *before]), "neither the old ring nor the new one"
        assert not out or out == after[0], "a kid was told, but the key is not there"
        assert stat.S_IMODE(keys.ring.stat().st_mode) == 0o600
        changed += after != before
        if len(after) > 20:
            keys.run("keys", "retire", after[-1])
            after = keys.kids()
        before = after
    assert 0 < changed < rounds, "no kill came in time, or all of them"
    assert keys.is_good()
    keys.add()
    assert not (tmp_path / "ring.json.new").exists()


# list ------------------------------------------------------------------------------

def test_list(tmp_path):
    (tmp_path / "secret").touch(mode=0o600)
    (tmp_path / "secret").write_text("x" * 50 + "yz")
    (tmp_path / "public.pem").write_text(ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode())
    keys = Keys(tmp_path, "RS256, EdDSA, HS512",
                '[issuer "shared"]\niss = b\nalgorithms = HS256, HS384\n' + f"secret = file:{tmp_path}/secret\n"
                f'[issuer "public"]\niss = c\nalgorithms = ES256\npublic-key = {tmp_path}/public.pem\n'
                '[issuer "fetched"]\niss = d\nalgorithms = ES256\njwks = https://sso.example/jwks.json\n')
    kids = [keys.add(), keys.add("--algorithm", "EdDSA"), keys.add("--algorithm", "HS512")]
    rows = keys.json("keys", "list")
    ring = str(keys.ring)
    assert [tuple(row[name] for name in ("issuer", "rank", "kid", "algorithm", "bits", "signs", "source", "where"))
            for row in rows] == [
        ("main", 1, kids[0], "RS256", 2048, True, "key-ring", ring),
        ("main", 2, kids[1], "EdDSA", 256, False, "key-ring", ring),
        ("main", 3, kids[2], "HS512", 512, False, "key-ring", ring),
        ("shared", 1, None, "HS256", 416, True, "secret", None),
        ("shared", 2, None, "HS384", 416, False, "secret", None),
        ("public", 1, None, "ES256", 256, False, "public-key", f"{tmp_path}/public.pem"),
        ("fetched", 1, None, None, None, False, "jwks", "https://sso.example/jwks.json"),
    ]
    assert all(abs(row["added"] - time.time()) < 60 for row in rows[:3]) and rows[3]["added"] is None
    text = keys.run("keys", "list").stdout
    assert len(text.splitlines()) == 8 and all(kid in text for kid in kids)
    assert text.count(" signs ") == 2
    hidden = {key[name] for key in keys.keys() for name in SECRET_MEMBERS & key.keys()} | {"xxx"}
    assert not any(value in text + json.dumps(rows) for value in hidden)
    assert len(keys.json("keys", "list", "--issuer", "main")) == 3
    assert keys.run("keys", "list", "--issuer", "nobody", status=64).stderr


def test_without_login_issuer_it_must_be_named(tmp_path):
    keys = Keys(tmp_path)
    text = keys.configuration.read_text().replace("[login]\nissuer = main", "[login]")
    keys.configuration.write_text(text)
    keys.add()
    keys.configuration.write_text(text + f'[issuer "b"]\niss = b\nalgorithms = ES256\nkey-ring = file:{tmp_path}/b\n')
    assert "2 issuers" in keys.run("keys", "add", status=64).stderr
    keys.add("--issuer", "b")
    assert pathlib.Path(f"{tmp_path}/b").exists() and len(keys.kids()) == 1
