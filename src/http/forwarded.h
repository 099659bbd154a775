/* SPDX-License-Identifier: Apache-2.0 */
/* What a proxy in front of us says of the request that it got: whose it is, and
 * over HTTP for which one a verdict is wanted. Only here are its headers believed. */
#ifndef HTTP_FORWARDED_H
#define HTTP_FORWARDED_H

#include "http/network.h"
#include "http/request.h"

/* What becomes of a request that came over HTTP. */
enum forwarded {
	FORWARDED_ASKS,	  /* auth-verify: the proxy asks about another one, at /original or /forwarded */
	FORWARDED_PASSES  /* the others: it is that one */
};

/* Give *out the parameters of the request as a web server would have told them;
 * they point into *in or into the arena. Over HTTP whoever connects is believed
 * through a unix socket or from an address in trusted:
 *   /original   X-Original-URI, X-Original-Method, Host, X-Forwarded-Proto, X-Real-IP
 *   /forwarded  X-Forwarded-Uri, -Method, -Host, -Proto, -For
 * Behind /original may stand the path that is served, percent-encoded, where it is
 * another one (AUTH_EFFECTIVE_PATH), and behind either what else a web server would
 * tell of its configuration: policy=NAME, accel-redirect=LOCATION, preflight=answer.
 * out->refused is ERR_UNTRUSTED_PROXY from elsewhere, ERR_BAD_REQUEST for another
 * target or without the URI, the method or the host. A request that is passed on is
 * left as it is but for X-Forwarded-Proto and the client's address. Over FastCGI and
 * CGI it is that address alone, and only when REMOTE_ADDR is in trusted.
 *
 * The client is the last of X-Forwarded-For that is not in trusted. */
void forwarded_read(struct arena *arena, const struct networks *trusted, enum forwarded how,
		    const struct incoming *in, struct incoming *out);

#endif
