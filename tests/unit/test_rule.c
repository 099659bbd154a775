/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of `require`: over claims, the user, the scope and the profile. */
#include "policy/rule.h"

#include <string.h>

#include "unit.h"

#define CLAIMS \
	"{\"sub\":\"ann\",\"roles\":[\"admin\",\"dev\",\"team lead\",7,true],\"level\":5,\"text\":\"10\",\"ok\":true," \
	"\"no\":false,\"none\":null,\"scope\":\"read write:all\",\"realm\":{\"roles\":[\"x\"]},\"many\":[]," \
	"\"https://e.test/g\":\"g1\",\"email\":\"ann@corp.test\",\"empty\":\"\",\"big\":9007199254740993," \
	"\"huge\":123456789012345678901234567890,\"half\":2.5,\"five\":5.0,\"neg\":-3,\"zero\":0," \
	"\"words\":\"alpha beta  gamma\",\"nested\":[[\"x\"],{\"a\":1},null],\"numbers\":[1,20]," \
	"\"a b\":{\"c.d\":{\"e/f\":\"deep\"}},\"q\\\"t\":\"quote\",\"list\":\"a,b\"}"

#define PROFILE \
	"{\"id\":42,\"role\":\"ADMIN\",\"isActive\":true,\"isLeader\":false,\"team\":null,\"a/b\":{\"m~n\":\"t\"}," \
	"\"groups\":[{\"name\":\"g1\"},{\"name\":\"g2\"}],\"email\":\"ann@other.test\"}"

static struct arena *arena;

static const struct json *parsed(const char *text)
{
	const struct json *tree;
	CU_ASSERT_FATAL(json_parse(arena, str_of(text), &tree));
	return tree;
}

struct row {
	const char *rule;
	bool holds;
};

static bool holds(const char *text, const struct subject *subject)
{
	struct conf_text line = {str_of(text), "f", 1};
	struct rule rule;
	struct conf_error error = {""};
	bool good = rule_parse(&line, &rule, &error);
	UNIT_ROW(good, good ? text : error.text);
	return good && rule_holds(&rule, subject);
}

static void check_rows(const struct row *rows, size_t n)
{
	struct claims claims = {.user_id = STR("ann"), .all = parsed(CLAIMS)};
	struct subject subject = {.claims = &claims, .profile = parsed(PROFILE)};
	for (size_t i = 0; i < n; i++) {
		char negated[256];
		struct buf b = buf_over(negated, sizeof negated);
		buf_printf(&b, "not %s", rows[i].rule);
		UNIT_ROW(holds(rows[i].rule, &subject) == rows[i].holds, rows[i].rule);
		UNIT_ROW(holds(buf_z(&b), &subject) != rows[i].holds, buf_z(&b));
	}
	arena_reset(arena);
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof(rows)[0])

static void texts(void)
{
	static const struct row rows[] = {
		{"claim:sub = ann", true},
		{"claim:sub = Ann", false},
		{"claim:sub = an", false},
		{"claim:sub != bob", true},
		{"claim:sub != ann", false},
		{"claim:sub in bob, ann", true},
		{"claim:sub in bob,ann", true},
		{"claim:sub in bob", false},
		{"claim:sub in ann bob", false},
		{"claim:list = a,b", true},
		{"claim:list in a, b", false},
		{"claim:empty exists", true},
		{"claim:empty = ann", false},
		{"claim:ok = true", true},
		{"claim:ok = false", false},
		{"claim:ok = 1", false},
		{"claim:no = false", true},
		{"claim:no exists", true},
		{"claim:no in true, false", true},
		{"claim:absent = x", false},
		{"claim:absent != x", true},
		{"claim:absent in x", false},
		{"claim:absent exists", false},
		{"claim:none exists", false},
		{"claim:none = null", false},
		{"claim:none != x", true},
		{"claim:realm = x", false},
		{"claim:realm exists", true},
		{"claim:realm contains roles", false},
		{"user = ann", true},
		{"user in bob, ann", true},
		{"user != ann", false},
		{"user = bob", false},
		{"user exists", true},
	};
	CHECK_ROWS(rows);
}

static void lists(void)
{
	static const struct row rows[] = {
		{"claim:roles = admin", true},
		{"claim:roles = adm", false},
		{"claim:roles = Admin", false},
		{"claim:roles = admin,dev", false},
		{"claim:roles = team lead", true},
		{"claim:roles != admin", false},
		{"claim:roles != boss", true},
		{"claim:roles in boss, admin", true},
		{"claim:roles in boss, team lead", true},
		{"claim:roles in boss", false},
		{"claim:roles contains dev", true},
		{"claim:roles contains boss", false},
		{"claim:roles = 7", true},
		{"claim:roles = 7.0", true},
		{"claim:roles contains 7", true},
		{"claim:roles = true", true},
		{"claim:roles > 6", true},
		{"claim:roles > 7", false},
		{"claim:roles exists", true},
		{"claim:many exists", true},
		{"claim:many = x", false},
		{"claim:many != x", true},
		{"claim:nested = x", false},
		{"claim:nested = 1", false},
		{"claim:nested = null", false},
		{"claim:numbers > 19", true},
		{"claim:numbers < 1", false},
	};
	CHECK_ROWS(rows);
}

static void words(void)
{
	static const struct row rows[] = {
		{"claim:words contains alpha", true},
		{"claim:words contains beta", true},
		{"claim:words contains gamma", true},
		{"claim:words contains alph", false},
		{"claim:words contains Alpha", false},
		{"claim:words = alpha", false},
		{"claim:sub contains ann", true},
		{"claim:level contains 5", true},
		{"claim:empty contains x", false},
		{"claim:absent contains x", false},
		{"scope contains read", true},
		{"scope contains write", false},
		{"scope contains write:all", true},
		{"scope = read", true},
		{"scope != read", false},
		{"scope != write", true},
		{"scope in boss, write:all", true},
		{"scope in boss, write", false},
		{"scope exists", true},
	};
	CHECK_ROWS(rows);
}

static void scopes(void)
{
	static const struct {
		const char *claims, *rule;
		bool holds;
	} rows[] = {
		{"{\"scope\":[\"read\",\"write\"]}", "scope contains write", true},
		{"{\"scope\":[\"read\",\"write\"]}", "scope = write", true},
		{"{\"scope\":[\"read\",\"write\"]}", "scope != write", false},
		{"{\"scope\":[\"read\",\"write\"]}", "scope contains writ", false},
		{"{\"scope\":[\"read write\"]}", "scope contains write", true},
		{"{\"scp\":[\"read\",\"write\"]}", "scope contains write", true},
		{"{\"scp\":\"read write\"}", "scope contains write", true},
		{"{\"scp\":\"read write\"}", "not scope contains write", false},
		{"{\"scope\":\"read\",\"scp\":\"write\"}", "scope contains write", false},
		{"{\"scope\":\"\",\"scp\":\"write\"}", "scope contains write", false},
		{"{\"scope\":\"\"}", "scope exists", true},
		{"{\"scope\":\"\"}", "scope = read", false},
		{"{\"scope\":5}", "scope = 5", false},
		{"{\"scope\":[5,true,null]}", "scope = 5", false},
		{"{\"scope\":{\"read\":1}}", "scope contains read", false},
		{"{}", "scope contains read", false},
		{"{}", "scope exists", false},
		{"{}", "scope != read", true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct claims claims = {.user_id = STR("ann"), .all = parsed(rows[i].claims)};
		UNIT_ROW(holds(rows[i].rule, &(struct subject){.claims = &claims}) == rows[i].holds, rows[i].claims);
		arena_reset(arena);
	}
}

static void numbers(void)
{
	static const struct row rows[] = {
		{"claim:level = 5", true},
		{"claim:level = 5.0", true},
		{"claim:level = 05", false},
		{"claim:level != 5.0", false},
		{"claim:level in 4, 5", true},
		{"claim:five = 5", true},
		{"claim:five != 5", false},
		{"claim:level > 4", true},
		{"claim:level > 5", false},
		{"claim:level >= 5", true},
		{"claim:level < 5.5", true},
		{"claim:level < 5", false},
		{"claim:level <= 5", true},
		{"claim:level <= 4", false},
		{"claim:level > -1e3", true},
		{"claim:half > 2", true},
		{"claim:half = 25e-1", true},
		{"claim:neg < -2", true},
		{"claim:neg > -3", false},
		{"claim:zero = -0", true},
		{"claim:zero exists", true},
		{"claim:big = 9007199254740993", true},
		{"claim:big = 9007199254740992", false},
		{"claim:big > 9007199254740992", true},
		{"claim:big < 9007199254740994", true},
		{"claim:big <= 9007199254740992", false},
		{"claim:huge > 123456789012345678901234567889", true},
		{"claim:huge < 1e400", true},
		/* Not numbers of JSON. */
		{"claim:text > 4", false},
		{"claim:text = 10", true},
		{"claim:text = 10.0", false},
		{"claim:email > 4", false},
		{"claim:ok > 0", false},
		{"claim:none < 1", false},
		{"claim:absent < 1", false},
		{"claim:realm > 0", false},
	};
	CHECK_ROWS(rows);
}

static void paths(void)
{
	static const struct row rows[] = {
		{"claim:realm.roles = x", true},
		{"claim:/realm/roles = x", true},
		{"claim:/realm/roles/0 = x", true},
		{"claim:/realm/roles/1 exists", false},
		{"claim:\"https://e.test/g\" = g1", true},
		{"claim:/https:~1~1e.test~1g = g1", true},
		{"claim:\"a b\".\"c.d\".\"e/f\" = deep", true},
		{"claim:/q\"t = quote", true},
		{"claim:/q\"t in quote, \"", true},
		{"profile:role = ADMIN", true},
		{"profile:/role = ADMIN", true},
		{"profile:/role = admin", false},
		{"profile:/id = 42", true},
		{"profile:/isActive = true", true},
		{"profile:/isLeader = false", true},
		{"profile:/team exists", false},
		{"profile:/a~1b/m~0n = t", true},
		{"profile:\"a/b\".m~n = t", true},
		{"profile:/groups/1/name = g2", true},
		{"profile:/groups/2/name exists", false},
		{"profile:/email = ann@corp.test", false},
		{"profile:/roles exists", false},
	};
	CHECK_ROWS(rows);
}

/* The configuration does not let it come to this; if it did, nobody may get in by a `not`. */
static void no_profile(void)
{
	struct claims claims = {.user_id = STR("ann"), .all = parsed(CLAIMS)};
	struct subject subject = {.claims = &claims};
	CU_ASSERT_FALSE(holds("profile:/blocked = true", &subject));
	CU_ASSERT_FALSE(holds("not profile:/blocked = true", &subject));
	CU_ASSERT_FALSE(holds("profile:/blocked != true", &subject));
	subject.profile = parsed("{}");
	CU_ASSERT_TRUE(holds("not profile:/blocked = true", &subject));
	arena_reset(arena);
}

static void domains(void)
{
	static const struct {
		const char *claims;
		bool holds;
	} rows[] = {
		{"{\"email\":\"ann@corp.test\"}", true},
		{"{\"email\":\"ann.b+tag@corp.test\"}", true},
		{"{\"email\":\"Ann@CORP.Test\"}", true},
		{"{\"email\":\"ann@second.test\"}", true},
		{"{\"email\":\"z\xc3\xb6@corp.test\"}", true},
		{"{\"email\":[\"ann@else.test\",\"ann@corp.test\"]}", true},
		{"{\"email\":\"a@evil@corp.test\"}", false},
		{"{\"email\":\"a@corp.test@evil\"}", false},
		{"{\"email\":\"a@corp.test@corp.test\"}", false},
		{"{\"email\":\"\\\"a@evil.test\\\"@corp.test\"}", false},
		{"{\"email\":\"\\\"a\\\"@corp.test\"}", false},
		{"{\"email\":\"ann@corp.test.\"}", false},
		{"{\"email\":\"ann@.corp.test\"}", false},
		{"{\"email\":\"ann@corp.test.evil.test\"}", false},
		{"{\"email\":\"ann@evilcorp.test\"}", false},
		{"{\"email\":\"ann@sub.corp.test\"}", false},
		{"{\"email\":\"ann@corp\"}", false},
		{"{\"email\":\"ann@corp.test \"}", false},
		{"{\"email\":\"ann@corp.test\\n\"}", false},
		{"{\"email\":\"ann@corp.test\\u007f\"}", false},
		{"{\"email\":\"b@evil.test,ann@corp.test\"}", false},
		{"{\"email\":\"evil.test,ann@corp.test\"}", false},
		{"{\"email\":\"<ann@corp.test>\"}", false},
		{"{\"email\":\"Ann <ann@corp.test\"}", false},
		{"{\"email\":\"a nn@corp.test\"}", false},
		{"{\"email\":\"a\\nn@corp.test\"}", false},
		{"{\"email\":\"@corp.test\"}", false},
		{"{\"email\":\"corp.test\"}", false},
		{"{\"email\":\"ann@\"}", false},
		{"{\"email\":\"ann@corp.test,second.test\"}", false},
		{"{\"email\":\"\"}", false},
		{"{\"email\":5}", false},
		{"{\"email\":null}", false},
		{"{\"email\":{\"a\":\"ann@corp.test\"}}", false},
		{"{}", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct claims claims = {.user_id = STR("ann@corp.test"), .all = parsed(rows[i].claims)};
		struct subject subject = {.claims = &claims};
		UNIT_ROW(holds("claim:email domain corp.test, Second.test", &subject) == rows[i].holds, rows[i].claims);
		UNIT_ROW(holds("user domain corp.test", &subject), "user");
		arena_reset(arena);
	}
}

static void refuses(void)
{
	static const struct {
		const char *rule, *says;
	} rows[] = {
		{"", "\"\" is no source"},
		{"not", "is no source"},
		{"claim:roles", "write: [not] SOURCE OPERATOR VALUE"},
		{"not claim:roles", "write: [not] SOURCE OPERATOR VALUE"},
		{"claim: = x", "\"claim:\" has no path"},
		{"profile: = x", "\"profile:\" has no path"},
		{"claim:a..b = x", "has no path"},
		{"claim:https://e.test/g = x", "has no path"},
		{"claim:\"a = x", "has no path"},
		{"claim:/a~b = x", "has no path"},
		{"roles = admin", "\"roles\" is no source"},
		{"text:a = a", "cannot be asked for"},
		{"users = ann", "is no source"},
		{"claim:a ~ b", "\"~\" is no operator"},
		{"claim:a == b", "\"==\" is no operator"},
		{"claim:a ends-with b", "is no operator"},
		{"claim:a =b", "is no operator"},
		{"claim:a not = b", "is no operator"},
		{"claim:a =", "= needs a value"},
		{"claim:a in", "in needs a value"},
		{"claim:a exists x", "exists takes no value"},
		{"claim:a = \"b\"", "without quotes"},
		{"claim:a > abc", "> compares numbers"},
		{"claim:a > inf", "compares numbers"},
		{"claim:a < 0x10", "compares numbers"},
		{"claim:a < 010", "compares numbers"},
		{"claim:a < +1", "compares numbers"},
		{"claim:a < 1 2", "compares numbers"},
		{"user > 5", "user and scope are text"},
		{"scope <= 5", "user and scope are text"},
		{"claim:a in b,,c", "empty item"},
		{"claim:a in b,", "empty item"},
		{"claim:a contains b c", "looks for one word"},
		{"claim:a domain @corp.test", "takes domains"},
		{"claim:a domain corp.test.", "takes domains"},
		{"claim:a domain .corp.test", "takes domains"},
		{"claim:a domain *.corp.test", "takes domains"},
		{"claim:a domain a@corp.test", "takes domains"},
		{"claim:a domain corp.test other.test", "takes domains"},
		{"claim:a domain corp.test,", "takes domains"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf_text line = {str_of(rows[i].rule), "site.conf", 7};
		struct rule rule;
		struct conf_error error = {""};
		UNIT_ROW(!rule_parse(&line, &rule, &error), rows[i].rule);
		UNIT_ROW(strstr(error.text, "site.conf:7: require: ") && strstr(error.text, rows[i].says), error.text);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"texts", texts},   {"lists", lists},	  {"words", words},	    {"scopes", scopes},
		{"numbers", numbers}, {"paths", paths},	  {"no profile", no_profile}, {"domains", domains},
		{"refuses", refuses}, {NULL, NULL},
	};
	if (!arena_open(1 << 20, &arena))
		return 1;
	int status = unit_main("rule", cases);
	arena_close(&arena);
	return status;
}
