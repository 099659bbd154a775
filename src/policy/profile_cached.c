/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a user, as it lies in the cache: a seal over all of it, a line of
 * numbers, the user's id, the answer. A cache may hand out anything: what was
 * written for another user or source, cut off or changed is no entry. */
#include "base/secret.h"
#include "policy/profile_internal.h"
#include "token/json.h"

enum { SEAL_SIZE = 2 * DIGEST_SIZE, NUMBERS = 6, VERSION = 1, LINE_MAX_SIZE = 160 };

/* A profile is new for so long at least: a token that ends in this very moment does
 * not make every request ask. */
enum { NEW_LEAST_MS = 1000 };
/* Other hosts' clocks may be ahead of ours by so much. */
enum { CLOCKS_DIFFER_MS = 60000 };

static bool print_seal(const struct profile_source *source, const struct str *parts, char out[SEAL_SIZE])
{
	unsigned char mac[DIGEST_MAX];
	struct buf hex = buf_over(out, SEAL_SIZE);
	if (!digest_hmac_parts(&source->seal, parts, 3, mac))
		return false;
	buf_hex(&hex, mac, DIGEST_SIZE);
	return true;
}

struct str profile_write(struct arena *arena, const struct profile_source *source, struct str user_id,
			 const struct profile_entry *entry)
{
	char memory[LINE_MAX_SIZE], seal[SEAL_SIZE];
	struct buf line = buf_over(memory, sizeof memory);
	buf_printf(&line, "%d %d %lld %lld %lld %zu\n", VERSION, (int)entry->kind, (long long)entry->fetched,
		   (long long)entry->tried, (long long)entry->new_until, user_id.n);
	struct str parts[] = {buf_str(&line), user_id, entry->text};
	if (line.full || !print_seal(source, parts, seal))
		return STR_NONE;
	struct buf out = arena_buf(arena, sizeof seal + line.n + user_id.n + entry->text.n);
	buf_add(&out, (struct str){seal, sizeof seal});
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		buf_add(&out, parts[i]);
	return out.full || out.cap == 0 ? STR_NONE : buf_str(&out);
}

static bool read_numbers(struct str line, uint64_t out[NUMBERS])
{
	struct str word;
	for (size_t i = 0; i < NUMBERS; i++)
		if (!str_split(&line, ' ', &word) || !str_to_uint(word, INT64_MAX, &out[i]))
			return false;
	return !line.p;
}

bool profile_read(struct arena *arena, const struct profile_source *source, struct str user_id, struct str cached,
		  struct profile_entry *out)
{
	uint64_t numbers[NUMBERS];
	char seal[SEAL_SIZE];
	if (cached.n < SEAL_SIZE)
		return false;
	struct str rest = str_skip(cached, SEAL_SIZE);
	size_t end = str_find(rest, '\n');
	if (end == rest.n || !read_numbers((struct str){rest.p, end}, numbers) || numbers[0] != VERSION ||
	    numbers[1] > PROFILE_PAUSE || numbers[5] != user_id.n)
		return false;
	struct str line = {rest.p, end + 1};
	rest = str_skip(rest, end + 1);
	if (!str_starts(rest, user_id))
		return false;
	rest = str_skip(rest, user_id.n);
	struct str parts[] = {line, user_id, rest};
	if (!print_seal(source, parts, seal) || !secret_equal(seal, cached.p, SEAL_SIZE))
		return false;
	struct profile_entry entry = {(enum profile_kind)numbers[1], (int64_t)numbers[2], (int64_t)numbers[3],
				      (int64_t)numbers[4], rest, NULL};
	if (entry.kind == PROFILE_FOUND && profile_parse(arena, source, user_id, rest, &entry.value))
		return false;
	*out = entry;
	return true;
}

/* Ages ------------------------------------------------------------------- */


static int64_t hard_limit(const struct profile_conf *conf)
{
	return conf->stale > conf->ttl ? conf->stale : conf->ttl;
}

enum profile_age profile_age(const struct profile_source *source, const struct profile_entry *entry, int64_t now)
{
	const struct profile_conf *conf = source->conf;
	int64_t age = now - entry->fetched;
	/* From before the clock was set back. */
	if (age < -CLOCKS_DIFFER_MS)
		return PROFILE_GONE;
	if (entry->kind == PROFILE_UNKNOWN)
		return age < conf->negative_ttl ? PROFILE_NEW : PROFILE_GONE;
	if (entry->kind != PROFILE_FOUND || age >= hard_limit(conf))
		return PROFILE_GONE;
	bool over = now >= entry->new_until && age >= NEW_LEAST_MS;
	return age < conf->ttl && !over ? PROFILE_NEW : PROFILE_OLD;
}

int64_t profile_new_until(const struct profile_source *source, const struct profile_entry *entry)
{
	if (entry->kind == PROFILE_UNKNOWN)
		return entry->fetched + source->conf->negative_ttl;
	int64_t end = entry->fetched + source->conf->ttl;
	return end < entry->new_until ? end : entry->new_until;
}

int64_t profile_keep_seconds(const struct profile_source *source, const struct profile_entry *entry, int64_t now)
{
	int64_t end = now + PROFILE_REST_MS;
	if (entry->kind == PROFILE_FOUND)
		end = entry->fetched + hard_limit(source->conf);
	else if (entry->kind == PROFILE_UNKNOWN)
		end = entry->fetched + source->conf->negative_ttl;
	else if (entry->kind == PROFILE_PAUSE)
		end = entry->new_until;
	return end > now ? (end - now + 999) / 1000 : 0;
}

bool profile_rests(const struct profile_entry *entry, int64_t now)
{
	int64_t since = now - entry->tried;
	/* A moment ahead of our clock another host's is; one that is further ahead counts for nothing. */
	return entry->tried > 0 && since > -PROFILE_REST_MS && since < PROFILE_REST_MS;
}
