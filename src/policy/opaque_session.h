/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that only their issuer's server knows: asked about, and the answers
 * used again for a moment. One call at a time for a token, however many requests
 * bring it; and never more workers in such calls than half of them, so that a
 * server that hangs stops nobody else. Whatever is not a clear answer denies. */
#ifndef POLICY_OPAQUE_SESSION_H
#define POLICY_OPAQUE_SESSION_H

#include "policy/runtime.h"

/* The answers that a process remembers. Takes memory when the first one comes. */
struct opaque_sessions;

/* workers: threads that may ask. false: no memory. */
bool opaque_sessions_open(unsigned workers, struct opaque_sessions **out);
/* Wipes the answers. After every worker has ended. */
void opaque_sessions_close(struct opaque_sessions **sessions);

/* As issuer_verify, for a token that may be an opaque session of this issuer.
 * ERR_NOT_FOUND: it is none, and nothing was asked. ERR_TOKEN_EXPIRED also when
 * the server knows no such session: then claims are empty. ERR_PROFILE: the
 * server gave no answer that counts, or too many workers wait for it. Without
 * worker->sessions (tools) it asks each time. */
enum err opaque_session_verify(struct worker *worker, const struct issuer *issuer, struct token *token,
			       struct claims *claims);

#endif
