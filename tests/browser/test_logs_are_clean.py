# SPDX-License-Identifier: Apache-2.0
"""Runs last: what holds for every log of the integration tests holds for those of the browsers' sites."""

from test_logs import test_lines_are_whole, test_no_sanitizer_complains, test_no_secrets

__all__ = ["test_lines_are_whole", "test_no_sanitizer_complains", "test_no_secrets"]
