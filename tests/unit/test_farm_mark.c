/* SPDX-License-Identifier: Apache-2.0 */
/* Marks and rosters as text: what is written is read, and nothing else is. */
#include "unit.h"

#include <string.h>

#include "store/farm_mark.h"

static const uint64_t HOST = 0xfedcba9876543210;

#define ORDINARY "1 fedcba9876543210 0000000000000002 W 0000000000000003 0000000000000002 00000000 "

static struct farm_mark longest(void)
{
	struct farm_mark mark = {.host = HOST, .generation = 1, .state = FARM_RESTING,
				 .sequence = UINT64_MAX, .since = 9,
				 .list = 0xabcdef01, .n_without = FARM_SERVERS_MAX, .n_echoes = FARM_HOSTS_MAX};
	for (size_t i = 0; i < FARM_SERVERS_MAX; i++)
		mark.without[i] = (uint32_t)i;
	for (size_t i = 0; i < FARM_HOSTS_MAX; i++)
		mark.echoes[i] = (struct farm_echo){i + 1, i + 1000};
	return mark;
}

static void both_ways(void)
{
	struct farm_mark empty = {.host = HOST, .generation = 2, .state = FARM_WHOLE, .sequence = 3, .since = 2};
	struct farm_mark full = longest(), got;
	char memory[FARM_MARK_SIZE];
	struct buf text = buf_over(memory, sizeof memory);
	farm_mark_print(&text, &empty);
	UNIT_STR_EQ(buf_str(&text), STR(ORDINARY "- -"), "empty");
	UNIT_ROW(farm_mark_read(buf_str(&text), HOST, &got) && got.n_without == 0 && got.n_echoes == 0 &&
			 got.generation == 2 && got.sequence == 3 && got.state == FARM_WHOLE,
		 "empty");
	text.n = 0;
	farm_mark_print(&text, &full);
	UNIT_ROW(!text.full, "the longest one has room");
	UNIT_ROW(farm_mark_read(buf_str(&text), HOST, &got), "the longest one");
	CU_ASSERT_EQUAL(got.sequence, UINT64_MAX);
	CU_ASSERT_EQUAL(got.since, 9);
	CU_ASSERT_EQUAL(got.list, 0xabcdef01);
	CU_ASSERT_EQUAL(got.n_without, FARM_SERVERS_MAX);
	CU_ASSERT_EQUAL(got.without[FARM_SERVERS_MAX - 1], FARM_SERVERS_MAX - 1);
	CU_ASSERT_EQUAL(got.n_echoes, FARM_HOSTS_MAX);
	CU_ASSERT_EQUAL(got.echoes[FARM_HOSTS_MAX - 1].sequence, FARM_HOSTS_MAX + 999);
	UNIT_ROW(!farm_mark_read(buf_str(&text), HOST + 1, &got), "it is no other host's");
	/* Cut anywhere, it is no mark, or it is one that says less about others alone. */
	for (size_t n = 0; n < text.n; n++)
		UNIT_ROW(!farm_mark_read((struct str){text.p, n}, HOST, &got) || got.n_echoes < FARM_HOSTS_MAX, "cut");
}

static void no_marks(void)
{
	static const char *const rows[] = {
		"",
		" ",
		"1",
		"2 fedcba9876543210 0000000000000002 W 0000000000000003 0000000000000002 00000000 - -",
		"1  fedcba9876543210 0000000000000002 W 0000000000000003 0000000000000002 00000000 - -",
		"1 FEDCBA9876543210 0000000000000002 W 0000000000000003 0000000000000002 00000000 - -",
		"1 fedcba987654321 0000000000000002 W 0000000000000003 0000000000000002 00000000 - -",
		"1 fedcba98765432100 0000000000000002 W 0000000000000003 0000000000000002 00000000 - -",
		"1 fedcba9876543210 0000000000000000 W 0000000000000003 0000000000000002 00000000 - -",
		"1 fedcba9876543210 0000000000000002 X 0000000000000003 0000000000000002 00000000 - -",
		"1 fedcba9876543210 0000000000000002 WW 0000000000000003 0000000000000002 00000000 - -",
		"1 fedcba9876543210 0000000000000002  0000000000000003 0000000000000002 00000000 - -",
		"1 fedcba9876543210 0000000000000002 W 0000000000000000 0000000000000000 00000000 - -",
		"1 fedcba9876543210 0000000000000002 W 0000000000000003 0000000000000002 0000000 - -",
		ORDINARY "-",
		ORDINARY "- - ",
		ORDINARY "- - -",
		ORDINARY " -",
		ORDINARY ", -",
		ORDINARY "00000001, -",
		ORDINARY "0000000g -",
		ORDINARY "- 0000000000000001",
		ORDINARY "- 0000000000000001:",
		ORDINARY "- 0000000000000001-0000000000000001",
		ORDINARY "- 0000000000000000:0000000000000001",
		ORDINARY "- 0000000000000001:0000000000000001,",
		"1 fedcba9876543210 0000000000000002 W 0000000000000003 0000000000000004 00000000 - -",
		"1 fedcba9876543210 0000000000000002 W 0000000000000003 0000000000000000 00000000 - -",
		"1 fedcba9876543210 0000000000000002 W 0000000000000003 00000000 - -",
		"1\tfedcba9876543210 0000000000000002 W 0000000000000003 0000000000000002 00000000 - -",
	};
	struct farm_mark got;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_ROW(!farm_mark_read(str_of(rows[i]), HOST, &got), rows[i]);
}

/* One more of each than there is room for. */
static void too_many(void)
{
	char memory[2 * FARM_MARK_SIZE];
	struct buf text = buf_over(memory, sizeof memory);
	struct farm_mark full = longest(), got;
	farm_mark_print(&text, &full);
	buf_add(&text, STR(",0000000000000001:0000000000000001"));
	UNIT_ROW(!farm_mark_read(buf_str(&text), HOST, &got), "an echo too many");
	text.n = 0;
	buf_add(&text, STR(ORDINARY "00000000"));
	for (size_t i = 0; i < FARM_SERVERS_MAX; i++)
		buf_add(&text, STR(",00000001"));
	buf_add(&text, STR(" -"));
	UNIT_ROW(!farm_mark_read(buf_str(&text), HOST, &got), "a server too many");
}

static void rosters(void)
{
	char memory[FARM_ROSTER_SIZE + 32];
	struct buf text = buf_over(memory, sizeof memory);
	struct farm_roster full = {.n = FARM_HOSTS_MAX + 1}, got;
	for (size_t i = 0; i < full.n; i++)
		full.hosts[i] = i + 1;
	farm_roster_print(&text, &full);
	UNIT_ROW(text.n < FARM_ROSTER_SIZE, "the longest one has room");
	UNIT_ROW(farm_roster_read(buf_str(&text), &got) && got.n == full.n && farm_roster_has(&got, 1) &&
			 farm_roster_has(&got, FARM_HOSTS_MAX + 1) && !farm_roster_has(&got, FARM_HOSTS_MAX + 2),
		 "the longest one");
	buf_add(&text, STR(" 00000000000000ff"));
	UNIT_ROW(!farm_roster_read(buf_str(&text), &got), "one too many");
	static const char *const rows[] = {"", " ", "0000000000000000", "0000000000000001 ", " 0000000000000001",
					   "0000000000000001  0000000000000002", "0000000000000001 0000000000000001",
					   "0000000000000001,0000000000000002", "000000000000000A"};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_ROW(!farm_roster_read(str_of(rows[i]), &got), rows[i]);
	UNIT_ROW(farm_roster_read(STR("0000000000000001"), &got) && got.n == 1, "one host");
}

static void lists_of_servers(void)
{
	const struct str ab[] = {STR("a:1"), STR("b:1")}, ba[] = {STR("b:1"), STR("a:1")};
	const struct str ac[] = {STR("a:1"), STR("c:1")};
	UNIT_ROW(farm_list_hash(ab, 2) == farm_list_hash(ba, 2), "the order does not count");
	UNIT_ROW(farm_list_hash(ab, 2) != farm_list_hash(ac, 2), "another server");
	UNIT_ROW(farm_list_hash(ab, 2) != farm_list_hash(ab, 1), "one less");
	UNIT_ROW(farm_server_hash(ab[0]) != farm_server_hash(ab[1]), "two servers");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"both ways", both_ways},
		{"no marks", no_marks},
		{"too many", too_many},
		{"rosters", rosters},
		{"lists of servers", lists_of_servers},
		{NULL, NULL},
	};
	return unit_main("farm_mark", cases);
}
