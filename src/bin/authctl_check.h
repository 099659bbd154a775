/* SPDX-License-Identifier: Apache-2.0 */
/* `authctl check`: its lines, and the parts that fill them. */
#ifndef BIN_AUTHCTL_CHECK_H
#define BIN_AUTHCTL_CHECK_H

#include "bin/authctl_tool.h"

/* SKIPPED: nobody could tell; text says what it takes. */
enum check_result { CHECK_OK, CHECK_WARNING, CHECK_FAILED, CHECK_SKIPPED };

struct checkup {
	struct tool tool;
	bool failed;
};

/* Print one line; text says what was found, and what to do unless it is fine. */
__attribute__((format(printf, 4, 5))) void check_line(struct checkup *checkup, enum check_result result,
						      const char *what, const char *format, ...);
/* What a line about a web server says besides: each STR_NONE for nothing. */
struct check_detail {
	struct str url;	   /* before the text */
	struct str remedy; /* behind it */
};
void check_print(struct checkup *checkup, enum check_result result, const char *what, struct str text,
		 const struct check_detail *detail);
/* The web server that answers at --live. EX_OK, or an exit status after an error has been printed. */
int check_live(struct checkup *checkup);
/* Is the use of --live and its companions right? EX_OK or EX_USAGE. */
int check_live_arguments(const struct arguments *arguments);
/* API keys: who takes them, and what is known of them. */
void check_api_keys(struct checkup *checkup);
/* The issuers whose keys are fetched. */
void check_keys(struct checkup *checkup);
/* The services that know the users. */
void check_profiles(struct checkup *checkup);
/* The auth server that knows the accounts. */
void check_upstream(struct checkup *checkup);
/* Which users can write state-dir and read the secrets. */
void check_users(struct checkup *checkup);

/* Warnings that the library logs while something is opened. */
struct check_capture {
	int file, standard_error;
};

/* From here on log lines are kept instead of printed. */
void check_capture_begin(struct check_capture *capture);
/* Print what has been logged meanwhile as lines of the checkup. */
void check_capture_end(struct check_capture *capture, struct checkup *checkup);

#endif
