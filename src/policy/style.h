/* SPDX-License-Identifier: Apache-2.0 */
/* Style sheets of the pages: made short, named by hash, and the site's colour. */
#ifndef POLICY_STYLE_H
#define POLICY_STYLE_H

#include "base/arena.h"

/* The same style sheet without comments, indentation and ends of lines. */
void style_shorten(struct str sheet, struct buf *out);
/* "sha256-…", as Content-Security-Policy names it. false: the arena is used up. */
bool style_hash(struct arena *arena, struct str sheet, struct str *out);

/* A colour of sRGB. */
struct style_color {
	int red, green, blue; /* 0-255 */
};

/* "#rrggbb" */
bool style_color_parse(struct str text, struct style_color *out);
/* Their contrast (WCAG 2): 1 to 21. */
double style_contrast(struct style_color a, struct style_color b);
/* A style sheet that makes the colour the pages' accent: of buttons as it is, with
 * black or white on it; of links darker on light ground and lighter on dark ground,
 * where it must be to be read. */
void style_accent(struct style_color color, struct buf *out);

#endif
