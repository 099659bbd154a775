/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer_setup.h"

#include <stdlib.h>
#include <string.h>

void issuer_setup(struct issuer_setup *setup)
{
	memset(setup, 0, sizeof *setup);
	setup->conf.type.value = STR("jwt");
	setup->conf.require_exp = true;
	setup->conf.max_token = 16 << 10;
	setup->section = (struct conf_section){
		.kind = &issuer_kind,
		.name = STR("main"),
		.values = &setup->conf,
		.file = "test.conf",
		.line = 1,
	};
}

void issuer_setup_add(struct issuer_setup *setup, struct conf_list *list, struct str value)
{
	if (setup->n_items == sizeof setup->items / sizeof setup->items[0])
		abort();
	struct conf_text *item = &setup->items[setup->n_items++];
	*item = (struct conf_text){.value = value, .file = "test.conf", .line = 2};
	if (list->n == 0)
		list->items = item;
	else if (list->items + list->n != item)
		abort();
	list->n++;
}

void issuer_setup_secret(struct issuer_setup *setup, struct str secret)
{
	struct buf b = buf_over(setup->texts + setup->n_texts, sizeof setup->texts - setup->n_texts);
	buf_add(&b, STR("text:"));
	buf_add(&b, secret);
	if (b.full)
		abort();
	setup->n_texts += b.n;
	issuer_setup_add(setup, &setup->conf.secret, buf_str(&b));
}
