/* SPDX-License-Identifier: Apache-2.0 */
/* Forms that wait for a login: only ours come out again, and only for a day. */
#include "policy/kept_form.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#include "folder.h"
#include "unit.h"

enum { NOW = 1700000000 };

static const struct kept_form form = {{"/edit?page=1", 12}, {"text/plain; charset=utf-8", 25}, {"a=1\n\nb=2\r\n", 10}};

/* A worker with as much of a configuration as this needs. */
static struct bench {
	struct folder folder;
	struct server_conf server;
	struct snapshot snapshot;
	struct worker worker;
	struct call call;
} b;

static void setup(void)
{
	memset(&b, 0, sizeof b);
	folder_open(&b.folder);
	b.server.state_dir.value = str_of(b.folder.path);
	b.snapshot.server = &b.server;
	b.worker.snapshot = &b.snapshot;
	b.call = (struct call){.worker = &b.worker};
	if (!arena_open(1 << 18, &b.worker.arena) || !token_thread_open(0, &b.worker.token))
		abort();
	clock_set(NOW);
}

static void teardown(void)
{
	clock_set(-1);
	token_thread_close(&b.worker.token);
	arena_close(&b.worker.arena);
	folder_close(&b.folder);
}

static void comes_out_again(void)
{
	struct kept_form out;
	struct str sealed;
	setup();
	CU_ASSERT_EQUAL_FATAL(kept_form_seal(&b.call, &form, &sealed), ERR_NONE);
	CU_ASSERT_EQUAL_FATAL(kept_form_open(&b.call, sealed, &out), ERR_NONE);
	UNIT_STR_EQ(out.address, form.address, "address");
	UNIT_STR_EQ(out.type, form.type, "type");
	UNIT_STR_EQ(out.body, form.body, "body");
	clock_set(NOW + KEPT_FORM_SECONDS - 1);
	CU_ASSERT_EQUAL(kept_form_open(&b.call, sealed, &out), ERR_NONE);
	clock_set(NOW + KEPT_FORM_SECONDS);
	CU_ASSERT_EQUAL(kept_form_open(&b.call, sealed, &out), ERR_NOT_FOUND);
	teardown();
}

static void refuses(void)
{
	struct kept_form out, empty = {form.address, form.type, STR("")}, bad = form;
	struct str sealed;
	setup();
	CU_ASSERT_EQUAL(kept_form_seal(&b.call, &empty, &sealed), ERR_NONE);
	CU_ASSERT_EQUAL(kept_form_open(&b.call, sealed, &out), ERR_NONE);
	CU_ASSERT_EQUAL(out.body.n, 0);
	CU_ASSERT_EQUAL(kept_form_open(&b.call, STR_NONE, &out), ERR_NOT_FOUND);
	CU_ASSERT_EQUAL(kept_form_open(&b.call, STR("x"), &out), ERR_NOT_FOUND);
	CU_ASSERT_EQUAL(kept_form_open(&b.call, (struct str){sealed.p, sealed.n - 4}, &out), ERR_NOT_FOUND);
	bad.type = STR("text/plain\n/evil");
	CU_ASSERT_EQUAL(kept_form_seal(&b.call, &bad, &sealed), ERR_BAD_REQUEST);
	bad = form;
	bad.address = STR("/a\nb");
	CU_ASSERT_EQUAL(kept_form_seal(&b.call, &bad, &sealed), ERR_BAD_REQUEST);
	/* Of a host with another key. */
	CU_ASSERT_EQUAL(kept_form_seal(&b.call, &form, &sealed), ERR_NONE);
	struct str copy = arena_copy(b.worker.arena, sealed);
	folder_write(&b.folder, "form.key", STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
	CU_ASSERT_EQUAL(kept_form_open(&b.call, copy, &out), ERR_NOT_FOUND);
	teardown();
}

static void is_found_in_fields(void)
{
	UNIT_STR_EQ(kept_form_find(STR("csrf=a&kept=AbC-_&rd=x")), STR("AbC-_"), "among others");
	CU_ASSERT_PTR_NULL(kept_form_find(STR("")).p);
	CU_ASSERT_PTR_NULL(kept_form_find(STR("kept=&a=b")).p);
	CU_ASSERT_PTR_NULL(kept_form_find(STR("kept=a&kept=b")).p);
	CU_ASSERT_PTR_NULL(kept_form_find(STR("unkept=a&keptx=b")).p);
}

int main(void)
{
	static const struct unit_case cases[] = {{"comes out again", comes_out_again},
						 {"what is none of ours does not", refuses},
						 {"among the fields of a form", is_found_in_fields},
						 {NULL, NULL}};
	return unit_main("kept_form", cases);
}
