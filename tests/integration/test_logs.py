# SPDX-License-Identifier: Apache-2.0
"""Runs last: nothing secret is in any log of this run, and every line can be trusted."""

import re
import string

import harness
import tokens

FIELD = re.compile(r'([a-z_0-9-]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)')


def texts():
    assert harness.LOGS, "no test has written a log"
    return {str(path): path.read_bytes() for path in harness.LOGS if path.exists()}


def lines_of_ours():
    """Without nginx's own: it quotes what a client or an upstream has sent byte for byte."""
    return {path: text for path, text in texts().items() if not path.endswith("/nginx.log")}


NUMBERS = re.compile(rb" (?:rid|tok|us|at)=[0-9a-f]{1,16}(?= |$)", re.M)


def test_no_secrets():
    """H18. A token counts as shown when its signature is: header and payload are no secret without it."""
    needles = set()
    for text in tokens.SENSITIVE:
        last = text.rsplit(".", 1)[-1]
        needles.add(last if text.count(".") >= 2 and len(last) >= 20 else text)
    needles = {needle.encode() for needle in needles if len(needle) >= 12}
    assert len(needles) > 3
    for path, text in texts().items():
        # Lines that differ in numbers of our own alone are looked at once.
        lines = b"\n".join(set(NUMBERS.sub(b"", text).splitlines()))
        shown = [needle for needle in needles if needle in lines]
        assert not shown, f"{path} shows {len(shown)} secrets"


def test_lines_are_whole():
    """H18: no control bytes, and every event line is fields from its first byte to its last."""
    for path, text in lines_of_ours().items():
        printable = set(string.printable.encode()) - set(b"\x0b\x0c\r")
        odd = {byte for byte in text if byte not in printable and byte < 0x80}
        assert not odd, f"{path} has control bytes {odd}"
        assert not re.search("[\u0080-\u009f\u2028\u2029]", text.decode("utf-8")), f"{path} has C1 control characters"
        for line in text.decode("utf-8").splitlines():
            if line.startswith("event="):
                assert re.sub(r"\s+", "", FIELD.sub("", line)) == "", f"{path}: {line}"


def test_no_sanitizer_complains():
    for path, text in texts().items():
        assert b"Sanitizer" not in text and b"runtime error:" not in text, path


def test_denials_are_logged():
    denials = [line for text in lines_of_ours().values() for line in text.decode().splitlines()
               if line.startswith("event=deny ")]
    assert denials
    for line in denials:
        names = [name for name, _ in FIELD.findall(line)]
        assert names[:4] == ["event", "client", "status", "reason"], line
        assert "rid" in names, line
