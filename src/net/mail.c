/* SPDX-License-Identifier: Apache-2.0 */
/* Sending over SMTP by libcurl. */
#include "net/mail.h"

#include <curl/curl.h>
#include <stddef.h>
#include <string.h>

#include "net/library.h"

static struct library {
	const char *version; /* NULL: not loaded */
	__typeof__(&curl_easy_init) easy_init;
	__typeof__(&curl_easy_cleanup) easy_cleanup;
	__typeof__(&curl_easy_setopt) easy_setopt;
	__typeof__(&curl_easy_getinfo) easy_getinfo;
	__typeof__(&curl_easy_perform) easy_perform;
	__typeof__(&curl_easy_strerror) easy_strerror;
} library;

static const struct library_symbol symbols[] = {
	{"curl_easy_init", offsetof(struct library, easy_init)},
	{"curl_easy_cleanup", offsetof(struct library, easy_cleanup)},
	{"curl_easy_setopt", offsetof(struct library, easy_setopt)},
	{"curl_easy_getinfo", offsetof(struct library, easy_getinfo)},
	{"curl_easy_perform", offsetof(struct library, easy_perform)},
	{"curl_easy_strerror", offsetof(struct library, easy_strerror)},
};

bool mail_start(struct buf *why)
{
	static const size_t n = sizeof symbols / sizeof *symbols;
	return library.version || library_load(symbols, n, &library, &library.version, why);
}

/* Addresses -------------------------------------------------------------- */

static struct str host_of(struct str url)
{
	struct str rest = str_skip(url, str_starts(url, STR("smtps://")) ? 8 : 7);
	size_t end = rest.n && rest.p[0] == '[' ? str_find(rest, ']') + 1 : str_find(rest, ':');
	return (struct str){rest.p, end < rest.n ? end : rest.n};
}

static bool is_host(struct str host)
{
	bool literal = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
	struct str name = literal ? (struct str){host.p + 1, host.n - 2} : host;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool alphanumeric = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
		if (!alphanumeric && c != '.' && (literal ? c != ':' : c != '-'))
			return false;
	}
	return name.n > 0 && name.p[0] != '-' && name.p[0] != '.';
}

bool mail_check_url(struct str url, struct buf *why)
{
	uint64_t port;
	if (!str_starts(url, STR("smtp://")) && !str_starts(url, STR("smtps://"))) {
		buf_add(why, STR("begins with smtp:// or smtps://"));
		return false;
	}
	struct str host = host_of(url), rest = str_skip(url, (size_t)(host.p - url.p) + host.n);
	if (is_host(host) &&
	    (rest.n == 0 || (rest.p[0] == ':' && str_to_uint(str_skip(rest, 1), 65535, &port) && port > 0)))
		return true;
	buf_add(why, STR("is smtp://host:port; user and password have keys of their own"));
	return false;
}

/* Nobody listens in between there. */
static bool is_local(const char *url)
{
	struct str host = host_of(str_of(url));
	return str_eq(host, STR("localhost")) || str_eq(host, STR("[::1]")) || str_starts(host, STR("127."));
}

/* One conversation --------------------------------------------------------- */

/* What the server has not got yet. */
static size_t on_read(char *out, size_t size, size_t n, void *context)
{
	struct str *left = context;
	size_t part = left->n < size * n ? left->n : size * n;
	memcpy(out, left->p, part);
	*left = str_skip(*left, part);
	return part;
}

static bool set_long(CURL *curl, CURLoption option, long value)
{
	return library.easy_setopt(curl, option, value) == CURLE_OK;
}

static bool set_text(CURL *curl, CURLoption option, const char *value)
{
	return !value || library.easy_setopt(curl, option, value) == CURLE_OK;
}

static bool set_way(CURL *curl, const struct mail_way *way)
{
	bool plain = is_local(way->smtp) && !way->ca_file;
	return set_text(curl, CURLOPT_URL, way->smtp) && set_text(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps") &&
	       set_long(curl, CURLOPT_USE_SSL, plain ? CURLUSESSL_NONE : CURLUSESSL_ALL) &&
	       set_long(curl, CURLOPT_SSL_VERIFYPEER, 1) && set_long(curl, CURLOPT_SSL_VERIFYHOST, 2) &&
	       set_long(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) &&
	       set_text(curl, CURLOPT_CAINFO, way->ca_file) && set_text(curl, CURLOPT_USERNAME, way->user) &&
	       set_text(curl, CURLOPT_PASSWORD, way->password) &&
	       set_long(curl, CURLOPT_NETRC, CURL_NETRC_IGNORED) && set_text(curl, CURLOPT_PROXY, "") &&
	       set_text(curl, CURLOPT_NOPROXY, "*") && set_long(curl, CURLOPT_NOSIGNAL, 1) &&
	       set_long(curl, CURLOPT_QUICK_EXIT, 1) && set_long(curl, CURLOPT_TIMEOUT_MS, (long)way->timeout_ms) &&
	       set_long(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)way->timeout_ms);
}

static bool set_mail(CURL *curl, const struct mail *mail, struct curl_slist *to, struct str *left)
{
	return set_text(curl, CURLOPT_MAIL_FROM, mail->from) &&
	       library.easy_setopt(curl, CURLOPT_MAIL_RCPT, to) == CURLE_OK && set_long(curl, CURLOPT_UPLOAD, 1) &&
	       library.easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->text.n) == CURLE_OK &&
	       library.easy_setopt(curl, CURLOPT_READFUNCTION, on_read) == CURLE_OK &&
	       library.easy_setopt(curl, CURLOPT_READDATA, left) == CURLE_OK;
}

/* Would the same be said again? A reply of the server's own decides: 5yz is for ever
 * (RFC 5321 section 4.2.1). */
static enum mail_result judge(CURLcode code, long reply)
{
	if (code == CURLE_OK)
		return MAIL_SENT;
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
	    code == CURLE_USE_SSL_FAILED || code == CURLE_NOT_BUILT_IN || code == CURLE_UNSUPPORTED_PROTOCOL)
		return MAIL_REFUSED;
	return reply >= 500 && reply <= 599 ? MAIL_REFUSED : MAIL_LATER;
}

static enum mail_result perform(CURL *curl, char error[CURL_ERROR_SIZE], struct buf *why)
{
	long reply = 0;
	error[0] = '\0';
	library.easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	CURLcode code = library.easy_perform(curl);
	library.easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply);
	if (code != CURLE_OK)
		buf_add(why, str_of(error[0] ? error : library.easy_strerror(code)));
	return judge(code, reply);
}

static enum mail_result send_over_smtp(const struct mail_way *way, const struct mail *mail, struct buf *why)
{
	char error[CURL_ERROR_SIZE], address[512];
	struct buf b = buf_over(address, sizeof address);
	struct curl_slist to = {NULL, NULL};
	struct str left = mail->text;
	buf_printf(&b, "<%s>", mail->to);
	CURL *curl = library.version && !b.full ? library.easy_init() : NULL;
	if (!curl) {
		buf_add(why, STR("libcurl cannot be used"));
		return MAIL_LATER;
	}
	buf_z(&b);
	to.data = address;
	enum mail_result result = MAIL_LATER;
	if (set_way(curl, way) && set_mail(curl, mail, &to, &left))
		result = perform(curl, error, why);
	else
		buf_add(why, STR("libcurl refuses an option"));
	library.easy_cleanup(curl);
	return result;
}

enum mail_result mail_send(const struct mail_way *way, const struct mail *mail, struct buf *why)
{
	return way->smtp ? send_over_smtp(way, mail, why) : mail_run(way, mail, why);
}
