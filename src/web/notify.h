/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the service manager how we are: sd_notify(3) without its library. */
#ifndef WEB_NOTIFY_H
#define WEB_NOTIFY_H

#include "base/str.h"

/* Send the assignments ("READY=1\nSTATUS=…") to $NOTIFY_SOCKET. Nothing happens
 * when there is none; that nobody hears it is no error. */
void notify_send(struct str assignments);
/* RELOADING=1 with the moment that the manager wants along. */
void notify_reloading(void);

#endif
