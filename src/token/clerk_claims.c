/* SPDX-License-Identifier: Apache-2.0 */
/* Claims are added as nodes in front of those that were parsed: nothing is copied. */
#include "token/clerk_claims.h"

/* A mask has a bit for each permission. */
enum { PERMISSIONS_MAX = 63 };

/* A word of Clerk's lists. */
static bool is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.')
			return false;
	}
	return s.n > 0;
}

static struct str text_of(const struct json *object, struct str name)
{
	struct str text;
	return json_string(json_member(object, name), &text) && text.n > 0 ? text : STR_NONE;
}

static struct json *new_string(struct arena *arena, struct str text)
{
	struct json *node = arena_alloc(arena, sizeof *node);
	/* Every byte may become \u00xx. */
	struct buf raw = arena_buf(arena, 6 * text.n + 2);
	if (!node || raw.full)
		return NULL;
	buf_json(&raw, text);
	*node = (struct json){.type = JSON_STRING, .text = text, .raw = buf_str(&raw)};
	return node;
}

/* Put a member in front of the object's, unless it has one of that name. */
static void add_member(struct json *object, struct str name, struct json *value)
{
	if (!value || json_member(object, name))
		return;
	value->name = name;
	value->next = object->child;
	object->child = value;
}

/* "read,manage": the number of words, 0 when it is no such list. */
static size_t split_words(struct str list, struct str words[PERMISSIONS_MAX])
{
	struct str word;
	size_t n = 0;
	while (str_split(&list, ',', &word)) {
		word = str_trim(word);
		if (n == PERMISSIONS_MAX || !is_word(word))
			return 0;
		words[n++] = word;
	}
	return n;
}

/* The organisation's feature in "o:articles" or "uo:articles", STR_NONE in
 * "u:dash", which is the user's. false: neither of them. */
static bool read_feature(struct str item, struct str *out)
{
	struct str rest = str_trim(item), scope;
	if (!str_split(&rest, ':', &scope) || !is_word(scope) || !is_word(rest))
		return false;
	*out = str_find(scope, 'o') < scope.n ? rest : STR_NONE;
	return true;
}

struct permissions {
	struct arena *arena;
	struct str words[PERMISSIONS_MAX];
	size_t n_words;
	struct json *array;
	const struct json **last; /* where the next one goes */
	size_t n;
};

/* "org:FEATURE:PERMISSION" for each bit of the mask. */
static bool add_permissions(struct permissions *p, struct str feature, uint64_t mask)
{
	for (size_t bit = 0; bit < p->n_words; bit++) {
		if (!(mask >> bit & 1))
			continue;
		struct str text = arena_printf(p->arena, "org:%.*s:%.*s", STR_ARGS(feature), STR_ARGS(p->words[bit]));
		struct json *node = text.p ? new_string(p->arena, text) : NULL;
		if (!node || p->n++ == JSON_NODES_MAX)
			return false;
		*p->last = node;
		p->last = &node->next;
	}
	return true;
}

/* Each feature of the organisation has a mask, in the same order; masks beyond
 * them are Clerk's own business. */
static bool read_permissions(struct permissions *p, struct str features, struct str masks)
{
	struct str item, feature, mask;
	while (str_split(&features, ',', &item)) {
		uint64_t bits;
		if (!read_feature(item, &feature))
			return false;
		if (!feature.p || !str_split(&masks, ',', &mask))
			continue;
		if (!str_to_uint(str_trim(mask), (UINT64_C(1) << p->n_words) - 1, &bits) ||
		    !add_permissions(p, feature, bits))
			return false;
	}
	return true;
}

/* The array as text. */
static bool print_array(struct permissions *p)
{
	size_t size = 2;
	for (const struct json *node = p->array->child; node; node = node->next)
		size += node->raw.n + 1;
	struct buf raw = arena_buf(p->arena, size);
	buf_char(&raw, '[');
	for (const struct json *node = p->array->child; node; node = node->next) {
		buf_add(&raw, node->raw);
		if (node->next)
			buf_char(&raw, ',');
	}
	buf_char(&raw, ']');
	p->array->raw = buf_str(&raw);
	return !raw.full;
}

static struct json *permissions_of(struct arena *arena, const struct json *claims, const struct json *o)
{
	struct permissions p = {.arena = arena, .array = arena_alloc(arena, sizeof *p.array)};
	struct str words = text_of(o, STR("per")), masks = text_of(o, STR("fpm"));
	struct str features = text_of(claims, STR("fea"));
	if (!p.array || !features.p || !words.p || !masks.p)
		return NULL;
	*p.array = (struct json){.type = JSON_ARRAY};
	p.last = &p.array->child;
	p.n_words = split_words(words, p.words);
	if (p.n_words == 0 || !read_permissions(&p, features, masks) || !print_array(&p))
		return NULL;
	return p.array;
}

static bool is_version_2(const struct json *claims)
{
	int64_t version;
	return json_integer(json_member(claims, STR("v")), &version) && version == 2;
}

const struct json *clerk_claims(struct arena *arena, const struct json *claims)
{
	const struct json *o = json_member(claims, STR("o"));
	struct json *all = arena_alloc(arena, sizeof *all);
	if (!is_version_2(claims) || !o || o->type != JSON_OBJECT || !all)
		return claims;
	*all = *claims;
	struct str id = text_of(o, STR("id")), slug = text_of(o, STR("slg")), role = text_of(o, STR("rol"));
	add_member(all, STR("org_permissions"), permissions_of(arena, claims, o));
	if (role.p)
		role = arena_printf(arena, "org:%.*s", STR_ARGS(role));
	add_member(all, STR("org_role"), role.p ? new_string(arena, role) : NULL);
	add_member(all, STR("org_slug"), slug.p ? new_string(arena, slug) : NULL);
	add_member(all, STR("org_id"), id.p ? new_string(arena, id) : NULL);
	return all;
}
