#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The user's record, read by an application (CGI): see USER RECORDS in fcgi-auth(7)."""
import json
import os
import sqlite3
import sys
import time

RECORDS = "/var/lib/fcgi-auth-records/user-records.db"

# The number for foreign keys in tables of your own.
number = os.environ.get("AUTH_LOCAL_USER_ID")
if number is None:
    print("Status: 403\nContent-Type: text/plain\n\nNobody is logged in here.")
    sys.exit()
records = sqlite3.connect(f"file:{RECORDS}?mode=ro", uri=True)
user, first_seen, attributes = records.execute(
    "SELECT user_id, first_seen, attributes FROM users WHERE local_user_id = ?", [int(number)]).fetchone()
name = json.loads(attributes).get("name", user)
since = time.strftime("%Y-%m-%d", time.gmtime(first_seen))
sys.stdout.reconfigure(encoding="utf-8")
print("Content-Type: text/plain; charset=utf-8\n")
print(f"Hello {name}! You are user number {number}, here since {since}.")
