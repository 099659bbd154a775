/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: strict INI read into structs by tables. A file of the
 * code that has options owns a table of them; parsing, range checks, `authctl
 * reference` and the manual all come from these tables. */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "base/arena.h"

enum conf_type {
	CONF_TEXT,     /* struct conf_text */
	CONF_PATH,     /* struct conf_text, absolute */
	CONF_URL,      /* struct conf_text: http:, https:, or a path that begins with one '/' */
	CONF_BOOL,     /* bool: on, off */
	CONF_INT,      /* int64_t */
	CONF_SIZE,     /* int64_t bytes: 512, 64k, 4m */
	CONF_DURATION, /* int64_t milliseconds: 50ms, 10s, 5m, 8h, 7d; -1 without value and default */
	CONF_WORD,     /* int: the index in range, "deny|local" */
	CONF_LIST,     /* struct conf_list: separated by commas, or on several lines */
	CONF_LINES     /* struct conf_list: one value a line, commas belong to it */
};

/* A value and where it stands. An option without value and default has a value of STR_NONE. */
struct conf_text {
	struct str value; /* followed by a NUL */
	const char *file;
	unsigned line;
};

struct conf_list {
	const struct conf_text *items;
	size_t n;
};

struct conf_opt {
	const char *key;
	enum conf_type type;
	size_t offset;	     /* in the struct of the section */
	const char *initial; /* default as it would be written, or NULL for none */
	const char *range;   /* CONF_WORD: the words; INT, SIZE, DURATION: "least-most"; else NULL */
	const char *help;    /* one sentence for the reference and the manual */
};

/* A kind of section. opts ends with a row whose key is NULL. */
struct conf_kind {
	const char *name;
	bool named; /* [issuer "main"] */
	size_t size;
	const struct conf_opt *opts;
	const char *help;
};

struct conf_entry;

struct conf_section {
	const struct conf_kind *kind;
	struct str name; /* followed by a NUL; STR_NONE for a kind without names */
	void *values;	 /* kind->size bytes laid out by kind->opts */
	const char *file;
	unsigned line;			  /* of the [section], 0 when the file has none and defaults stand */
	const struct conf_entry *entries; /* as written, for conf_fail */
	struct conf_section *next;
};

struct conf {
	struct arena *arena;
	const char *path;
	const struct conf_section *sections; /* in the order of the file */
	struct conf_list files;		     /* the file and what it includes */
};

/* What is wrong, where, and what to do: "file:line: key: text". */
struct conf_error {
	char text[1024];
};

/* Read path. kinds ends with NULL. Every kind without names has exactly one
 * section in the result, with its defaults when the file has none. false: error
 * is set and *out untouched. */
bool conf_open(const char *path, const struct conf_kind *const kinds[], struct conf **out, struct conf_error *error);
void conf_close(struct conf **conf);
/* The values of the section of that kind (and name, for named kinds), or NULL. */
const void *conf_find(const struct conf *conf, const struct conf_kind *kind, struct str name);
/* Stands the option in the file? false when its default holds. */
bool conf_is_given(const struct conf_section *section, const char *key);
/* Set error to "file:line: key: …", at the place where the option of that section
 * was given, or at the section. Returns false. */
__attribute__((format(printf, 4, 5))) bool conf_fail(struct conf_error *error, const struct conf_section *section,
						     const char *key, const char *format, ...);
/* The same at a value: for one of several lines. */
__attribute__((format(printf, 4, 5))) bool conf_fail_at(struct conf_error *error, const struct conf_text *where,
							const char *key, const char *format, ...);
/* The whole commented reference, with defaults. */
void conf_reference(struct buf *out, const struct conf_kind *const kinds[]);
/* The effective configuration, secrets (options in names, ends with NULL) masked. */
void conf_print(struct buf *out, const struct conf *conf, const char *const masked[]);

#endif
