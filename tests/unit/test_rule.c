/* SPDX-License-Identifier: Apache-2.0 */
/* Rules and attributes over claims. */
#include "policy/rule.h"

#include <string.h>

#include "policy/attribute.h"
#include "unit.h"

static struct arena *arena;

static struct claims claims(void)
{
	struct claims c = {.user_id = STR("ann")};
	bool good =
		json_parse(arena,
			   STR("{\"sub\":\"ann\",\"roles\":[\"admin\",\"dev\"],\"level\":5,\"text\":\"10\",\"ok\":true,"
			       "\"none\":null,\"scope\":\"read write:all\",\"realm\":{\"roles\":[\"x\"]},\"many\":[],"
			       "\"https://e.test/g\":\"g1\",\"email\":\"ann@corp.test\",\"empty\":\"\"}"),
			   &c.all);
	CU_ASSERT_FATAL(good);
	return c;
}

static void holds(void)
{
	static const struct {
		const char *rule;
		bool holds;
	} rows[] = {
		{"claim:roles = admin", true},
		{"claim:roles = adm", false},
		{"claim:roles = Admin", false},
		{"not claim:roles = admin", false},
		{"claim:roles != admin", false},
		{"claim:roles != boss", true},
		{"claim:roles in boss, admin", true},
		{"claim:roles in boss", false},
		{"claim:realm.roles = x", true},
		{"claim:\"https://e.test/g\" = g1", true},
		{"claim:absent = x", false},
		{"claim:absent != x", true},
		{"not claim:absent = x", true},
		{"claim:absent exists", false},
		{"claim:none exists", false},
		{"claim:none = null", false},
		{"not claim:absent exists", true},
		{"claim:many exists", true},
		{"claim:many = x", false},
		{"claim:ok = true", true},
		{"claim:ok = false", false},
		{"claim:level = 5", true},
		{"claim:level > 4", true},
		{"claim:level > 5", false},
		{"claim:level >= 5", true},
		{"claim:level < 5.5", true},
		{"claim:level <= 4", false},
		{"claim:text > 4", false},
		{"claim:email > 4", false},
		{"scope contains read", true},
		{"scope contains write", false},
		{"scope contains write:all", true},
		{"user = ann", true},
		{"user in bob, ann", true},
		{"user = bob", false},
		{"claim:realm = x", false},
		{"claim:empty exists", true},
		{"claim:email = ann@corp.test", true},
	};
	struct claims c = claims();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf_text line = {str_of(rows[i].rule), "f", 1};
		struct rule rule;
		struct conf_error error;
		UNIT_ROW(rule_parse(&line, &rule, &error), rows[i].rule);
		UNIT_ROW(rule_holds(arena, &rule, &(struct subject){.claims = &c}) == rows[i].holds, rows[i].rule);
	}
}

static void refuses_bad_rules(void)
{
	static const char *const rows[] = {"",
					   "claim:roles",
					   "claim: = x",
					   "roles = admin",
					   "claim:a ~ b",
					   "claim:a =",
					   "claim:a exists x",
					   "claim:a > abc",
					   "not",
					   "claim:a > inf",
					   "claim:a < 0x10"};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf_text line = {str_of(rows[i]), "site.conf", 7};
		struct rule rule;
		struct conf_error error = {""};
		UNIT_ROW(!rule_parse(&line, &rule, &error) && strstr(error.text, "site.conf:7: require: "), rows[i]);
	}
}

static void attributes(void)
{
	static const struct {
		const char *line, *value;
	} rows[] = {
		{"AUTH_EMAIL = claim:email", "ann@corp.test"},
		{"AUTH_X = claim:absent, text:none", "none"},
		{"AUTH_X = claim:absent, claim:level", "5"},
		{"AUTH_ROLES = claim:roles", "admin,dev"},
		{"AUTH_X = claim:absent", NULL},
		{"AUTH_X = claim:none, text:", ""},
		{"AUTH_X = claim:empty, text:z", "z"},
		{"AUTH_OK = claim:ok", "true"},
		{"AUTH_G = claim:\"https://e.test/g\"", "g1"},
	};
	struct claims c = claims();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf_text line = {str_of(rows[i].line), "f", 1};
		struct attribute a;
		struct conf_error error;
		CU_ASSERT_FATAL(attribute_parse(arena, &line, &a, &error));
		UNIT_STR_EQ(attribute_value(arena, &a, &(struct subject){.claims = &c}), str_of(rows[i].value), rows[i].line);
	}
}

static void refuses_bad_attributes(void)
{
	static const char *const rows[] = {"EMAIL = claim:email",
					   "AUTH_ = claim:x",
					   "AUTH_user = claim:x",
					   "AUTH_USER_ID = claim:x",
					   "AUTH_POLICY = text:x",
					   "AUTH_X",
					   "AUTH_X =",
					   "AUTH_X = email",
					   "AUTH_X = claim:",
					   "REMOTE_USER = claim:x",
					   "AUTH-X = claim:x",
					   "AUTH_TYPE = text:x"};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf_text line = {str_of(rows[i]), "site.conf", 7};
		struct attribute a;
		struct conf_error error = {""};
		UNIT_ROW(!attribute_parse(arena, &line, &a, &error) && strstr(error.text, "site.conf:7: attribute: "),
			 rows[i]);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"rules", holds},
		{"bad rules", refuses_bad_rules},
		{"attributes", attributes},
		{"bad attributes", refuses_bad_attributes},
		{NULL, NULL},
	};
	if (!arena_open(1 << 20, &arena))
		return 1;
	int status = unit_main("rule", cases);
	arena_close(&arena);
	return status;
}
