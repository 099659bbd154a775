#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# The application behind the form: shows who posted what, as JSON in a page.
import html
import json
import os
import sys
import urllib.parse

body = sys.stdin.buffer.read(int(os.environ.get("CONTENT_LENGTH") or 0)).decode("utf-8")
got = {"user": os.environ.get("REMOTE_USER"), "method": os.environ["REQUEST_METHOD"],
       "query": os.environ.get("QUERY_STRING"), "fields": urllib.parse.parse_qsl(body, keep_blank_values=True)}
print("Content-Type: text/html; charset=utf-8\n")
print("<!DOCTYPE html><html lang=en><head><title>Saved</title><link rel=icon href='data:,'></head><body><h1>Saved</h1>"
      f"<pre>{html.escape(json.dumps(got))}</pre></body></html>")
