/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of algorithms and encryptions: exact names, each once. */
#include "token/issuer_keys.h"
#include "token/thread.h"

bool issuer_read_algorithms(const struct conf_section *section, struct issuer *issuer, struct conf_error *error)
{
	const struct conf_list *names = &issuer->algorithm_names;
	char memory[256];
	struct buf known = buf_over(memory, sizeof memory);
	algorithm_print_all(&known);
	if (names->n == 0)
		return conf_fail(error, section, "algorithms",
				 "is missing: name what the tokens are signed with, such as HS256 or RS256");
	for (size_t i = 0; i < names->n; i++) {
		const struct conf_text *name = &names->items[i];
		const struct algorithm *algorithm = algorithm_find(name->value, ALGORITHM_ALL);
		if (!algorithm)
			return conf_fail_at(error, name, "algorithms", "\"%.*s\" is not known; algorithms are %s",
					    STR_ARGS(name->value), buf_z(&known));
		if (!algorithm_add(&issuer->algorithms, algorithm))
			return conf_fail_at(error, name, "algorithms", "%s is named twice", algorithm->name);
		if (!algorithm_works(algorithm))
			return conf_fail_at(error, name, "algorithms", "%s does not work in this %s", algorithm->name,
					    token_library());
	}
	return true;
}

bool issuer_read_encryptions(const struct conf_section *section, struct issuer *issuer, struct conf_error *error)
{
	const struct issuer_conf *conf = section->values;
	char memory[256];
	struct buf known = buf_over(memory, sizeof memory);
	encryption_print_all(&known);
	for (size_t i = 0; i < conf->encryption.n; i++) {
		const struct conf_text *name = &conf->encryption.items[i];
		const struct encryption *encryption = encryption_find(name->value, ENCRYPTION_ALL);
		if (!encryption)
			return conf_fail_at(error, name, "encryption", "\"%.*s\" is not known; encryptions are %s",
					    STR_ARGS(name->value), buf_z(&known));
		if (!encryption_add(&issuer->encryptions, encryption))
			return conf_fail_at(error, name, "encryption", "%s is named twice", encryption->name);
		if (!encryption_works(encryption))
			return conf_fail_at(error, name, "encryption", "%s does not work in this %s", encryption->name,
					    token_library());
	}
	return true;
}
