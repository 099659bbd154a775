# SPDX-License-Identifier: Apache-2.0
"""The build that is measured, and the machine it is measured on."""

import os
import platform
import re
import resource
import subprocess
import sys
from pathlib import Path

TARGETS = ["all", "tests/web/echo_server"]


def built(source):
    """build/ of the source tree, made up to date."""
    folder = source / "build"
    if not (source / "configure").exists():
        subprocess.run(["autoreconf", "-fi"], cwd=source, check=True, stdout=sys.stderr)
    folder.mkdir(exist_ok=True)
    if not (folder / "Makefile").exists():
        subprocess.run([source / "configure"], cwd=folder, check=True, stdout=sys.stderr)
    # One after the other: automake's "all" is a make of its own, which would make the same files.
    for target in TARGETS:
        subprocess.run(["make", f"-j{os.cpu_count()}", target], cwd=folder, check=True, stdout=sys.stderr)
    return folder


def first_line(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip().split("\n")[0]


def described():
    """What no table of figures means anything without."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {"system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "cpu": f"{os.cpu_count()} x {cpu[1] if cpu else platform.machine()}",
            "wrk": " ".join(first_line("wrk", "-v").split()[:2])}


def raise_file_limit():
    """For the connections of a crowd."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(16384, hard) if soft < 16384 else soft, hard))
