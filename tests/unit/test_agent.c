/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/agent.h"

#include "unit.h"

static void names(void)
{
	static const struct {
		const char *agent, *want;
	} rows[] = {
		{"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox, Linux"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
		 "Safari/537.36 Edg/131.0.0.0", "Edge, Windows"},
		{"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
		 "Mobile Safari/537.36", "Chrome, Android"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
		 "Version/17.5 Mobile/15E148 Safari/604.1", "Safari, iPhone"},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
		 "Version/17.5 Safari/605.1.15", "Safari, macOS"},
		{"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
		 "Safari/537.36 OPR/116.0.0.0", "Opera, ChromeOS"},
		{"Firefox/1", "Firefox"}, {"curl/7.88.1", "curl"}, {"python-requests", "python-requests"},
		{"Lynx 2.8/x", "Lynx"}, {"/", NULL}, {" x", NULL}, {"", NULL},
	};
	struct arena *arena;
	CU_ASSERT_FATAL(arena_open(4096, &arena));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		UNIT_STR_EQ(agent_name(arena, str_of(rows[i].agent)), str_of(rows[i].want), rows[i].agent);
	UNIT_STR_EQ(agent_name(arena, STR_NONE), STR_NONE, "absent");
	arena_close(&arena);
}

int main(void)
{
	static const struct unit_case cases[] = {{"names", names}, {NULL, NULL}};
	return unit_main("agent", cases);
}
