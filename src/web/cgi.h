/* SPDX-License-Identifier: Apache-2.0 */
/* Plain CGI (RFC 3875): the process is one request. */
#ifndef WEB_CGI_H
#define WEB_CGI_H

#include "web/transport.h"

/* Take the request from the environment and descriptor 0, answer it on
 * descriptor 1. Limits and rules are those of the other transports. Gives the
 * exit status: 0 when an answer was written, a denial too. */
int cgi_run(const struct transport_settings *settings, const struct handler *handler);
/* Where the program could not even start: a complete 500 on descriptor 1. */
void cgi_answer_failure(void);
/* Forget HTTP_PROXY and its relatives: a request header can set it, and
 * libraries obey it. Called by cgi_run; before any library starts is better. */
void cgi_forget_proxies(void);

#endif
