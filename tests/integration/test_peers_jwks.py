# SPDX-License-Identifier: Apache-2.0
"""A provider whose keys change while its tokens are in use."""

import concurrent.futures
import threading

import pytest

import harness
import peers

CLERK = "https://clerk.example.com"


class Provider(peers.Peer):
    def __init__(self, **settings):
        super().__init__("jwks", **settings)

    def token(self, header=None, **claims):
        answer = self.post("/sign", {"claims": {"sub": "alice", "iss": self.url} | claims, "header": header or {}})
        assert answer.status == 200, answer.text
        return answer.json["token"]

    def rotate(self, drop=False, algorithm=None):
        query = "&".join((["drop=1"] if drop else []) + ([f"alg={algorithm}"] if algorithm else []))
        return self.post(f"/rotate?{query}").json["kid"]

    @property
    def fetches(self):
        return self.get("/stats").json["jwks_hits"]

    def site(self, algorithms="RS256", processes=1, **options):
        issuer = {"type": "jwt", "algorithms": algorithms, "jwks": f"{self.url}/.well-known/jwks.json",
                  "iss": self.url, "jwks-cooldown": "1s"} | options
        return peers.site(issuer, processes=processes)


@pytest.fixture(params=["RS256", "ES256", "EdDSA"])
def provider(request):
    with Provider(ALG=request.param) as peer:
        peer.algorithm = request.param
        yield peer


def test_rotation(provider):
    """A new key is found by its first token; the old one serves as long as the provider lists it."""
    with provider.site(provider.algorithm) as site:
        old = provider.token()
        assert peers.user(site, peers.bearer(old)) == "alice"
        provider.rotate()
        new = provider.token()
        harness.wait_for("the new key", lambda: site.request(peers.APP, [peers.bearer(new)]).status == 200)
        assert peers.user(site, peers.bearer(old)) == "alice"
        # auth-logout knows at once what auth-verify has fetched.
        answer = site.request("/auth/logout", [peers.bearer(new), "Accept: application/json"], "POST", b"")
        assert answer.json["detail"] == "Token has been invalidated"
        assert peers.refusal(site, peers.bearer(new)) == (401, "token_revoked")


def test_dropped_key(provider):
    """When the provider has taken a key away, its tokens are refused as soon as the keys are fetched again."""
    with provider.site(provider.algorithm) as site:
        old = provider.token()
        assert peers.user(site, peers.bearer(old)) == "alice"
        provider.rotate(drop=True)
        new = provider.token()
        harness.wait_for("the new key", lambda: site.request(peers.APP, [peers.bearer(new)]).status == 200)
        assert peers.refusal(site, peers.bearer(old)) == (401, "unknown_key")


class Load:
    """Threads that ask with tokens for as long as the block lasts, and what they were answered."""

    def __init__(self, site, tokens, threads=4):
        self.site, self.headers, self.ended = site, [peers.bearer(token) for token in tokens], threading.Event()
        self.pool = concurrent.futures.ThreadPoolExecutor(threads)
        self.threads, self.answers = threads, []

    def ask(self):
        seen = []
        while not self.ended.is_set():
            for header in self.headers:
                answer = self.site.request(peers.APP, [header])
                seen.append((answer.status, answer.text if answer.status != 200 else ""))
        return seen

    def __enter__(self):
        self.running = [self.pool.submit(self.ask) for _ in range(self.threads)]
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.answers = [answer for one in self.running for answer in one.result()]
        self.pool.shutdown()


def test_rotation_under_load():
    """Not one request with a token of a listed key is refused while keys come, on several processes."""
    with Provider() as provider, provider.site(processes=2) as site:
        first = provider.token()
        assert peers.user(site, peers.bearer(first)) == "alice"
        with Load(site, [first]) as load:
            for _ in range(3):
                provider.rotate()
                header = peers.bearer(provider.token())
                harness.wait_for("the new key", lambda: site.request(peers.APP, [header]).status == 200)
        refused = [answer for answer in load.answers if answer[0] != 200]
        assert not refused and len(load.answers) > 20, (len(load.answers), refused[:3])


def test_hard_rotation_under_load():
    """With the old keys dropped at once, tokens of the new key are let in without end after the first."""
    with Provider() as provider, provider.site(processes=2) as site:
        old = provider.token()
        assert peers.user(site, peers.bearer(old)) == "alice"
        provider.rotate(drop=True)
        new = provider.token()
        for _ in range(2):  # both processes
            harness.wait_for("the new key", lambda: site.request(peers.APP, [peers.bearer(new)]).status == 200)
        harness.wait_for("the end of the old one", lambda: site.request(peers.APP, [peers.bearer(old)]).status == 401)
        with Load(site, [new]) as load:
            for _ in range(10):
                assert site.request(peers.APP, [peers.bearer(provider.token())]).status == 200
        refused = [answer for answer in load.answers if answer[0] != 200]
        assert not refused and load.answers, refused[:3]


def test_provider_away():
    """The last good keys serve while their source is away, after a restart too."""
    with Provider() as provider:
        token = provider.token()
        with provider.site() as site:
            assert peers.user(site, peers.bearer(token)) == "alice"
            provider.close()
            assert peers.user(site, peers.bearer(token)) == "alice"
            site.services["verify"].stop()
            site.services["verify"].start()
            assert peers.user(site, peers.bearer(token)) == "alice"


def test_answer_that_is_no_key_set():
    """Rubbish in place of the keys changes nothing."""
    with Provider() as provider, provider.site() as site:
        token = provider.token()
        assert peers.user(site, peers.bearer(token)) == "alice"
        provider.post("/mode", {"body": '{"keys":[]}'})
        fetches = provider.fetches
        stranger = provider.token(header={"kid": "unknown"})
        harness.wait_for("another fetch", lambda: (site.request(peers.APP, [peers.bearer(stranger)]).status == 401
                                                   and provider.fetches > fetches))
        assert peers.user(site, peers.bearer(token)) == "alice"


def test_clerk():
    """Tokens in Clerk's shape, in the cookie of its sessions."""
    with Provider() as provider:
        options = {"type": "clerk", "algorithms": None, "iss": CLERK, "authorized-parties": "https://app.example.com"}
        with provider.site(**options) as site:
            claims = {"azp": "https://app.example.com", "iss": CLERK, "sid": "sess_1", "sub": "user_1"}
            session = {"cat": "cl_B7d4PD111AAA"}
            token = provider.token(session, **claims)
            assert peers.user(site, peers.cookie_line({"__session": token})) == "user_1"
            assert peers.user(site, peers.bearer(token)) == "user_1"
            wrong = provider.token(session, **claims | {"azp": "https://evil.example"})
            assert peers.refusal(site, peers.bearer(wrong)) == (401, "bad_party")
            machine = provider.token({"cat": "cl_B7d4PD333AAA"}, **claims)
            assert peers.refusal(site, peers.bearer(machine)) == (401, "bad_claim")
            peers.log_out(site, peers.cookie_line({"__session": token}))
            assert peers.refusal(site, peers.cookie_line({"__session": token})) == (401, "token_revoked")
