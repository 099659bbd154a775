/* SPDX-License-Identifier: Apache-2.0 */
/* Browsers name others for the sake of old sites: the first that is found counts. */
#include "policy/agent.h"

#include <string.h>

struct mark {
	const char *mark, *name;
};

static const struct mark browsers[] = {
	{"Edg/", "Edge"},	     {"EdgA/", "Edge"},	  {"EdgiOS/", "Edge"},	   {"OPR/", "Opera"},
	{"Vivaldi/", "Vivaldi"},     {"SamsungBrowser/", "Samsung Internet"},	   {"Firefox/", "Firefox"},
	{"FxiOS/", "Firefox"},	     {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Chromium/", "Chromium"},
	{"Epiphany/", "GNOME Web"},  {"Safari/", "Safari"},
};

static const struct mark systems[] = {
	{"Windows", "Windows"}, {"Android", "Android"}, {"iPhone", "iPhone"},	{"iPad", "iPad"},
	{"Mac OS X", "macOS"},	{"CrOS", "ChromeOS"},	{"FreeBSD", "FreeBSD"}, {"OpenBSD", "OpenBSD"},
	{"Linux", "Linux"},
};

static const char *find(struct str agent, const struct mark *marks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (memmem(agent.p, agent.n, marks[i].mark, strlen(marks[i].mark)))
			return marks[i].name;
	return NULL;
}

/* "curl/7.88.1": the product in front (RFC 9110 section 10.1.5). */
static struct str product(struct str agent)
{
	size_t n = str_find(agent, '/'), blank = str_find(agent, ' ');
	return (struct str){agent.p, n < blank ? n : blank};
}

struct str agent_name(struct arena *arena, struct str agent)
{
	if (agent.n == 0)
		return STR_NONE;
	const char *browser = find(agent, browsers, sizeof browsers / sizeof *browsers);
	const char *system = find(agent, systems, sizeof systems / sizeof *systems);
	if (!browser)
		return product(agent).n ? product(agent) : STR_NONE;
	return system ? arena_printf(arena, "%s, %s", browser, system) : str_of(browser);
}
