/* SPDX-License-Identifier: Apache-2.0 */
/* An [issuer] section from literals, for tests of what is built on it. */
#ifndef TESTS_ISSUER_SETUP_H
#define TESTS_ISSUER_SETUP_H

#include "token/issuer.h"

/* Must not move once it is in use: the section points to conf. */
struct issuer_setup {
	struct issuer_conf conf;
	struct conf_section section;
	struct conf_text items[64];
	size_t n_items;
	char texts[8192];
	size_t n_texts;
};

/* type jwt, HS256, the defaults of the options, no secret. */
void issuer_setup(struct issuer_setup *setup);
/* Put a value behind those in the list, which must be the last that was added to. */
void issuer_setup_add(struct issuer_setup *setup, struct conf_list *list, struct str value);
/* The same for the list of secrets: "text:" goes in front. */
void issuer_setup_secret(struct issuer_setup *setup, struct str secret);

#endif
