# SPDX-License-Identifier: Apache-2.0
"""Bodies reach the application whole: the authorizer takes nothing of them."""

import hashlib
import random

import pytest

import tokens


@pytest.mark.parametrize("target", ["/app/app.cgi", "/papp/x"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("size", [0, 10_000, 5_000_000])
def test_body(site, target, chunked, size):
    body = random.Random(size).randbytes(size)
    answer = site.request(target, [f"Authorization: Bearer {tokens.mint()}", "Content-Type: application/octet-stream"],
                          "POST", body, chunked)
    assert answer.status == 200, answer.text
    assert (answer.json["length"], answer.json["sha256"]) == (size, hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_denial_of_a_large_body(site, chunked):
    answer = site.request("/app/app.cgi", [], "POST", bytes(5_000_000), chunked)
    assert answer.status == 401 and answer.json["reason"] == "no_token"


def test_expect_continue(site):
    answer = site.request("/app/app.cgi", [f"Authorization: Bearer {tokens.mint()}", "Expect: 100-continue"],
                          "POST", b"x" * 1000)
    assert answer.status == 200 and answer.json["length"] == 1000
