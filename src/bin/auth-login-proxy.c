/* SPDX-License-Identifier: Apache-2.0 */
/* auth-login-proxy: the login page and its JSON form, a FastCGI responder. */
#include "bin/program.h"
#include "policy/login.h"

static bool open_adapter(struct runtime *runtime, struct adapter **out)
{
	const struct responder responder = {login_handle, LOGIN_BODY_MAX, login_too_large, LOGIN_REPLY_MAX};
	return adapter_responder_open(runtime, &responder, out);
}

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "auth-login-proxy",
		.summary = "Serve the login page and the login API: a FastCGI responder.",
		.adapter_open = open_adapter,
	};
	return program_main(&program, argc, argv);
}
