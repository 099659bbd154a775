/* SPDX-License-Identifier: Apache-2.0 */
/* Records of users in a folder of their own, and what another program sees of them. */
#ifndef TESTS_UNIT_RECORD_BED_H
#define TESTS_UNIT_RECORD_BED_H

#include <sys/types.h>

#include "folder.h"
#include "store/user_record.h"
#include "unit.h"

struct bed {
	struct folder folder;
	struct user_records *process;
	struct user_records_thread *records;
	struct arena *arena;
};

/* Open the records in bed->folder; ends the test program when they do not open. */
void bed_start(struct bed *bed);
/* Let go of them. */
void bed_stop(struct bed *bed);
/* Start in a new folder. */
void bed_open(struct bed *bed);
void bed_close(struct bed *bed);

struct user_sight sight_of(const char *issuer, const char *user, const char *attributes, int64_t now);
struct user_sight sight_of_ann(void);
/* "user7"; the text lives in name. */
struct user_sight sight_of_user(unsigned i, char name[16]);

/* The number, or 0. */
int64_t bed_add(struct user_records_thread *records, struct user_sight sight);
int64_t bed_find(struct user_records_thread *records, struct user_sight sight);

/* What a reader sees: the first column of the first row as text. false: what went wrong. */
bool bed_ask(const char *path, const char *query, char *out, size_t size);
/* A reader must see that. */
void bed_gives(struct bed *bed, const char *query, const char *want);
/* Bytes of a file in the folder, or -1. */
off_t bed_size(struct bed *bed, const char *name);
/* Run it in a process of its own: what it gives, 0 when all went well. */
int bed_in_child(int (*run)(struct bed *bed), struct bed *bed);

#endif
