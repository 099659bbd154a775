/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes: which source gives the value, how it is written, and what is left out. */
#include "policy/attribute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/reply.h"
#include "unit.h"

#define CLAIMS \
	"{\"sub\":\"ann\",\"email\":\"ann@corp.test\",\"level\":5,\"ok\":true,\"no\":false,\"zero\":0,\"none\":null," \
	"\"empty\":\"\",\"many\":[],\"blank\":[\"\"],\"roles\":[\"admin\",\"dev\"],\"mixed\":[\"a\",1,true,2.50]," \
	"\"big\":9007199254740993,\"huge\":123456789012345678901234567890,\"float\":1.50,\"exp\":1e3," \
	"\"https://e.test/g\":\"g1\",\"a,b\":\"comma\",\"q\\\"t\":\"quote\",\"obj\":{\"a\":1}," \
	"\"commas\":[\"a,b\",\"c\"],\"nulls\":[\"a\",null],\"lists\":[[\"a\"]],\"objs\":[{\"a\":1}]," \
	"\"comma\":\"a, b\",\"lf\":\"a\\nb\",\"cr\":\"x\\r\\nSet-Cookie: a=b\",\"tab\":\"a\\tb\"," \
	"\"del\":\"a\\u007f\",\"esc\":\"\\u001b[1m\",\"listlf\":[\"a\",\"b\\n\"]," \
	"\"utf8\":\"Zo\xc3\xab \xe5\xbc\xa0\",\"quotes\":\"a \\\"b\\\"\"}"

#define PROFILE \
	"{\"id\":42,\"email\":null,\"displayName\":null,\"name\":\"Ann\",\"isLeader\":false," \
	"\"groups\":[{\"name\":\"g1\"}],\"a/b\":\"slash\",\"customTeam\":\"A;B=C\"}"

static struct arena *arena;

static const struct json *parsed(struct str text)
{
	const struct json *tree;
	CU_ASSERT_FATAL(json_parse(arena, text, &tree));
	return tree;
}

/* The value, or STR_NONE; *why is what it is left out for, or NULL. */
static struct str value_of(const char *text, const struct subject *subject, const char **why)
{
	struct conf_text line = {str_of(text), "f", 1};
	struct attribute attribute;
	struct conf_error error = {""};
	bool good = attribute_parse(arena, &line, &attribute, &error);
	UNIT_ROW(good, good ? text : error.text);
	*why = good ? attribute_left_out(arena, &attribute, subject) : NULL;
	return good ? attribute_value(arena, &attribute, subject) : STR_NONE;
}

static void values(void)
{
	static const struct {
		const char *line, *value; /* NULL: none */
	} rows[] = {
		{"AUTH_X = claim:email", "ann@corp.test"},
		{"AUTH_X=claim:email", "ann@corp.test"},
		{"AUTH_X = user", "ann"},
		{"AUTH_X = claim:absent, user", "ann"},
		{"AUTH_X = text:fixed", "fixed"},
		{"AUTH_X = text:two words", "two words"},
		{"AUTH_X = text:a\"b", "a\"b"},
		{"AUTH_X = text:", ""},
		/* What falls through, and what does not. */
		{"AUTH_X = claim:absent", NULL},
		{"AUTH_X = claim:none", NULL},
		{"AUTH_X = claim:empty", NULL},
		{"AUTH_X = claim:many", NULL},
		{"AUTH_X = claim:absent, text:z", "z"},
		{"AUTH_X = claim:none, text:z", "z"},
		{"AUTH_X = claim:empty, text:z", "z"},
		{"AUTH_X = claim:many, text:z", "z"},
		{"AUTH_X = claim:blank, text:z", "z"},
		{"AUTH_X = claim:none, claim:empty, claim:level, text:z", "5"},
		{"AUTH_X = claim:no, text:true", "false"},
		{"AUTH_X = claim:zero, text:9", "0"},
		{"AUTH_X = claim:none, text:", ""},
		/* How values are written. */
		{"AUTH_X = claim:ok", "true"},
		{"AUTH_X = claim:big", "9007199254740993"},
		{"AUTH_X = claim:huge", "123456789012345678901234567890"},
		{"AUTH_X = claim:float", "1.50"},
		{"AUTH_X = claim:exp", "1e3"},
		{"AUTH_X = claim:roles", "admin,dev"},
		{"AUTH_X = claim:mixed", "a,1,true,2.50"},
		{"AUTH_X = claim:comma", "a, b"},
		{"AUTH_X = claim:utf8", "Zo\xc3\xab \xe5\xbc\xa0"},
		{"AUTH_X = claim:quotes", "a \"b\""},
		/* Paths. */
		{"AUTH_X = claim:\"https://e.test/g\"", "g1"},
		{"AUTH_X = claim:/https:~1~1e.test~1g", "g1"},
		{"AUTH_X = claim:\"a,b\", text:z", "comma"},
		{"AUTH_X = claim:/q\"t, text:z", "quote"},
		{"AUTH_X = claim:obj.a", "1"},
		{"AUTH_X = claim:/roles/1", "dev"},
		/* The profile. */
		{"AUTH_X = profile:/id", "42"},
		{"AUTH_X = claim:absent, profile:/name", "Ann"},
		{"AUTH_X = profile:/email, claim:email", "ann@corp.test"},
		{"AUTH_X = profile:/displayName, profile:/name", "Ann"},
		{"AUTH_X = profile:/isLeader", "false"},
		{"AUTH_X = profile:/isActive, text:true", "true"},
		{"AUTH_X = profile:/groups/0/name", "g1"},
		{"AUTH_X = profile:/a~1b", "slash"},
		{"AUTH_X = profile:\"a/b\"", "slash"},
		{"AUTH_X = profile:customTeam", "A;B=C"},
		{"AUTH_X = profile:/sub", NULL},
	};
	struct claims claims = {.user_id = STR("ann"), .all = parsed(STR(CLAIMS))};
	struct subject subject = {.claims = &claims, .profile = parsed(STR(PROFILE))};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *why;
		struct str value = value_of(rows[i].line, &subject, &why);
		UNIT_ROW(!why, rows[i].line);
		UNIT_STR_EQ(value, str_of(rows[i].value), rows[i].line);
		UNIT_ROW((value.p != NULL) == (rows[i].value != NULL), rows[i].line);
	}
	arena_reset(arena);
}

/* With a text behind each, which must not be taken: a default would hide it. */
static void left_out(void)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
		{"AUTH_X = claim:obj, text:z", "is an object"},
		{"AUTH_X = profile:/groups, text:z", "a list with null, a list or an object in it"},
		{"AUTH_X = claim:nulls, text:z", "a list with null"},
		{"AUTH_X = claim:lists, text:z", "a list with null"},
		{"AUTH_X = claim:objs, text:z", "a list with null"},
		{"AUTH_X = claim:commas, text:z", "an element has a comma in it"},
		{"AUTH_X = claim:lf, text:z", "has control bytes"},
		{"AUTH_X = claim:cr, text:z", "has control bytes"},
		{"AUTH_X = claim:tab, text:z", "has control bytes"},
		{"AUTH_X = claim:del, text:z", "has control bytes"},
		{"AUTH_X = claim:esc, text:z", "has control bytes"},
		{"AUTH_X = claim:listlf, text:z", "has control bytes"},
		{"AUTH_X = claim:none, claim:lf, text:z", "has control bytes"},
	};
	struct claims claims = {.user_id = STR("ann"), .all = parsed(STR(CLAIMS))};
	struct subject subject = {.claims = &claims, .profile = parsed(STR(PROFILE))};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *why;
		struct str value = value_of(rows[i].line, &subject, &why);
		UNIT_ROW(!value.p && why && strstr(why, rows[i].why), rows[i].line);
	}
	arena_reset(arena);
}

/* doc/examples/team.conf ------------------------------------------------- */

struct field {
	const char *name, *value; /* NULL: none */
	bool left_out;
};

enum { FIELDS = 18 };

static struct str example(char *memory, size_t size)
{
	char path[512];
	const char *folder = getenv("srcdir");
	snprintf(path, sizeof path, "%s/doc/examples/team.conf", folder ? folder : ".");
	FILE *file = fopen(path, "r");
	CU_ASSERT_FATAL(file != NULL);
	struct str text = {memory, fread(memory, 1, size, file)};
	fclose(file);
	return text;
}

/* Every line of its first policy is one of the fields, in their order. */
static void check_example(const char *claims_text, const char *profile, const struct field *fields)
{
	static char memory[8192];
	struct claims claims = {.user_id = STR("u-2"), .all = parsed(str_of(claims_text))};
	struct subject subject = {.claims = &claims, .profile = parsed(str_of(profile))};
	struct str rest = example(memory, sizeof memory), line;
	size_t n = 0;
	while (str_split(&rest, '\n', &line) && !str_starts(line, STR("[policy \"admin\"]"))) {
		char text[256];
		const char *why;
		if (!str_starts(line, STR("attribute = ")))
			continue;
		CU_ASSERT_FATAL(n < FIELDS);
		line = str_skip(line, 12);
		snprintf(text, sizeof text, "%.*s", STR_ARGS(line));
		struct str value = value_of(text, &subject, &why);
		UNIT_ROW(str_starts(line, str_of(fields[n].name)) && line.p[strlen(fields[n].name)] == ' ', text);
		UNIT_STR_EQ(value, str_of(fields[n].value), text);
		UNIT_ROW((value.p != NULL) == (fields[n].value != NULL) && (why != NULL) == fields[n].left_out, text);
		n++;
	}
	CU_ASSERT_EQUAL(n, FIELDS);
	arena_reset(arena);
}

/* With nulls, UTF-8, a comma in quotes and a line end: the user u-2 of tests/peers/fastapi. */
static void example_fields(void)
{
	static const struct field fields[FIELDS] = {
		{"AUTH_ID", "u-2", false},
		{"AUTH_EMAIL", "zoe@example.com", false},
		{"AUTH_USERNAME", "zoe", false},
		{"AUTH_NAME", "Zo\xc3\xab \xe5\xbc\xa0", false},
		{"AUTH_FULL_NAME", "Zo\xc3\xab \xe5\xbc\xa0", false},
		{"AUTH_FIRST_NAME", "Zo\xc3\xab", false},
		{"AUTH_LAST_NAME", "\xe5\xbc\xa0", false},
		{"AUTH_DISPLAY_NAME", "Zo\xc3\xab \xe5\xbc\xa0", false},
		{"AUTH_IMAGE", "/i/zoe.png", false},
		{"AUTH_ROLE", "MEMBER", false},
		{"AUTH_POSITION_TITLE", NULL, false},
		{"AUTH_DIVISION", NULL, false},
		{"AUTH_DEPARTMENT", NULL, true},
		{"AUTH_SECTION", NULL, false},
		{"AUTH_CUSTOM_TEAM", "A;B=C", false},
		{"AUTH_IS_ACTIVE", "true", false},
		{"AUTH_IS_LEADER", "false", false},
		{"AUTH_GROUPS", "dev,ops", false},
	};
	check_example("{\"sub\":\"u-2\",\"groups\":[\"dev\",\"ops\"]}",
		      "{\"id\":\"u-2\",\"email\":\"zoe@example.com\",\"username\":\"zoe\","
		      "\"name\":\"Zo\xc3\xab \xe5\xbc\xa0\",\"firstName\":\"Zo\xc3\xab\",\"lastName\":\"\xe5\xbc\xa0\","
		      "\"displayName\":null,\"image\":\"/i/zoe.png\",\"role\":\"MEMBER\",\"positionTitle\":null,"
		      "\"division\":null,\"department\":\"Ventas, \\\"Sur\\\"\\nX\",\"section\":null,"
		      "\"customTeam\":\"A;B=C\",\"isActive\":true,\"isLeader\":false}",
		      fields);
}

/* A service that says next to nothing, and an id that is a number. */
static void example_defaults(void)
{
	static const struct field fields[FIELDS] = {
		{"AUTH_ID", "9007199254740993", false},
		{"AUTH_EMAIL", "b@token.test", false},
		{"AUTH_USERNAME", NULL, false},
		{"AUTH_NAME", "Bob", false},
		{"AUTH_FULL_NAME", "Bob", false},
		{"AUTH_FIRST_NAME", NULL, false},
		{"AUTH_LAST_NAME", NULL, false},
		{"AUTH_DISPLAY_NAME", NULL, false},
		{"AUTH_IMAGE", "https://i.test/b", false},
		{"AUTH_ROLE", NULL, false},
		{"AUTH_POSITION_TITLE", NULL, false},
		{"AUTH_DIVISION", "North, \"East\"", false},
		{"AUTH_DEPARTMENT", NULL, false},
		{"AUTH_SECTION", NULL, false},
		{"AUTH_CUSTOM_TEAM", NULL, false},
		{"AUTH_IS_ACTIVE", "true", false},
		{"AUTH_IS_LEADER", "true", false},
		{"AUTH_GROUPS", NULL, true},
	};
	check_example("{\"sub\":\"b\",\"email\":\"b@token.test\",\"name\":\"Bob\",\"picture\":\"https://i.test/b\","
		      "\"groups\":[],\"roles\":[\"a,b\"]}",
		      "{\"id\":9007199254740993,\"division\":\"North, \\\"East\\\"\",\"displayName\":\"\","
		      "\"isLeader\":true}",
		      fields);
}

/* Exactly what a reply can hold is handed on. */
static void length(void)
{
	static char text[REPLY_LINE_MAX + 32], memory[REPLY_MAX];
	for (size_t n = REPLY_LINE_MAX - 40; n <= REPLY_LINE_MAX; n++) {
		struct reply reply = {.out = buf_over(memory, sizeof memory)};
		struct buf document = buf_over(text, sizeof text);
		const char *why;
		buf_add(&document, STR("{\"a\":\""));
		for (size_t i = 0; i < n; i++)
			buf_char(&document, 'x');
		buf_add(&document, STR("\"}"));
		struct claims claims = {.user_id = STR("ann"), .all = parsed(buf_str(&document))};
		struct str value = value_of("AUTH_LONG = claim:a", &(struct subject){.claims = &claims}, &why);
		reply_begin(&reply, 200);
		bool fits = reply_header(&reply, "Variable-AUTH_LONG", json_member(claims.all, STR("a"))->text);
		CU_ASSERT(fits ? !why && value.n == n : !value.p && why && strstr(why, "too long"));
		arena_reset(arena);
	}
}

static void no_memory(void)
{
	struct arena *small;
	struct claims claims = {.user_id = STR("ann"), .all = parsed(STR("{\"a\":[\"x\",\"y\"]}"))};
	struct conf_text line = {STR("AUTH_X = claim:a"), "f", 1};
	struct attribute attribute;
	struct conf_error error;
	struct subject subject = {.claims = &claims};
	CU_ASSERT_FATAL(attribute_parse(arena, &line, &attribute, &error));
	CU_ASSERT_FATAL(arena_open(0, &small));
	CU_ASSERT_PTR_NULL(attribute_value(small, &attribute, &subject).p);
	CU_ASSERT_PTR_NOT_NULL(attribute_left_out(small, &attribute, &subject));
	arena_close(&small);
	arena_reset(arena);
}

static void refuses(void)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{"EMAIL = claim:email", "is no name for an attribute"},
		{"AUTH_ = claim:x", "is no name"},
		{"AUTH_user = claim:x", "is no name"},
		{"AUTH-X = claim:x", "is no name"},
		{"REMOTE_USER = claim:x", "is no name"},
		{"AUTH_USER_ID = claim:x", "is no name"},
		{"AUTH_LOCAL_USER_ID = claim:x", "is no name"},
		{"AUTH_POLICY = text:x", "is no name"},
		{"AUTH_TYPE = text:x", "is no name"},
		{"AUTH_CACHE = claim:x", "is no name"},
		{"AUTH_CORS_ORIGIN = claim:x", "is no name"},
		{"AUTH_WEBSOCKET_PROTOCOL = claim:x", "is no name"},
		{"AUTH_EFFECTIVE_PATH = claim:x", "is no name"},
		{"AUTH_ACCEL_REDIRECT = claim:x", "is no name"},
		{"AUTH_EXPIRES = text:x", "is no name"},
		{"AUTH_TOKEN = text:x", "is no name"},
		{"AUTH_MATCHED_POLICY = text:x", "is no name"},
		{"AUTH_REQUEST_ID = text:x", "is no name"},
		{"AUTH_X", "write: AUTH_X = claim:PATH"},
		{"AUTH_X =", "write: AUTH_X = claim:PATH"},
		{"AUTH_X = email", "\"email\" is no source"},
		{"AUTH_X = claim:", "\"claim:\" has no path"},
		{"AUTH_X = claim:a.", "has no path"},
		{"AUTH_X = profile:/~", "has no path"},
		{"AUTH_X = claim:a,", "\"\" is no source"},
		{"AUTH_X = claim:a,,user", "\"\" is no source"},
		{"AUTH_X = scope", "write claim:scope"},
		{"AUTH_X = local", "is no source"},
		{"AUTH_X = text:Doe, John", "\"John\" stands behind a text"},
		{"AUTH_X = text:a, claim:b", "put text:VALUE last"},
		{"AUTH_X = claim:a, claim:b, claim:c, claim:d, claim:e, claim:f, claim:g, claim:h, claim:i",
		 "\"claim:i\" is one source too many"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf_text line = {str_of(rows[i].line), "site.conf", 7};
		struct attribute attribute;
		struct conf_error error = {""};
		UNIT_ROW(!attribute_parse(arena, &line, &attribute, &error), rows[i].line);
		UNIT_ROW(strstr(error.text, "site.conf:7: attribute: ") && strstr(error.text, rows[i].says),
			 error.text);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"values", values},
		{"left out", left_out},
		{"fields of the example", example_fields},
		{"defaults of the example", example_defaults},
		{"length", length},
		{"no memory", no_memory},
		{"refuses", refuses},
		{NULL, NULL},
	};
	if (!arena_open(1 << 20, &arena))
		return 1;
	int status = unit_main("attribute", cases);
	arena_close(&arena);
	return status;
}
