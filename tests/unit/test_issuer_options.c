/* SPDX-License-Identifier: Apache-2.0 */
/* What an [issuer] may say: keys, algorithms, and what is wrong about them. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "folder.h"
#include "token/issuer_internal.h"
#include "unit.h"

#define RSA_1024                                                                                                       \
	"-----BEGIN PUBLIC KEY-----\n"                                                                                 \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDdWauEn8GE9/F+uh0irCr7Lwjh\n"                                          \
	"i1WbzqVzHiNMuTiI6PfhHYOXxHkgpkP66v2QEiqgFiMftdbdOCpA8iblOiodlXSD\n"                                          \
	"HBdsdZaZJHiOxvW1VtKeCXNXAqm6GSg11CjAtd6ndngSWCSbCtLn4B39UATI4CXl\n"                                          \
	"rmdSfKqTo8TsTCpODQIDAQAB\n"                                                                                  \
	"-----END PUBLIC KEY-----\n"
#define RSA_2048                                                                                                       \
	"-----BEGIN PUBLIC KEY-----\n"                                                                                 \
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA5HZ4OnEzBbf1ryYNKfJC\n"                                          \
	"Bl/ZDMX9l2d1bVQGYF3VX0KXlDT4MguvqvxORF3ITfZJnzsa2dxehMMD1j5rh5JI\n"                                          \
	"LxBobF98/j6h24h4amSCuiNK7TcuQOJFfUsM6V6cNWQpHiywHYGVU4/Y7++yeFnr\n"                                          \
	"pip4vzhtKHOo4gK++IZVWo92ged6Waj7s1TiTBK3Z7iQGMuTGutr4gY0K7MCf/NM\n"                                          \
	"dQ8sVmM3/pk4V8w3HXGJM8GXK2AB6ASLBq+FDwpxfvQhBttuW2s3BnXxuJXvipr9\n"                                          \
	"GJrq1QI5Jqqp4ReFXmS+Zyl61YnE1OAXP3cQQX6ZftpNbcOq2xgbpqEe8JNhrgk4\n"                                          \
	"pQIDAQAB\n"                                                                                                  \
	"-----END PUBLIC KEY-----\n"
/* RFC 7517 appendix A.1, without "use":"enc". */
#define EC_JWK                                                                                                         \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","                    \
	"\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\"kid\":\"e1\"}"
/* RFC 8037 appendix A. */
#define ED_PUBLIC "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define ED_PRIVATE ED_PUBLIC ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\""

#define SECRET "first-Dw8fQm2LrXk5Zs9TbVy3Hc6Np1Jg4Ea7Ui0Oo"
#define TEXT "secret = text:" SECRET "\n"
#define KEY32 "secret = text:0123456789abcdefghijklmnopqrstuv\n"
#define KEY64 "secret = text:0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_\n"
#define PEM "public-key = @/rsa.pem\n"

static struct folder folder;

static void write_keys(void)
{
	static const struct {
		const char *name, *text;
	} files[] = {
		{"rsa.pem", RSA_2048},
		{"rsa1024.pem", RSA_1024},
		{"ec.jwk", EC_JWK},
		{"ed.jwk", "{" ED_PUBLIC "}"},
		{"private.jwk", "{" ED_PRIVATE "}"},
		{"good.jwks", "{\"keys\":[" EC_JWK ",{" ED_PUBLIC ",\"kid\":\"d1\"}]}"},
		{"no-kid.jwks", "{\"keys\":[" EC_JWK ",{" ED_PUBLIC "}]}"},
		{"private.jwks", "{\"keys\":[" EC_JWK ",{" ED_PRIVATE ",\"kid\":\"d1\"}]}"},
		{"secret.jwks",
		 "{\"keys\":[" EC_JWK ",{\"kty\":\"oct\",\"k\":\"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LQ\"}]}"},
		{"empty.jwks", "{\"keys\":[]}"},
		{"bad.jwks", "{\"keys\":[}"},
		{"open.jwks", "{\"keys\":[" EC_JWK "]}"},
		{"ring", "{\"keys\":[{\"kid\":\"r1\",\"alg\":\"EdDSA\"," ED_PRIVATE
			 "},{\"kid\":\"r2\",\"alg\":\"HS256\",\"kty\":\"oct\","
			 "\"k\":\"MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY\"}]}"},
	};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		folder_write(&folder, files[i].name, str_of(files[i].text));
	CU_ASSERT_EQUAL(chmod(folder_file(&folder, "open.jwks"), 0666), 0);
	CU_ASSERT_EQUAL(chmod(folder_file(&folder, "rsa.pem"), 0644), 0);
	CU_ASSERT_EQUAL(chmod(folder_file(&folder, "ring"), 0600), 0);
}

/* The options with "@" as the folder. */
static void write_conf(const char *options)
{
	char text[4096];
	struct buf b = buf_over(text, sizeof text);
	buf_add(&b, STR("[issuer \"main\"]\n"));
	for (; *options; options++) {
		if (*options == '@')
			buf_add(&b, str_of(folder.path));
		else
			buf_char(&b, *options);
	}
	CU_ASSERT_FALSE_FATAL(b.full);
	folder_write(&folder, "conf", buf_str(&b));
}

/* error stays empty when it opens; *out lives as long as *conf. */
static bool load(const char *options, struct conf **conf, struct issuer **out, struct conf_error *error)
{
	static const struct conf_kind *const kinds[] = {&issuer_kind, NULL};
	write_conf(options);
	error->text[0] = '\0';
	*conf = NULL;
	return conf_open(folder_file(&folder, "conf"), kinds, conf, error) &&
	       issuer_open((*conf)->sections, 1, out, error);
}

struct row {
	const char *options, *error; /* NULL: opens */
};

static void check_rows(const struct row *rows)
{
	for (; rows->options; rows++) {
		struct conf_error error;
		struct conf *conf;
		struct issuer *issuer;
		bool good = load(rows->options, &conf, &issuer, &error);
		UNIT_ROW(good == !rows->error, good ? rows->options : error.text);
		UNIT_ROW(good || !rows->error || strstr(error.text, rows->error), error.text);
		UNIT_ROW(!strstr(error.text, SECRET) && !strstr(error.text, "nWGxne"), "an error shows a secret");
		if (good)
			issuer_close(&issuer);
		if (conf)
			conf_close(&conf);
	}
}

static void keys(void)
{
	static const struct row rows[] = {
		{"algorithms = RS256\n" PEM, NULL},
		{"algorithms = RS256, PS256, RS512\n" PEM, NULL},
		{"algorithms = ES256, EdDSA\npublic-key = @/ec.jwk\npublic-key = @/ed.jwk\n", NULL},
		{"algorithms = ES256\njwks = file:@/good.jwks\n", NULL},
		{"algorithms = ES256\njwks = https://a.test/jwks\n", NULL},
		{"algorithms = ES256\njwks = http://a.test/jwks\njwks-refresh = 1m\n", NULL},
		{"algorithms = EdDSA, HS256\nkey-ring = file:@/ring\n", NULL},
		/* Too weak, or not what it should be. */
		{"algorithms = RS256\npublic-key = @/rsa1024.pem\n",
		 ":3: public-key: RSA of 1024 bits, needed are 2048 to 8192"},
		{"algorithms = ES256\n" PEM, ":3: public-key: none of the allowed algorithms is for a key of its type"},
		{"algorithms = ES384\npublic-key = @/ec.jwk\n", ":3: public-key: none of the allowed algorithms"},
		{"algorithms = EdDSA\npublic-key = @/private.jwk\n", ":3: public-key: "},
		{"algorithms = RS256\npublic-key = @/none.pem\n", ":3: public-key: "},
		{"algorithms = RS256\npublic-key = @\n", "is not a file"},
		{"algorithms = RS256\npublic-key = rsa.pem\n", ":3: public-key: \"rsa.pem\" is no path: "},
		{"algorithms = ES256\njwks = file:@/private.jwks\n", ":3: jwks: "},
		{"algorithms = ES256\njwks = file:@/secret.jwks\n", ":3: jwks: "},
		{"algorithms = ES256\njwks = file:@/empty.jwks\n", ":3: jwks: "},
		{"algorithms = ES256\njwks = file:@/bad.jwks\n", ":3: jwks: "},
		{"algorithms = RS256\njwks = file:@/good.jwks\n", ":3: jwks: "},
		{"algorithms = ES256\njwks = file:@/open.jwks\n",
		 "can be written by everybody (mode 0666): chmod o-w "},
		{"algorithms = ES256\njwks = @/good.jwks\n", "is neither a URL (https://…) nor file:/PATH"},
		{"algorithms = ES256\njwks = ftp://a.test/jwks\n", "is neither a URL"},
		{"algorithms = ES256\njwks = file:good.jwks\n", "is neither a URL"},
		{"algorithms = ES256\nkey-ring = file:@/ring\n", ":3: key-ring: "},
		{"algorithms = EdDSA\nkey-ring = file:@/rsa.pem\n", ":3: key-ring: "},
		{0},
	};
	check_rows(rows);
}

static void mixtures(void)
{
	static const struct row rows[] = {
		{"algorithms = RS256\n", ":1: there is no key: write public-key = PATH, jwks = "},
		{"algorithms = HS256\n", ":1: secret: is missing: write secret = file:PATH"},
		{TEXT, "algorithms: is missing"},
		{"algorithms = HS256, RS256\n" PEM,
		 ":2: algorithms: HS256 is not for a public-key: with a public key as the secret everybody could sign"},
		{"algorithms = ES256, HS256\njwks = file:@/good.jwks\n", ":2: algorithms: HS256 is not for a jwks"},
		{"algorithms = HS256\njwks = https://a.test/jwks\n", ":2: algorithms: HS256 is not for a jwks"},
		{"algorithms = HS256, RS256\n" TEXT, ":2: algorithms: RS256 is not for a secret"},
		{"algorithms = HS256, RS256\n" TEXT PEM,
		 ":4: public-key: stands next to secret: the keys of an issuer come from one place"},
		{"algorithms = ES256\npublic-key = @/ec.jwk\njwks = https://a.test/\n",
		 ":4: jwks: stands next to public-key"},
		{"algorithms = EdDSA\nkey-ring = file:@/ring\njwks = https://a.test/\n",
		 ":4: jwks: stands next to key-ring"},
		{"algorithms = HS256\n" TEXT "key-ring = file:@/ring\n", ":4: key-ring: stands next to secret"},
		{"algorithms = RS255\n" PEM, ":2: algorithms: \"RS255\" is not known; algorithms are HS256, "},
		{"algorithms = none\n" PEM, "\"none\" is not known"},
		{"algorithms = RS256, RS256\n" PEM, "RS256 is named twice"},
		{0},
	};
	check_rows(rows);
}

static void encrypted(void)
{
	static const struct row rows[] = {
		{"encryption = A256GCM\n" KEY32, NULL},
		{"encryption = A256CBC-HS512, A256GCM\n" KEY32 KEY64, NULL},
		{"encryption = A128CBC-HS256, A256GCM\n" KEY32, NULL},
		{"encryption = A256GCM\n" TEXT,
		 ":3: secret: the key has 43 bytes, but it must have exactly 32 for A256GCM; it is taken as it stands"},
		{"encryption = A256CBC-HS512\n" KEY64 KEY32, ":4: secret: the key has 32 bytes"},
		{"encryption = A256GCM\n", ":1: secret: is missing"},
		{"encryption = A256\n" KEY32, ":2: encryption: \"A256\" is not known; encryptions are "},
		{"encryption = A256GCM, A256GCM\n" KEY32, "A256GCM is named twice"},
		{"encryption = A256GCM\nalgorithms = HS256\n" KEY32,
		 ":3: algorithms: is for signed tokens, and encryption for encrypted ones: remove one of them"},
		{"encryption = A256GCM\n" PEM KEY32, ":3: public-key: is for signed tokens"},
		{"encryption = A256GCM\njwks = https://a.test/\n" KEY32, ":3: jwks: is for signed tokens"},
		{"encryption = A256GCM\nkey-ring = file:@/ring\n" KEY32, ":3: key-ring: is for signed tokens"},
		{0},
	};
	check_rows(rows);
}

/* What means nothing for the type. */
static void foreign_options(void)
{
	static const struct row rows[] = {
		{"algorithms = HS256\n" TEXT "salt = x\n", ":4: salt: means nothing for type jwt: remove it"},
		{"algorithms = HS256\n" TEXT "session-url = https://a.test/\n", ":4: session-url: means nothing for "},
		{"algorithms = HS256\n" TEXT "session-ttl = 1m\n", ":4: session-ttl: means nothing for type jwt"},
		{"algorithms = HS256\n" TEXT "jwks-refresh = 15m\n", ":4: jwks-refresh: is for a jwks that is a URL"},
		{"algorithms = ES256\njwks = file:@/good.jwks\njwks-stale = 1d\n",
		 ":4: jwks-stale: is for a jwks that"},
		{0},
	};
	check_rows(rows);
}

#define CLERK "type = clerk\niss = https://clerk.a.test\n"

static void clerk(void)
{
	static const struct row rows[] = {
		{CLERK "jwks = https://clerk.a.test/.well-known/jwks.json\n", NULL},
		{CLERK PEM, NULL},
		{CLERK PEM "algorithms = RS512, RS256\nauthorized-parties = https://a.test\naudience = a\n", NULL},
		{"type = clerk\n" PEM, ":1: iss: is missing: write the Frontend API URL"},
		{CLERK, ":1: there is no key: "},
		{CLERK "algorithms = ES256\npublic-key = @/ec.jwk\n", ":4: algorithms: Clerk does not sign with ES256"},
		{CLERK "algorithms = HS256\n" PEM, ":4: algorithms: Clerk does not sign with HS256"},
		{CLERK TEXT, ":4: secret: means nothing for type clerk: remove it"},
		{CLERK PEM "encryption = A256GCM\n", ":5: encryption: means nothing for type clerk"},
		{CLERK "public-key = @/ec.jwk\n", ":4: public-key: none of the allowed algorithms"},
		{0},
	};
	check_rows(rows);
}

/* By a kid in every key the issuer's tokens are known. */
static void kids(void)
{
	static const struct {
		const char *options;
		size_t n;
		bool has_kids;
	} rows[] = {
		{"algorithms = ES256, EdDSA\njwks = file:@/good.jwks\n", 2, true},
		{"algorithms = ES256, EdDSA\njwks = file:@/no-kid.jwks\n", 2, false},
		{"algorithms = RS256, PS256\n" PEM, 2, false},
		{"algorithms = HS256\n" TEXT, 1, false},
		{"algorithms = ES256\njwks = https://a.test/\n", 0, true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf_error error;
		struct conf *conf;
		struct issuer *issuer;
		CU_ASSERT_FATAL(load(rows[i].options, &conf, &issuer, &error));
		UNIT_ROW(issuer->keys.n == rows[i].n, rows[i].options);
		UNIT_ROW(issuer->has_kids == rows[i].has_kids, rows[i].options);
		issuer_close(&issuer);
		conf_close(&conf);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"files", write_keys},
		{"keys", keys},
		{"mixtures", mixtures},
		{"encrypted", encrypted},
		{"foreign options", foreign_options},
		{"clerk", clerk},
		{"kids", kids},
		{NULL, NULL},
	};
	folder_open(&folder);
	int status = token_start() ? unit_main("issuer_options", cases) : 1;
	folder_close(&folder);
	return status;
}
