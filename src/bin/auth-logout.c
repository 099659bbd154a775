/* SPDX-License-Identifier: Apache-2.0 */
/* auth-logout: ends a session and revokes its token, a FastCGI responder. */
#include "bin/program.h"
#include "policy/logout.h"

static bool open_adapter(struct runtime *runtime, struct adapter **out)
{
	const struct responder responder = {logout_handle, LOGOUT_BODY_MAX, "What was sent is too large", REPLY_MAX};
	return adapter_responder_open(runtime, &responder, out);
}

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "auth-logout",
		.summary = "Log out: revoke the token and clear the cookies; a FastCGI responder.",
		.adapter_open = open_adapter,
	};
	return program_main(&program, argc, argv);
}
