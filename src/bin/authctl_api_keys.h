/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of `authctl api-keys`. */
#ifndef BIN_AUTHCTL_API_KEYS_H
#define BIN_AUTHCTL_API_KEYS_H

#include "bin/authctl_output.h"
#include "bin/authctl_tool.h"

/* Open what the command needs, run it, close. Gives the exit status. */
int api_keys_run(const struct arguments *arguments, bool needs_store, int (*command)(struct tool *tool));
/* The record of the id in operand 0, of the file (*of_file) or the store. EX_OK, or
 * the exit status after an error has been printed. */
int api_keys_find_record(struct tool *tool, struct api_key_record *out, bool *of_file);
/* The members that a record has in every answer in JSON. */
void api_keys_print_record(struct document *document, const struct api_key_record *record);
/* "the records cannot be read"; gives EXIT_FAILED. */
int api_keys_cannot_read(void);

#endif
