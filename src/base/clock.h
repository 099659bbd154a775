/* SPDX-License-Identifier: Apache-2.0 */
/* The only readers of time. Claims are judged by the wall clock, which tests and
 * `authctl token verify --now` can set; deadlines by the monotonic one. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Seconds since 1970-01-01 UTC. */
int64_t clock_now(void);
/* The same in milliseconds. */
int64_t clock_now_ms(void);
/* The same, whatever clock_set() said: for times that other processes read. */
int64_t clock_unfrozen_ms(void);
/* Freeze the wall clock at that second; a negative value lets it go again. */
void clock_set(int64_t now);
/* Monotonic milliseconds and microseconds since some moment. */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
/* Milliseconds since this machine booted, those it was suspended included; the same
 * for all processes. */
int64_t clock_boot_ms(void);

#endif
