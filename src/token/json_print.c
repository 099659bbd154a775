/* SPDX-License-Identifier: Apache-2.0 */
/* Printing a value that was parsed. */
#include "token/json.h"

void json_print(struct buf *b, const struct json *value)
{
	switch (value->type) {
	case JSON_STRING:
		buf_json(b, value->text);
		return;
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	case JSON_NULL:
	case JSON_FALSE:
	case JSON_TRUE:
	case JSON_NUMBER:
		buf_add(b, value->raw);
		return;
	}
	bool object = value->type == JSON_OBJECT;
	buf_char(b, object ? '{' : '[');
	for (const struct json *item = value->child; item; item = item->next) {
		if (item != value->child)
			buf_char(b, ',');
		if (object) {
			buf_json(b, item->name);
			buf_char(b, ':');
		}
		/* As deep as the parser allows, JSON_DEPTH_MAX. */
		json_print(b, item);
	}
	buf_char(b, object ? '}' : ']');
}
