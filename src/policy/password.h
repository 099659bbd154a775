/* SPDX-License-Identifier: Apache-2.0 */
/* Password hashes: made with bcrypt, checked in every form that crypt(3) and
 * Apache's htpasswd know. Nothing here logs or keeps a password. */
#ifndef POLICY_PASSWORD_H
#define POLICY_PASSWORD_H

#include "base/arena.h"

/* Each step of the cost doubles the work. 12 takes about 0.2 s of one core today:
 * bearable at a login, and guesses against a stolen file stay slow. */
enum { PASSWORD_COST_MIN = 4, PASSWORD_COST_MAX = 16, PASSWORD_COST_DEFAULT = 12 };
/* bcrypt reads no further; a longer password is refused, never cut. */
enum { PASSWORD_MAX = 72 };

/* Why the password cannot be set (empty, too long, a NUL byte), for its owner to
 * read; NULL when it can. How short it may be is the configuration's matter. */
const char *password_problem(struct str password);
/* Hash it with bcrypt ($2b$). false: it has a problem, the cost is out of range,
 * or the arena is used up. */
bool password_hash(struct arena *arena, struct str password, unsigned cost, struct str *hash);
/* Is that the password behind the hash? Any form that password_is_supported()
 * knows; no other ever fits. With bcrypt what follows the 72nd byte is not looked
 * at, so that users of an imported file get in as they did before. */
bool password_verify(struct arena *arena, struct str password, struct str hash);
/* For a user who does not exist: takes the time of password_verify() with a hash
 * of password_hash() and that cost. */
void password_verify_nobody(struct arena *arena, struct str password, unsigned cost);
/* Can password_verify() tell who knows it? Whole hashes alone: bcrypt up to
 * PASSWORD_COST_MAX, everything that the system's crypt(3) knows, $apr1$, {SHA}.
 * A plain text is none, but 13 letters and digits are taken for DES. */
bool password_is_supported(struct str hash);
/* Would password_hash() with that cost make a stronger one? Another scheme, or bcrypt with a lower cost. */
bool password_is_outdated(struct str hash, unsigned cost);

#endif
