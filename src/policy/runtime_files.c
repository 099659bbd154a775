/* SPDX-License-Identifier: Apache-2.0 */
/* When have files changed that a configuration was made of? */
#include <sys/stat.h>

#include "base/secret.h"
#include "policy/page_folder.h"
#include "policy/runtime.h"

/* For the paths of one section. */
enum { FILES_ARENA = 256 << 10 };

/* A number that changes when a file does. */
static uint64_t add_file(uint64_t state, const char *path)
{
	struct stat st = {0};
	uint64_t facts[5] = {0};
	if (path && stat(path, &st) == 0) {
		facts[0] = (uint64_t)st.st_ino;
		facts[1] = (uint64_t)st.st_size;
		facts[2] = (uint64_t)st.st_mtim.tv_sec ^ (uint64_t)st.st_mtim.tv_nsec << 20;
		facts[3] = (uint64_t)st.st_ctim.tv_sec ^ (uint64_t)st.st_ctim.tv_nsec << 20;
		facts[4] = (uint64_t)st.st_mode;
	}
	for (size_t i = 0; i < 5; i++)
		state = (state ^ facts[i]) * 0x100000001b3u;
	return state;
}

/* Secrets and rings are named by specs, public keys by paths. */
static uint64_t add_key_files(uint64_t state, const struct issuer_conf *issuer, struct arena *arena)
{
	for (size_t i = 0; i < issuer->secret.n; i++)
		state = add_file(state, secret_path(arena, issuer->secret.items[i].value).p);
	for (size_t i = 0; i < issuer->public_key.n; i++)
		state = add_file(state, issuer->public_key.items[i].value.p);
	state = add_file(state, secret_path(arena, issuer->key_ring.value).p);
	return add_file(state, secret_path(arena, issuer->jwks.value).p);
}

static uint64_t add_api_key_files(uint64_t state, const struct api_keys_conf *conf, struct arena *arena)
{
	for (size_t i = 0; i < conf->secret.n; i++)
		state = add_file(state, secret_path(arena, conf->secret.items[i].value).p);
	return add_file(state, conf->file.value.p);
}

static uint64_t add_profile_files(uint64_t state, const struct profile_conf *profile, struct arena *arena)
{
	return add_file(state, secret_path(arena, profile->api_key.value).p);
}

static uint64_t add_mail_files(uint64_t state, const struct mail_conf *mail, struct arena *arena)
{
	return add_file(state, secret_path(arena, mail->password.value).p);
}

static uint64_t add_page_files(uint64_t state, const struct login_conf *login, struct arena *arena)
{
	char memory[256];
	struct buf why = buf_over(memory, sizeof memory);
	struct page_folder *folder;
	state = add_file(state, login->logo.value.p);
	state = add_file(state, login->template_dir.value.p);
	if (login->template_dir.value.p && page_folder_list(arena, login->template_dir.value.p, &folder, &why))
		for (size_t i = 0; i < folder->n; i++)
			state = add_file(state, folder->files[i].path);
	return state;
}

uint64_t runtime_files(const struct conf *conf)
{
	uint64_t state = 0xcbf29ce484222325u;
	struct arena *arena;
	if (!arena_open(FILES_ARENA, &arena))
		return state;
	for (size_t i = 0; i < conf->files.n; i++)
		state = add_file(state, conf->files.items[i].file);
	for (const struct conf_section *c = conf->sections; c; c = c->next) {
		arena_reset(arena);
		if (c->kind == &issuer_kind)
			state = add_key_files(state, c->values, arena);
		else if (c->kind == &profile_kind)
			state = add_profile_files(state, c->values, arena);
		else if (c->kind == &api_keys_kind)
			state = add_api_key_files(state, c->values, arena);
		else if (c->kind == &login_kind)
			state = add_page_files(state, c->values, arena);
		else if (c->kind == &mail_kind)
			state = add_mail_files(state, c->values, arena);
	}
	arena_close(&arena);
	return state;
}
