/* SPDX-License-Identifier: Apache-2.0 */
/* auth-verify: the external authorizer. */
#include "bin/program.h"

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "auth-verify",
		.summary = "Decide about requests for a web server: a FastCGI authorizer.",
		.adapter_open = adapter_authorizer_open,
	};
	return program_main(&program, argc, argv);
}
