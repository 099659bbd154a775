/* SPDX-License-Identifier: Apache-2.0 */
/* What a transport has to complain about: counted, and logged now and then, so
 * that no peer can fill the log. */
#ifndef WEB_COMPLAINT_H
#define WEB_COMPLAINT_H

#include <stdatomic.h>
#include <stdint.h>

enum complaint_kind {
	COMPLAINT_BROKEN,      /* a peer broke the protocol */
	COMPLAINT_DEADLINE,    /* a peer was too slow */
	COMPLAINT_CONNECTIONS, /* max-connections reached */
	COMPLAINT_DESCRIPTORS, /* EMFILE, ENFILE */
	COMPLAINT_MEMORY,
	COMPLAINT_OVERLOADED,
	COMPLAINT_REPLY, /* the handler left no complete reply */
	COMPLAINT_DRAIN, /* closed because drain-timeout was over */
	COMPLAINT_COUNT
};

/* Zeroed at first. */
struct complaints {
	struct {
		_Atomic uint64_t count;
		_Atomic int64_t silent_until_ms;
	} kind[COMPLAINT_COUNT];
};

/* Count one; detail (or NULL) goes into the line when one is due. Any thread. */
void complaint_add(struct complaints *complaints, enum complaint_kind kind, const char *detail);

#endif
