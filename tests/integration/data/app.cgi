#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# The protected application: tells what it sees.
import hashlib
import json
import os
import sys

body = sys.stdin.buffer.read(int(os.environ.get("CONTENT_LENGTH") or 0))
print("Content-Type: application/json\n")
print(json.dumps({"environment": dict(os.environ), "length": len(body), "sha256": hashlib.sha256(body).hexdigest()}))
