# SPDX-License-Identifier: Apache-2.0
# The source list is the registry: a driver is its file and its line here.

DRIVERS = \
	%D%/token/issuer_authjs.c \
	%D%/token/issuer_better_auth.c \
	%D%/token/issuer_clerk.c \
	%D%/token/issuer_jwt.c \
	%D%/token/issuer_nextauth.c \
	%D%/store/store_embedded.c
if TRANSPORT_FASTCGI
DRIVERS += %D%/web/transport_fastcgi.c
endif
if TRANSPORT_HTTP
DRIVERS += %D%/web/transport_http.c
endif
if STORE_MEMCACHED
DRIVERS += %D%/store/store_memcached.c
endif
if TRANSPORT_LIBFCGI
DRIVERS += %D%/web/transport_libfcgi.c
endif

noinst_LIBRARIES += %D%/libfcgi_auth.a
%C%_libfcgi_auth_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(SQLITE_CFLAGS) $(CRYPT_CFLAGS) \
	$(CURL_CFLAGS) $(LIBFCGI_CFLAGS) $(LIBMEMCACHED_CFLAGS)
%C%_libfcgi_auth_a_SOURCES = \
	%D%/base/arena.c %D%/base/arena.h \
	%D%/base/clock.c %D%/base/clock.h \
	%D%/base/codec.c %D%/base/codec.h \
	%D%/base/conf.c %D%/base/conf.h \
	%D%/base/conf_internal.h \
	%D%/base/conf_print.c \
	%D%/base/conf_value.c \
	%D%/base/err.c %D%/base/err.h \
	%D%/base/file.c %D%/base/file.h \
	%D%/base/log.c %D%/base/log.h \
	%D%/base/secret.c %D%/base/secret.h \
	%D%/base/str.c %D%/base/str.h \
	%D%/http/cookie.c %D%/http/cookie.h \
	%D%/http/form_data.c %D%/http/form_data.h \
	%D%/http/forwarded.c %D%/http/forwarded.h \
	%D%/http/negotiate.c %D%/http/negotiate.h \
	%D%/http/network.c %D%/http/network.h \
	%D%/http/reply.c %D%/http/reply.h \
	%D%/http/request.c %D%/http/request.h \
	%D%/http/url.c %D%/http/url.h \
	%D%/token/algorithm.c %D%/token/algorithm.h \
	%D%/token/apache_hash.c %D%/token/apache_hash.h \
	%D%/token/cache.c %D%/token/cache.h \
	%D%/token/clerk_claims.c %D%/token/clerk_claims.h \
	%D%/token/claims.c %D%/token/claims.h \
	%D%/token/compact.c %D%/token/compact.h \
	%D%/token/derive.c %D%/token/derive.h \
	%D%/token/digest.c %D%/token/digest.h \
	%D%/token/encryption.c %D%/token/encryption.h \
	%D%/token/ecdsa.c %D%/token/ecdsa.h \
	%D%/token/issuer.c %D%/token/issuer.h \
	%D%/token/issuer_algorithms.c \
	%D%/token/issuer_derived.c %D%/token/issuer_derived.h \
	%D%/token/issuer_describe.c \
	%D%/token/issuer_distinct.c \
	%D%/token/issuer_internal.h \
	%D%/token/issuer_keys.c %D%/token/issuer_keys.h \
	%D%/token/issuer_seen.c %D%/token/issuer_seen.h \
	%D%/token/json.c %D%/token/json.h \
	%D%/token/json_path.c \
	%D%/token/json_print.c \
	%D%/token/json_value.c \
	%D%/token/jwe.c %D%/token/jwe.h \
	%D%/token/jwk.c %D%/token/jwk.h \
	%D%/token/jwk_internal.h \
	%D%/token/jwk_pkey.c \
	%D%/token/jwk_print.c \
	%D%/token/jws.c %D%/token/jws.h \
	%D%/token/key.c %D%/token/key.h \
	%D%/token/key_internal.h \
	%D%/token/key_load.c \
	%D%/token/key_make.c \
	%D%/token/key_public.c \
	%D%/token/key_secret.c \
	%D%/token/key_set.c \
	%D%/token/key_source.c %D%/token/key_source.h \
	%D%/token/known_answer.c \
	%D%/token/seal.c %D%/token/seal.h \
	%D%/token/thread.c %D%/token/thread.h \
	%D%/token/logout_token.c %D%/token/logout_token.h \
	%D%/token/pem.c %D%/token/pem.h \
	%D%/token/timestamp.c %D%/token/timestamp.h \
	%D%/token/ring.c %D%/token/ring.h \
	%D%/token/token.c %D%/token/token.h \
	%D%/store/account.c %D%/store/account.h \
	%D%/store/account_internal.h \
	%D%/store/cache_file.c %D%/store/cache_file.h \
	%D%/store/count.c %D%/store/count.h \
	%D%/store/counters.c %D%/store/counters.h \
	%D%/store/database.c %D%/store/database.h \
	%D%/store/embedded_counts.c \
	%D%/store/embedded_cache.c \
	%D%/store/embedded.h \
	%D%/store/embedded_records.c \
	%D%/store/embedded_schema.c \
	%D%/store/generation.c %D%/store/generation.h \
	%D%/store/journal.c %D%/store/journal.h \
	%D%/store/key_cache.c %D%/store/key_cache.h \
	%D%/store/memcache_address.c %D%/store/memcache_address.h \
	%D%/store/limiter.c %D%/store/limiter.h \
	%D%/store/memcache.h \
	%D%/store/session_list.c %D%/store/session_list.h \
	%D%/store/sql.c %D%/store/sql.h \
	%D%/store/state_dir.c %D%/store/state_dir.h \
	%D%/store/store.h \
	%D%/store/user_record.c %D%/store/user_record.h \
	%D%/store/version.c \
	%D%/net/fetch.c %D%/net/fetch.h %D%/net/fetch_head.c \
	%D%/net/fetch_url.c \
	%D%/net/library.c %D%/net/library.h \
	%D%/net/mail.c %D%/net/mail.h \
	%D%/net/mail_command.c \
	%D%/policy/absent_store.c %D%/policy/absent_store.h \
	%D%/policy/access.c %D%/policy/access.h \
	%D%/policy/access_compile.c \
	%D%/policy/access_options.c \
	%D%/policy/agent.c %D%/policy/agent.h \
	%D%/policy/api_key.c %D%/policy/api_key.h \
	%D%/policy/api_key_options.c \
	%D%/policy/api_key_seal.c \
	%D%/policy/api_key_record.c %D%/policy/api_key_record.h \
	%D%/policy/attempt.c %D%/policy/attempt.h \
	%D%/policy/attribute.c %D%/policy/attribute.h \
	%D%/policy/catalogue.c %D%/policy/catalogue.h \
	%D%/policy/breached.c %D%/policy/breached.h \
	%D%/policy/call.c %D%/policy/call.h \
	%D%/policy/call_cors.c \
	%D%/policy/cookies.c %D%/policy/cookies.h \
	%D%/policy/cookies_clear.c \
	%D%/policy/cors.c %D%/policy/cors.h \
	%D%/policy/credentials.c %D%/policy/credentials.h \
	%D%/policy/csrf.c %D%/policy/csrf.h \
	%D%/policy/event.c %D%/policy/event.h \
	%D%/policy/form.c %D%/policy/form.h \
	%D%/policy/form_key.c %D%/policy/form_key.h \
	%D%/policy/issuer_choice.c %D%/policy/issuer_choice.h \
	%D%/policy/keys.c %D%/policy/keys.h \
	%D%/policy/keys_internal.h \
	%D%/policy/keys_jwks.c \
	%D%/policy/letter.c %D%/policy/letter.h \
	%D%/policy/local_user.c %D%/policy/local_user.h \
	%D%/policy/kept_form.c %D%/policy/kept_form.h \
	%D%/policy/login_bounce.c %D%/policy/login_bounce.h \
	%D%/policy/login.c %D%/policy/login.h \
	%D%/policy/login_check.c \
	%D%/policy/login_form.c \
	%D%/policy/login_forgot.c \
	%D%/policy/login_input.c %D%/policy/login_input.h \
	%D%/policy/login_jwks.c \
	%D%/policy/login_logo.c \
	%D%/policy/login_limits.c \
	%D%/policy/login_refresh.c \
	%D%/policy/login_resume.c %D%/policy/login_resume.h \
	%D%/policy/login_link.c %D%/policy/login_link.h \
	%D%/policy/login_options.c %D%/policy/login_options.h \
	%D%/policy/login_password.c \
	%D%/policy/login_register.c \
	%D%/policy/login_reset.c \
	%D%/policy/login_routes.h \
	%D%/policy/login_profile.c \
	%D%/policy/login_sessions.c \
	%D%/policy/login_token.c \
	%D%/policy/login_verify.c \
	%D%/policy/logout.c %D%/policy/logout.h \
	%D%/policy/logout_backchannel.c %D%/policy/logout_backchannel.h \
	%D%/policy/logout_options.c %D%/policy/logout_options.h \
	%D%/policy/mail_options.c %D%/policy/mail_options.h \
	%D%/policy/mailer.c %D%/policy/mailer.h \
	%D%/policy/opaque_session.c %D%/policy/opaque_session.h \
	%D%/policy/page_files.h \
	%D%/policy/page_folder.c %D%/policy/page_folder.h \
	%D%/policy/page_options.c \
	%D%/policy/page_refusal.c \
	%D%/policy/page_set.c %D%/policy/page_set.h \
	%D%/policy/pages.c %D%/policy/pages.h \
	%D%/policy/htpasswd.c %D%/policy/htpasswd.h \
	%D%/policy/password_policy.c %D%/policy/password_policy.h \
	%D%/policy/password.c %D%/policy/password.h \
	%D%/policy/profile.c %D%/policy/profile.h \
	%D%/policy/profile_ask.c \
	%D%/policy/profile_cached.c \
	%D%/policy/profile_flight.c \
	%D%/policy/profile_internal.h \
	%D%/policy/profile_options.c \
	%D%/policy/profile_renew.c \
	%D%/policy/revocation.c %D%/policy/revocation.h \
	%D%/policy/route.c %D%/policy/route.h \
	%D%/policy/rule.c %D%/policy/rule.h \
	%D%/policy/runtime.c %D%/policy/runtime.h \
	%D%/policy/runtime_files.c \
	%D%/policy/server_options.c \
	%D%/policy/session.c %D%/policy/session.h \
	%D%/policy/session_renew.c %D%/policy/session_renew.h \
	%D%/policy/session_end.c \
	%D%/policy/session_view.c \
	%D%/policy/snapshot.c \
	%D%/policy/style.c %D%/policy/style.h \
	%D%/policy/stores.c %D%/policy/stores.h \
	%D%/policy/subject.h \
	%D%/policy/template.c %D%/policy/template.h \
	%D%/policy/template_internal.h \
	%D%/policy/template_parse.c \
	%D%/policy/upstream.h \
	%D%/policy/upstream_actions.c \
	%D%/policy/upstream_answer.c \
	%D%/policy/upstream_body.c \
	%D%/policy/upstream_call.c \
	%D%/policy/upstream_cookie.c \
	%D%/policy/upstream_gate.c \
	%D%/policy/upstream_internal.h \
	%D%/policy/upstream_options.c %D%/policy/upstream_options.h \
	%D%/policy/upstream_session.c \
	%D%/policy/upstream_user.c \
	%D%/policy/value_source.c %D%/policy/value_source.h \
	%D%/policy/verdict_cache.c %D%/policy/verdict_cache.h \
	%D%/policy/verify.c %D%/policy/verify.h \
	%D%/policy/version.c %D%/policy/version.h \
	%D%/web/adapter.c %D%/web/adapter.h \
	%D%/web/adapter_authorizer.c \
	%D%/web/adapter_internal.h \
	%D%/web/adapter_responder.c \
	%D%/web/cgi.c %D%/web/cgi.h \
	%D%/web/complaint.c %D%/web/complaint.h \
	%D%/web/connections.c %D%/web/connections.h \
	%D%/web/frame.c %D%/web/frame.h \
	%D%/web/http_stream.h \
	%D%/web/listen.c %D%/web/listen.h \
	%D%/web/notify.c %D%/web/notify.h \
	%D%/web/params.c %D%/web/params.h \
	%D%/web/protocol.h \
	%D%/web/record.c %D%/web/record.h \
	%D%/web/serve.c %D%/web/serve.h \
	%D%/web/stream.h \
	%D%/web/transport.h \
	$(DRIVERS)
if TRANSPORT_FASTCGI
%C%_libfcgi_auth_a_SOURCES += \
	%D%/web/acceptor.c \
	%D%/web/buffers.c %D%/web/buffers.h \
	%D%/web/converse.c \
	%D%/web/crew.c \
	%D%/web/engine.c %D%/web/engine.h \
	%D%/web/overload.c
endif
if TRANSPORT_HTTP
%C%_libfcgi_auth_a_SOURCES += \
	%D%/web/http_frame.c %D%/web/http_frame.h \
	%D%/web/http_head.c %D%/web/http_head.h \
	%D%/web/http_stream.c
endif
if STORE_MEMCACHED
%C%_libfcgi_auth_a_SOURCES += \
	%D%/store/farm.c %D%/store/farm.h \
	%D%/store/farm_cycle.c \
	%D%/store/farm_host.c %D%/store/farm_host.h \
	%D%/store/farm_link.c %D%/store/farm_link.h \
	%D%/store/farm_link_internal.h \
	%D%/store/farm_mark.c %D%/store/farm_mark.h \
	%D%/store/farm_page.c %D%/store/farm_page.h \
	%D%/store/farm_publish.c \
	%D%/store/farm_put.c %D%/store/farm_put.h \
	%D%/store/farm_read.c \
	%D%/store/farm_state.c \
	%D%/store/farm_trust.c %D%/store/farm_trust.h \
	%D%/store/memcached.h \
	%D%/store/memcached_ask.c \
	%D%/store/memcached_counts.c \
	%D%/store/memcached_describe.c \
	%D%/store/memcached_write.c \
	%D%/store/memcache.c %D%/store/memcache.h \
	%D%/store/memcache_cache.c %D%/store/memcache_cache.h \
	%D%/store/memcache_count.c %D%/store/memcache_count.h \
	%D%/store/memcache_expiry.c %D%/store/memcache_expiry.h \
	%D%/store/memcache_key.c %D%/store/memcache_key.h \
	%D%/store/memcache_lookup.c %D%/store/memcache_lookup.h \
	%D%/store/memcache_ring.c
endif
nodist_%C%_libfcgi_auth_a_SOURCES = %D%/drivers.c %D%/page_files.c

%D%/drivers.c: $(top_srcdir)/%D%/drivers Makefile
	$(AM_V_GEN)$(MKDIR_P) %D% && $(SHELL) $(top_srcdir)/%D%/drivers $(DRIVERS) > $@.tmp && mv $@.tmp $@
BUILT_SOURCES += %D%/drivers.c
CLEANFILES += %D%/drivers.c %D%/drivers.c.tmp

# What the pages are made of.
PAGE_FILES = \
	%D%/policy/pages/de.catalogue \
	%D%/policy/pages/fields.css \
	%D%/policy/pages/foot.html \
	%D%/policy/pages/forgot.html \
	%D%/policy/pages/head.html \
	%D%/policy/pages/login.html \
	%D%/policy/pages/logout.html \
	%D%/policy/pages/message.html \
	%D%/policy/pages/messages.html \
	%D%/policy/pages/password.html \
	%D%/policy/pages/profile.html \
	%D%/policy/pages/register.html \
	%D%/policy/pages/reset.html \
	%D%/policy/pages/resume.html \
	%D%/policy/pages/signed-out.html \
	%D%/policy/pages/style.css \
	%D%/policy/pages/top.html \
	%D%/policy/pages/verify.html
%D%/page_files.c: $(PAGE_FILES) %D%/embed Makefile
	$(AM_V_GEN)$(MKDIR_P) %D% && cd $(srcdir) && $(SHELL) %D%/embed $(PAGE_FILES) > $(abs_builddir)/$@.tmp && \
		mv $(abs_builddir)/$@.tmp $(abs_builddir)/$@
BUILT_SOURCES += %D%/page_files.c
CLEANFILES += %D%/page_files.c %D%/page_files.c.tmp
EXTRA_DIST += $(PAGE_FILES)

# Every program and test links these.
LDADD = %D%/libfcgi_auth.a $(CRYPTO_LIBS) $(SQLITE_LIBS) $(CRYPT_LIBS) $(LIBFCGI_LIBS) \
	$(HTTP_PARSER_LIBS) $(LIBMEMCACHED_LIBS) -lpthread

EXTRA_DIST += %D%/layers %D%/drivers %D%/embed

# The FastCGI programs.
PROGRAM_SOURCES = %D%/bin/options.c %D%/bin/options.h %D%/bin/program.c %D%/bin/program.h
bin_PROGRAMS += %D%/bin/auth-login-proxy %D%/bin/auth-logout %D%/bin/auth-verify
%C%_bin_auth_login_proxy_SOURCES = %D%/bin/auth-login-proxy.c $(PROGRAM_SOURCES)
%C%_bin_auth_logout_SOURCES = %D%/bin/auth-logout.c $(PROGRAM_SOURCES)
%C%_bin_auth_verify_SOURCES = %D%/bin/auth-verify.c $(PROGRAM_SOURCES)

# The admin's command.
bin_PROGRAMS += %D%/bin/authctl
%C%_bin_authctl_SOURCES = \
	%D%/bin/authctl.c %D%/bin/authctl.h \
	%D%/bin/authctl_api_keys.c %D%/bin/authctl_api_keys.h \
	%D%/bin/authctl_api_keys_list.c \
	%D%/bin/authctl_arguments.c \
	%D%/bin/authctl_cache.c \
	%D%/bin/authctl_check.c %D%/bin/authctl_check.h \
	%D%/bin/authctl_check_api_keys.c \
	%D%/bin/authctl_check_capture.c \
	%D%/bin/authctl_check_keys.c \
	%D%/bin/authctl_check_profiles.c \
	%D%/bin/authctl_check_upstream.c \
	%D%/bin/authctl_check_users.c \
	%D%/bin/authctl_explain.c %D%/bin/authctl_explain.h \
	%D%/bin/authctl_explain_form.c \
	%D%/bin/authctl_explain_profile.c \
	%D%/bin/authctl_explain_key.c \
	%D%/bin/authctl_explain_token.c \
	%D%/bin/authctl_input.c \
	%D%/bin/authctl_judge.c %D%/bin/authctl_judge.h \
	%D%/bin/authctl_keys.c %D%/bin/authctl_keys.h \
	%D%/bin/authctl_keys_list.c \
	%D%/bin/authctl_keys_make.c \
	%D%/bin/authctl_live.c %D%/bin/authctl_live.h \
	%D%/bin/authctl_live_ask.c \
	%D%/bin/authctl_live_denial.c \
	%D%/bin/authctl_live_identity.c \
	%D%/bin/authctl_live_judge.c \
	%D%/bin/authctl_live_login.c \
	%D%/bin/authctl_live_open.c \
	%D%/bin/authctl_live_public.c \
	%D%/bin/authctl_live_remedy.c \
	%D%/bin/authctl_live_token.c \
	%D%/bin/authctl_output.c %D%/bin/authctl_output.h \
	%D%/bin/authctl_records.c \
	%D%/bin/authctl_revocations.c \
	%D%/bin/authctl_ring.c %D%/bin/authctl_ring.h \
	%D%/bin/authctl_secret.c \
	%D%/bin/authctl_templates.c \
	%D%/bin/authctl_token.c \
	%D%/bin/authctl_tool.c %D%/bin/authctl_tool.h \
	%D%/bin/authctl_users.c %D%/bin/authctl_users.h \
	%D%/bin/authctl_users_import.c \
	%D%/bin/authctl_users_list.c
