/* SPDX-License-Identifier: Apache-2.0 */
/* The key that signs form values: state-dir/form.key, made by the first process
 * that needs it, the same for all processes of the host and after restarts. */
#ifndef POLICY_FORM_KEY_H
#define POLICY_FORM_KEY_H

#include "base/err.h"

enum { FORM_KEY_SIZE = 64 }; /* hexadecimal digits of 32 random bytes */

/* Copy the key to out. ERR_STORE: it is not there and can't be made, or others
 * may read it; the log says what to do. */
enum err form_key_load(const char *state_dir, char out[FORM_KEY_SIZE]);

#endif
