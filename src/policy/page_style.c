/* SPDX-License-Identifier: Apache-2.0 */
/* The style sheet of the pages. The CSP header allows it by its hash. */
#include "policy/pages.h"

const char page_style[] =
	":root{color-scheme:light dark;--ground:#fff;--text:#1b1b1b;--line:#6b6b6b;--act:#0b57d0;--on-act:#fff;"
	"--alert:#b3261e}"
	"@media (prefers-color-scheme:dark){:root{--ground:#15181c;--text:#e8e8e8;--line:#9a9a9a;--act:#a8c7fa;"
	"--on-act:#062e6f;--alert:#f2b8b5}}"
	"body{margin:0;padding:1rem;background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,sans-serif}"
	"main{max-width:22rem;margin:10vh auto 0;overflow-wrap:anywhere}"
	"h1{font-size:1.5rem;line-height:1.2}"
	"label{display:block;margin-top:1rem}"
	"input,button{box-sizing:border-box;width:100%;min-height:2.75rem;padding:.5rem .75rem;"
	"border:1px solid var(--line);border-radius:.25rem;background:var(--ground);color:inherit;font:inherit}"
	"button{margin-top:1.5rem;border-color:var(--act);background:var(--act);color:var(--on-act);cursor:pointer}"
	":focus-visible{outline:3px solid var(--act);outline-offset:2px}"
	"a{color:var(--act)}"
	".message{padding:.5rem .75rem;border:1px solid var(--alert);border-left-width:.5rem;color:var(--alert)}"
	".note{font-size:.875rem}";

const char page_style_hash[] = "sha256-ioMORLqWsBanlVdgxVM37kUoO+mykNJInL+15Si3M04=";
