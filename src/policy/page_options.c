/* SPDX-License-Identifier: Apache-2.0 */
/* What [login] says of the pages: their files, language, picture and colour. */
#include "base/file.h"
#include "policy/runtime.h"

/* With its headers it fits into one reply. */
enum { LOGO_MAX = 60 << 10 };

static const struct conf_section *section_of(const struct snapshot *snapshot)
{
	const struct conf_section *section = snapshot->conf->sections;
	while (section->kind != &login_kind)
		section = section->next;
	return section;
}

static bool begins(struct str bytes, size_t at, struct str with)
{
	return bytes.n >= at && str_starts(str_skip(bytes, at), with);
}

/* By its first bytes, whatever its name says; NULL: none that browsers show. */
static const char *picture_type(struct str bytes)
{
	if (begins(bytes, 0, STR("\x89PNG\r\n\x1a\n")))
		return "image/png";
	if (begins(bytes, 0, STR("\xff\xd8\xff")))
		return "image/jpeg";
	if (begins(bytes, 0, STR("RIFF")) && begins(bytes, 8, STR("WEBP")))
		return "image/webp";
	struct str text = str_trim(bytes);
	return begins(text, 0, STR("<svg")) || begins(text, 0, STR("<?xml")) ? "image/svg+xml" : NULL;
}

static bool read_logo(struct snapshot *snapshot, struct page_set *set, struct conf_error *error)
{
	const struct conf_text *logo = &snapshot->login->logo;
	char memory[512];
	struct buf why = buf_over(memory, sizeof memory);
	if (!logo->value.p)
		return true;
	if (!file_load(snapshot->arena, logo->value.p, LOGO_MAX, &set->logo, &why))
		return conf_fail_at(error, logo, "logo", "%s", buf_z(&why));
	set->logo_type = picture_type(set->logo);
	return set->logo_type || conf_fail_at(error, logo, "logo", "%s is no PNG, SVG, JPEG or WebP", logo->value.p);
}

static bool choose_language(const struct snapshot *snapshot, struct page_set *set, struct conf_error *error)
{
	const struct conf_text *language = &snapshot->login->language;
	if (!language->value.p)
		return true;
	set->forced = page_set_catalogue(set, language->value);
	if (set->forced)
		return true;
	return conf_fail_at(error, language, "language",
			    "there is no \"%.*s\": take en or de, or put %.*s.catalogue into template-dir",
			    STR_ARGS(language->value), STR_ARGS(language->value));
}

bool page_options_check(struct snapshot *snapshot, struct conf_error *error)
{
	const struct login_conf *login = snapshot->login;
	struct page_set *set = arena_alloc(snapshot->arena, sizeof *set);
	struct style_color color;
	struct page_own own = {.folder = login->template_dir.value.p};
	char memory[768];
	struct buf why = buf_over(memory, sizeof memory);
	if (login->color.value.p) {
		if (!style_color_parse(login->color.value, &color))
			return conf_fail_at(error, &login->color, "color", "write it as #2450c8");
		own.color = &color;
	}
	if (!set || !page_set_open(snapshot->arena, &own, set, &why))
		return conf_fail(error, section_of(snapshot), "template-dir", "%s",
				 why.n ? buf_z(&why) : "is too large");
	snapshot->pages = set;
	return read_logo(snapshot, set, error) && choose_language(snapshot, set, error);
}
