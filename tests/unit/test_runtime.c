/* SPDX-License-Identifier: Apache-2.0 */
/* The whole decision on a real store: revocations, reloads under load, and a store that goes away. */
#include "policy/runtime.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "folder.h"
#include "policy/absent_store.h"
#include "policy/revocation.h"
#include "policy/verify.h"
#include "unit.h"

/* Minted by PyJWT 2.6.0 with the secret below; iss https://sso.example, sub ann, exp 1700003600. */
#define HEAD "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
static const char with_jti[] = /* jti one, iat 1700000000, roles dev */
	HEAD "eyJzdWIiOiJhbm4iLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDAwMzYwMCwianRpIjoib25lIiwiaXNzIjoiaHR0cHM6Ly9z"
	     "c28uZXhhbXBsZSIsInJvbGVzIjpbImRldiJdfQ.l46bsvNeQdNApipBc98q3VXYctkjwjXIQUo2-LOo1cs";
static const char later[] = /* jti two, iat 1700000010 */
	HEAD "eyJzdWIiOiJhbm4iLCJpYXQiOjE3MDAwMDAwMTAsImV4cCI6MTcwMDAwMzYwMCwianRpIjoidHdvIiwiaXNzIjoiaHR0cHM6Ly9z"
	     "c28uZXhhbXBsZSJ9.6SScUndg0l12vOoRS1HdxwxLRxr_YAL-qQ81SuuynUQ";
static const char bare[] = /* neither jti nor iat */
	HEAD "eyJzdWIiOiJhbm4iLCJleHAiOjE3MDAwMDM2MDAsImlzcyI6Imh0dHBzOi8vc3NvLmV4YW1wbGUifQ.lYl0djqPwcfwt_luREII9"
	     "D2UiZbdBkVjxdWewtrYPW4";

enum { NOW = 1700000100, THREADS = 4, RELOADS = 100 };

static struct folder folder;

static void write_conf(const char *realm)
{
	char text[1024];
	snprintf(text, sizeof text,
		 "[server]\nstate-dir = %s\n[issuer \"main\"]\nalgorithms = HS256\niss = https://sso.example\n"
		 "secret = text:0123456789abcdef0123456789abcdef0123456789abcdef\n"
		 "[policy \"public\"]\npath = /public/**\nunauthenticated = anonymous\n"
		 "[policy \"site\"]\npath = /**\nrealm = %s\n",
		 folder.path, realm);
	folder_write(&folder, "conf", str_of(text));
}

static void open_all(struct runtime **runtime, struct worker *worker)
{
	struct conf_error error = {""};
	int status;
	folder_open(&folder);
	write_conf("first");
	char path[512];
	snprintf(path, sizeof path, "%s", folder_file(&folder, "conf"));
	struct runtime_settings settings = {.path = path, .threads = THREADS};
	CU_ASSERT_FATAL(runtime_open(&settings, runtime, &error, &status));
	CU_ASSERT_FATAL(worker_open(*runtime, 0, worker));
	clock_set(NOW);
}

static void close_all(struct runtime **runtime, struct worker *worker)
{
	worker_close(worker);
	runtime_close(runtime);
	folder_close(&folder);
}

static enum err decide(struct worker *worker, const char *token)
{
	char header[1024];
	snprintf(header, sizeof header, "Bearer %s", token);
	struct request request = {
		.method = STR("GET"), .path = STR("/x"), .bare_path = STR("/x"), .authorization = str_of(header)};
	struct verdict verdict;
	worker_begin(worker);
	verify_request(worker, &request, ERR_NONE, NULL, &verdict);
	worker_end(worker);
	return verdict.err;
}

static enum err revoke_token(struct worker *worker, const char *text)
{
	struct token token;
	struct claims claims;
	worker_begin(worker);
	enum err err = verify_token(worker, &worker->snapshot->issuers,
				    &(struct credentials){.token = str_of(text)}, &token, &claims);
	if (!err)
		err = revocation_add_token(worker, &token, &claims, STR("test"));
	worker_end(worker);
	return err;
}

static enum err revoke_user(struct worker *worker)
{
	return revocation_add_user(worker, STR("https://sso.example"), STR("ann"), STR("test"));
}

static void revokes_one_token(void)
{
	struct runtime *runtime;
	struct worker worker, other;
	open_all(&runtime, &worker);
	CU_ASSERT_FATAL(worker_open(runtime, 1, &other));
	CU_ASSERT_EQUAL(decide(&worker, with_jti), ERR_NONE);
	CU_ASSERT_EQUAL(decide(&worker, bare), ERR_NONE);
	CU_ASSERT_EQUAL(revoke_token(&worker, with_jti), ERR_NONE);
	CU_ASSERT_EQUAL(decide(&worker, with_jti), ERR_TOKEN_REVOKED);
	CU_ASSERT_EQUAL(decide(&other, with_jti), ERR_TOKEN_REVOKED);
	CU_ASSERT_EQUAL(decide(&worker, bare), ERR_NONE);
	CU_ASSERT_EQUAL(revoke_token(&worker, bare), ERR_NONE);
	CU_ASSERT_EQUAL(decide(&other, bare), ERR_TOKEN_REVOKED);
	CU_ASSERT_EQUAL(decide(&other, later), ERR_NONE);
	worker_close(&other);
	close_all(&runtime, &worker);
}

static void revokes_all_of_a_user(void)
{
	struct runtime *runtime;
	struct worker worker;
	open_all(&runtime, &worker);
	clock_set(1700000005);
	CU_ASSERT_EQUAL(revoke_user(&worker), ERR_NONE);
	CU_ASSERT_EQUAL(decide(&worker, with_jti), ERR_TOKEN_REVOKED);
	/* It does not say when it was issued: no newer than the mark. */
	CU_ASSERT_EQUAL(decide(&worker, bare), ERR_TOKEN_REVOKED);
	CU_ASSERT_EQUAL(decide(&worker, later), ERR_NONE);
	/* The mark of 09 leaves a token of 10 alone; a second one within 09 does not. */
	clock_set(1700000009);
	CU_ASSERT_EQUAL(revoke_user(&worker), ERR_NONE);
	CU_ASSERT_EQUAL(decide(&worker, later), ERR_NONE);
	CU_ASSERT_EQUAL(revoke_user(&worker), ERR_NONE);
	CU_ASSERT_EQUAL(decide(&worker, later), ERR_TOKEN_REVOKED);
	close_all(&runtime, &worker);
}

/* A session's cache is revoked, the session is renewed: its token is the same. */
static void outlives_what_is_renewed(void)
{
	struct runtime *runtime;
	struct worker worker;
	struct token token;
	struct claims claims;
	unsigned forgotten = 1;
	open_all(&runtime, &worker);
	worker_begin(&worker);
	CU_ASSERT_EQUAL_FATAL(verify_token(&worker, &worker.snapshot->issuers,
					   &(struct credentials){.token = str_of(with_jti)}, &token, &claims),
			      ERR_NONE);
	claims.renewable = true;
	CU_ASSERT_EQUAL(revocation_add_token(&worker, &token, &claims, STR("test")), ERR_NONE);
	clock_set(claims.exp + 30 * 86400);
	/* What has expired is still found until it is swept. */
	while (forgotten > 0)
		CU_ASSERT_EQUAL_FATAL(worker.store_driver->sweep(worker.store, clock_now(), &forgotten), ERR_NONE);
	CU_ASSERT_EQUAL(revocation_check(&worker, &token, &claims, NULL, NULL), ERR_TOKEN_REVOKED);
	worker_end(&worker);
	close_all(&runtime, &worker);
}

static void expires(void)
{
	struct runtime *runtime;
	struct worker worker;
	open_all(&runtime, &worker);
	clock_set(1700003600);
	CU_ASSERT_EQUAL(decide(&worker, with_jti), ERR_TOKEN_EXPIRED);
	clock_set(1700003599);
	CU_ASSERT_EQUAL(decide(&worker, with_jti), ERR_NONE);
	close_all(&runtime, &worker);
}

/* On a page for everybody a left-over cookie counts as none; a program is told. */
static void lets_anybody_see_public_pages(void)
{
	static const struct {
		const char *path, *cookie, *authorization;
		enum err err;
		bool anonymous;
	} rows[] = {
		{"/public/x", NULL, NULL, ERR_NONE, true},
		{"/public/x", "__Host-auth=x", NULL, ERR_NONE, true},
		{"/public/x", NULL, "Bearer x", ERR_TOKEN_MALFORMED, false},
		{"/x", NULL, NULL, ERR_NO_TOKEN, false},
		{"/x", "__Host-auth=x", NULL, ERR_TOKEN_MALFORMED, false},
	};
	struct runtime *runtime;
	struct worker worker;
	open_all(&runtime, &worker);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request request = {.path = str_of(rows[i].path),
					  .bare_path = str_of(rows[i].path),
					  .cookie = str_of(rows[i].cookie),
					  .authorization = str_of(rows[i].authorization)};
		struct verdict verdict;
		worker_begin(&worker);
		verify_request(&worker, &request, ERR_NONE, NULL, &verdict);
		worker_end(&worker);
		UNIT_ROW(verdict.err == rows[i].err && verdict.anonymous == rows[i].anonymous, rows[i].path);
	}
	close_all(&runtime, &worker);
}

static void denies_without_a_store(void)
{
	struct runtime *runtime;
	struct worker worker;
	open_all(&runtime, &worker);
	worker.store_driver->thread_close(&worker.store);
	worker.store_driver = &absent_store;
	worker.next_store_ms = INT64_MAX;
	CU_ASSERT_EQUAL(decide(&worker, with_jti), ERR_STORE);
	CU_ASSERT_EQUAL(revoke_token(&worker, with_jti), ERR_STORE);
	worker.next_store_ms = 0;
	CU_ASSERT_EQUAL(decide(&worker, with_jti), ERR_NONE);
	close_all(&runtime, &worker);
}

struct crowd {
	struct runtime *runtime;
	unsigned number;
	atomic_bool *ended;
	atomic_uint wrong, right;
};

static void *ask(void *context)
{
	struct crowd *crowd = context;
	struct worker worker;
	if (!worker_open(crowd->runtime, crowd->number, &worker))
		return NULL;
	while (!atomic_load(crowd->ended)) {
		bool good = decide(&worker, with_jti) == ERR_NONE && decide(&worker, "x.y.z") == ERR_TOKEN_MALFORMED;
		atomic_fetch_add(good ? &crowd->right : &crowd->wrong, 1);
	}
	worker_close(&worker);
	return NULL;
}

static void reloads_under_load(void)
{
	struct runtime *runtime;
	struct worker worker;
	struct crowd crowd[THREADS - 1];
	pthread_t threads[THREADS - 1];
	atomic_bool ended = false;
	open_all(&runtime, &worker);
	for (unsigned i = 0; i < THREADS - 1; i++) {
		crowd[i] = (struct crowd){.runtime = runtime, .number = i + 1, .ended = &ended};
		CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, ask, &crowd[i]) == 0);
	}
	for (int i = 0; i < RELOADS; i++)
		CU_ASSERT(runtime_reload(runtime));
	for (unsigned i = 0; i < THREADS - 1; i++)
		while (atomic_load(&crowd[i].right) == 0)
			CU_ASSERT(runtime_reload(runtime));
	atomic_store(&ended, true);
	for (unsigned i = 0; i < THREADS - 1; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT(crowd[i].wrong == 0 && crowd[i].right > 0);
	}
	close_all(&runtime, &worker);
}

static void keeps_the_old_one(void)
{
	struct runtime *runtime;
	struct worker worker;
	open_all(&runtime, &worker);
	const struct snapshot *first = runtime_snapshot(runtime);
	write_conf("second\nnonsense = 1");
	runtime_tick(runtime);
	CU_ASSERT_PTR_EQUAL(runtime_snapshot(runtime), first);
	CU_ASSERT_EQUAL(decide(&worker, with_jti), ERR_NONE);
	write_conf("third, noticed without a signal");
	runtime_tick(runtime);
	UNIT_STR_EQ(runtime_snapshot(runtime)->policies[1].conf->realm.value, STR("third, noticed without a signal"),
		    "realm");
	close_all(&runtime, &worker);
}

/* Accounts, form key and revocations belong together: none of them moves alone. */
static void keeps_its_state_dir(void)
{
	struct runtime *runtime;
	struct worker worker;
	open_all(&runtime, &worker);
	const struct snapshot *first = runtime_snapshot(runtime);
	folder_write(&folder, "conf", STR("[server]\nstate-dir = /tmp\n"));
	CU_ASSERT(!runtime_reload(runtime));
	CU_ASSERT_PTR_EQUAL(runtime_snapshot(runtime), first);
	close_all(&runtime, &worker);
}

#define RING_KEY(kid) "{\"kty\":\"oct\",\"kid\":\"" kid "\",\"alg\":\"HS256\",\"k\":\"" SECRET_43 "\"}"
#define SECRET_43 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

/* The kid of the key that signs. */
static struct str signing(const struct runtime *runtime)
{
	struct issuer *issuer = snapshot_issuer(runtime_snapshot(runtime), STR("main"));
	return key_kid(issuer_keys(issuer)->keys[0]);
}

static void notices_a_ring(void)
{
	struct runtime *runtime;
	struct worker worker;
	char text[1024];
	open_all(&runtime, &worker);
	mode_t mask = umask(077);
	folder_write(&folder, "ring", STR("{\"keys\":[" RING_KEY("a") "]}"));
	snprintf(text, sizeof text,
		 "[server]\nstate-dir = %s\n[issuer \"main\"]\nalgorithms = HS256\niss = https://sso.example\n"
		 "key-ring = file:%s/ring\n[policy \"site\"]\npath = /**\n",
		 folder.path, folder.path);
	folder_write(&folder, "conf", str_of(text));
	runtime_tick(runtime);
	UNIT_STR_EQ(signing(runtime), STR("a"), "the configuration has changed");
	const struct snapshot *first = runtime_snapshot(runtime);
	runtime_tick(runtime);
	CU_ASSERT_PTR_EQUAL(runtime_snapshot(runtime), first);
	folder_write(&folder, "ring", STR("{\"keys\":[" RING_KEY("b") "," RING_KEY("a") "]}"));
	runtime_tick(runtime);
	UNIT_STR_EQ(signing(runtime), STR("b"), "the ring has changed");
	folder_write(&folder, "ring", STR("{\"keys\":["));
	runtime_tick(runtime);
	UNIT_STR_EQ(signing(runtime), STR("b"), "the ring is bad");
	folder_write(&folder, "ring", STR("{\"keys\":[" RING_KEY("c") "]}"));
	runtime_tick(runtime);
	UNIT_STR_EQ(signing(runtime), STR("c"), "the ring is good again");
	umask(mask);
	close_all(&runtime, &worker);
}

static void numbers_requests(void)
{
	struct runtime *runtime;
	struct worker worker;
	uint64_t seen[1000];
	open_all(&runtime, &worker);
	for (size_t i = 0; i < 1000; i++) {
		seen[i] = worker_request_number(&worker);
		for (size_t k = 0; k < i; k++)
			if (seen[k] == seen[i])
				CU_FAIL("a number came twice");
	}
	close_all(&runtime, &worker);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"one token", revokes_one_token},
		{"all of a user", revokes_all_of_a_user},
		{"renewed sessions", outlives_what_is_renewed},
		{"expiry", expires},
		{"public pages", lets_anybody_see_public_pages},
		{"no store", denies_without_a_store},
		{"reloads under load", reloads_under_load},
		{"a bad reload", keeps_the_old_one},
		{"state-dir stays", keeps_its_state_dir},
		{"a ring that changes", notices_a_ring},
		{"request numbers", numbers_requests},
		{NULL, NULL},
	};
	return unit_main("runtime", cases);
}
