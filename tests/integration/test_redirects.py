# SPDX-License-Identifier: Apache-2.0
"""No address to return to leads anywhere but to this site and return-origins. A public suite of such addresses is
run by tests/conformance/redirects."""

import json
import pathlib

import redirects

ROWS = json.loads((pathlib.Path(__file__).parent / "data" / "redirects.json").read_text())


def test_addresses():
    values = {row["value"]: row["refuse"] for row in ROWS}
    assert len(values) == len(ROWS) >= 60
    wrong = redirects.run(values)
    assert not wrong, "\n".join(f"{value!r}: {what}" for value, what in wrong)


def test_judge():
    """The judge can say no."""
    own, evil = redirects.OWN, "https://evil.test"
    rows = {"/x": [own, own], "//evil.test": [evil, evil], "/\\evil.test": [evil, evil], "\t//evil.test": [evil, evil],
            "https://app.test@evil.test": [evil, evil], "/%2f/evil.test": [own, evil], "https://[": ["INVALID"] * 2,
            "/.//evil.test": [own, own], "javascript:alert(1)": ["null"] * 2}
    assert redirects.judge(list(rows)) == list(rows.values())
