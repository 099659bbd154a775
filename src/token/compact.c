/* SPDX-License-Identifier: Apache-2.0 */
/* Parts and header of a compact token. */
#include "token/compact.h"

#include "base/codec.h"

bool compact_decode(struct arena *arena, struct str part, struct str *out)
{
	struct buf bytes = arena_buf(arena, BASE64URL_DECODED(part.n));
	if (bytes.full || !base64url_decode(part, (unsigned char *)bytes.p, &bytes.n))
		return false;
	*out = buf_str(&bytes);
	return true;
}

bool compact_object(struct arena *arena, struct str bytes, const struct json **out)
{
	const struct json *object;
	if (!json_parse(arena, bytes, &object) || object->type != JSON_OBJECT)
		return false;
	*out = object;
	return true;
}

static bool is_string_or_absent(const struct json *header, struct str name)
{
	const struct json *value = json_member(header, name);
	return !value || value->type == JSON_STRING;
}

bool compact_header(struct arena *arena, struct str part, const struct json **out)
{
	struct str bytes;
	const struct json *header;
	if (!compact_decode(arena, part, &bytes) || !compact_object(arena, bytes, &header))
		return false;
	*out = header;
	return !json_member(header, STR("crit")) && !json_member(header, STR("b64")) &&
	       !json_member(header, STR("zip")) && is_string_or_absent(header, STR("kid")) &&
	       is_string_or_absent(header, STR("typ"));
}
