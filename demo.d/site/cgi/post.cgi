#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Counts what was posted.
echo "Content-Type: text/plain; charset=utf-8"
echo
echo "REMOTE_USER=$REMOTE_USER"
echo "BYTES=$(wc -c | tr -d ' ')"
