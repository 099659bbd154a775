# SPDX-License-Identifier: Apache-2.0

noinst_PROGRAMS += %D%/core
