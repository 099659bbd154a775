/* SPDX-License-Identifier: Apache-2.0 */
/* What was the program started as, and on which socket does it listen? */
#ifndef WEB_LISTEN_H
#define WEB_LISTEN_H

#include "base/str.h"

enum listen_mode { LISTEN_NOTHING, LISTEN_SOCKET, LISTEN_CGI };

/* In the order of the contract: address (-l, or NULL), LISTEN_PID/LISTEN_FDS
 * (unset afterwards), a listening descriptor 0, GATEWAY_INTERFACE. The
 * descriptor is close-on-exec. LISTEN_NOTHING with an empty why: none of these.
 *
 * address: unix:/path[,mode=0660][,group=NAME], or tcp:127.0.0.1:PORT,
 * tcp:[::1]:PORT (loopback only), or for HTTP http:unix:/path, http:127.0.0.1:PORT.
 * A path where somebody answers is refused, a dead socket is replaced; the file is
 * never more accessible than asked, not even for a moment. */
enum listen_mode listen_open(const char *address, int *descriptor, struct buf *why);
/* The transport that the address asks for by itself, or NULL: the configuration's. */
const char *listen_transport(const char *address);
/* Remove the socket file that listen_open made, if it still is ours. */
void listen_close(int descriptor, const char *address);

#endif
