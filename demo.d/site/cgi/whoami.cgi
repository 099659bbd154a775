#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a script learns about who asks.
echo "Content-Type: text/plain; charset=utf-8"
echo
echo "REMOTE_USER=$REMOTE_USER"
echo "AUTH_USER_ID=$AUTH_USER_ID"
echo "AUTH_EMAIL=$AUTH_EMAIL"
