/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as the programs' option -l takes them: unix:/path or tcp:HOST:PORT. */
#ifndef BENCH_ADDRESS_H
#define BENCH_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

struct address {
	struct sockaddr_storage socket;
	socklen_t length;
};

/* false: no such address. HOST is numeric. */
bool address_parse(const char *text, struct address *out);
/* A connected, blocking descriptor, or -1 with errno. */
int address_connect(const struct address *address);

#endif
