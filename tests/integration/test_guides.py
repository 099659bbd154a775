# SPDX-License-Identifier: Apache-2.0
"""What a guide shows stands in a file that is tested: the file is named in a comment before each of its blocks."""

import re

import pytest

import harness

GUIDES = sorted((harness.REPOSITORY / "doc" / "guide").glob("*.md"))
BLOCK = re.compile(r"<!-- (\S+) -->\n```\w+\n(.*?)```", re.S)


def plain(text):
    """Without comment signs, indentation and the test's own words for folders."""
    text = text.replace("@CONF@", "/usr/share/fcgi-auth/nginx").replace("@RUN@/application", "/run/wiki/wiki")
    return "\n".join(re.sub(r"^#?\s*", "", line) for line in text.splitlines()) + "\n"


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_blocks(guide):
    text = guide.read_text()
    found = BLOCK.findall(text)
    assert len(re.findall(r"```(?:nginx|lighttpd|apache)\n", text)) == len(found), "a block without its file"
    for name, block in found:
        assert plain(block) in plain((harness.REPOSITORY / name).read_text()), (name, block)
