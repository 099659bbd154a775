/* SPDX-License-Identifier: Apache-2.0 */
/* Finding libcurl and its functions. */
#include "net/library.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <string.h>

#define SONAME "libcurl.so.4"
/* CURLOPT_QUICK_EXIT came with it: before, a name server that does not answer
 * held a call beyond its timeout. */
#define VERSION_LEAST 0x075700u
#define VERSION_LEAST_TEXT "7.87.0"

struct start {
	__typeof__(&curl_global_init) global_init;
	__typeof__(&curl_version_info) version_info;
	__typeof__(&curl_easy_strerror) easy_strerror;
};

static const struct library_symbol starting[] = {
	{"curl_global_init", offsetof(struct start, global_init)},
	{"curl_version_info", offsetof(struct start, version_info)},
	{"curl_easy_strerror", offsetof(struct start, easy_strerror)},
};

static bool find(void *handle, const struct library_symbol *symbols, size_t n, void *out, struct buf *why)
{
	for (size_t i = 0; i < n; i++) {
		void *symbol = dlsym(handle, symbols[i].name);
		if (!symbol) {
			buf_printf(why, SONAME " has no %s: install libcurl " VERSION_LEAST_TEXT " or later",
				   symbols[i].name);
			return false;
		}
		/* ISO C knows no conversion from an object's address to a function's. */
		memcpy((char *)out + symbols[i].at, &symbol, sizeof symbol);
	}
	return true;
}

bool library_load(const struct library_symbol *symbols, size_t n, void *out, const char **version, struct buf *why)
{
	struct start start;
	void *handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		buf_printf(why,
			   "the configuration has a URL to ask, which takes libcurl, and %s; install it (Debian: "
			   "libcurl4)",
			   dlerror());
		return false;
	}
	if (!find(handle, starting, sizeof starting / sizeof *starting, &start, why) ||
	    !find(handle, symbols, n, out, why))
		return false;
	const curl_version_info_data *info = start.version_info(CURLVERSION_NOW);
	if (info->version_num < VERSION_LEAST) {
		buf_printf(why, SONAME " is version %s: install libcurl " VERSION_LEAST_TEXT " or later",
			   info->version);
		return false;
	}
	CURLcode code = start.global_init(CURL_GLOBAL_DEFAULT);
	if (code != CURLE_OK) {
		buf_printf(why, SONAME " cannot be used: %s", start.easy_strerror(code));
		return false;
	}
	*version = info->version;
	return true;
}
