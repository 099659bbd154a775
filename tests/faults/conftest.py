# SPDX-License-Identifier: Apache-2.0
"""The tests of the farm are built from the parts of the integration tests."""

import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))


def pytest_sessionfinish(exitstatus):
    harness = sys.modules.get("harness")
    if harness and exitstatus == 0:
        shutil.rmtree(harness.RUN, ignore_errors=True)


def pytest_terminal_summary(terminalreporter, exitstatus):
    harness = sys.modules.get("harness")
    if harness and exitstatus != 0:
        terminalreporter.write_line(f"Logs and configurations of this run: {harness.RUN}")
