/* SPDX-License-Identifier: Apache-2.0 */
/* The page by which web servers learn that what they know is old:
 * state-dir/generation.page, 64 bytes in this machine's byte order.
 *
 *      0  8  "FCGAUTHG"
 *      8  4  version, 1
 *     12  4  0
 *     16  8  generation: another number after each change that a verdict hangs on
 *     24 40  0
 *
 * A web server that keeps a verdict reads the generation before it asks for it, and
 * uses it only while the page, looked at anew each time, has the same. Whoever changes
 * something raises it when the change is durable (where it is in memory: in force) and
 * before anybody is told that it is done. That is enough: a verdict that does not know
 * of the change was made before it, so it was asked for before the page was raised, and
 * the number that was read then never comes back. It costs the change, not the requests.
 *
 * Numbers are random and written, not counted up: whoever comes between two others does
 * no harm, no lock can be left behind by a process that is killed or stopped, and a page
 * that was restored, cut off or overwritten is whole again after the next change. Nobody
 * here maps it, so nobody can die by a file that is cut off. It need not outlive the
 * machine, and is not synced.
 *
 * It has no secret, and everybody may read it who can reach it (0644, or 0664 where a
 * group shares state-dir). One that is deleted is made anew: a web server that still has
 * the old one open sees that it has no name any more (st_nlink), and asks each time. One
 * that is moved away under a running web server still has a name: never do that. */
#ifndef STORE_GENERATION_H
#define STORE_GENERATION_H

#include "base/str.h"

/* Raise it, making the page where there is none. From its return on no verdict that was
 * asked for earlier is used. false: why says what is wrong and what to do; the change
 * must not be called done then. */
bool generation_raise(const char *state_dir, struct buf *why);
/* The same; the log says why not. */
bool generation_announce(const char *state_dir);
/* For `authctl check`: could it be raised? Changes nothing. */
bool generation_check(const char *state_dir, struct buf *why);

#endif
