# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += \
	%D%/lighttpd.conf %D%/story.py \
	%D%/site/index.html %D%/site/wiki/index.html %D%/site/wiki/form.html \
	%D%/site/users/demo/index.html %D%/site/users/other/index.html \
	%D%/site/cgi/whoami.cgi %D%/site/cgi/post.cgi
