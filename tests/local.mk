# SPDX-License-Identifier: Apache-2.0

check_LIBRARIES = %D%/unit/libunit.a
%C%_unit_libunit_a_SOURCES = \
	%D%/unit/folder.c %D%/unit/folder.h \
	%D%/unit/issuer_setup.c %D%/unit/issuer_setup.h \
	%D%/unit/jwk_texts.h %D%/unit/pem_texts.h \
	%D%/unit/real_memcached.c %D%/unit/real_memcached.h \
	%D%/unit/store_bed.c %D%/unit/store_bed.h \
	%D%/unit/unit.c %D%/unit/unit.h

# One program for each source file of src/; NAME.c is found by automake.
UNIT_TESTS = \
	%D%/unit/test_access \
	%D%/unit/test_account \
	%D%/unit/test_agent \
	%D%/unit/test_account_registration \
	%D%/unit/test_algorithm \
	%D%/unit/test_attempt \
	%D%/unit/test_attribute \
	%D%/unit/test_api_key_record \
	%D%/unit/test_base \
	%D%/unit/test_breached \
	%D%/unit/test_cache \
	%D%/unit/test_cache_file \
	%D%/unit/test_call \
	%D%/unit/test_claims \
	%D%/unit/test_codec \
	%D%/unit/test_conf \
	%D%/unit/test_connections \
	%D%/unit/test_cookie \
	%D%/unit/test_count \
	%D%/unit/test_cookies \
	%D%/unit/test_catalogue \
	%D%/unit/test_cors \
	%D%/unit/test_credentials \
	%D%/unit/test_csrf \
	%D%/unit/test_database \
	%D%/unit/test_derive \
	%D%/unit/test_digest \
	%D%/unit/test_effective \
	%D%/unit/test_frame \
	%D%/unit/test_form \
	%D%/unit/test_form_data \
	%D%/unit/test_generation \
	%D%/unit/test_htpasswd \
	%D%/unit/test_issuer_seen \
	%D%/unit/test_issuer_better_auth \
	%D%/unit/test_issuer_choice \
	%D%/unit/test_issuer_clerk \
	%D%/unit/test_issuer_options \
	%D%/unit/test_json_number \
	%D%/unit/test_json_path \
	%D%/unit/test_jws \
	%D%/unit/test_key \
	%D%/unit/test_key_memory \
	%D%/unit/test_key_public \
	%D%/unit/test_key_source \
	%D%/unit/test_key_set \
	%D%/unit/test_jwk \
	%D%/unit/test_key_ring \
	%D%/unit/test_key_cache \
	%D%/unit/test_local_user \
	%D%/unit/test_journal \
	%D%/unit/test_letter \
	%D%/unit/test_limiter \
	%D%/unit/test_forwarded \
	%D%/unit/test_login_check \
	%D%/unit/test_login_options \
	%D%/unit/test_logout_token \
	%D%/unit/test_network \
	%D%/unit/test_page_set \
	%D%/unit/test_pages \
	%D%/unit/test_params \
	%D%/unit/test_pem \
	%D%/unit/test_password \
	%D%/unit/test_password_policy \
	%D%/unit/test_profile \
	%D%/unit/test_record \
	%D%/unit/test_request \
	%D%/unit/test_ring \
	%D%/unit/test_kept_form \
	%D%/unit/test_seal \
	%D%/unit/test_session_renew \
	%D%/unit/test_route \
	%D%/unit/test_rule \
	%D%/unit/test_session_list \
	%D%/unit/test_runtime \
	%D%/unit/test_store \
	%D%/unit/test_store_embedded \
	%D%/unit/test_str \
	%D%/unit/test_style \
	%D%/unit/test_template \
	%D%/unit/test_timestamp \
	%D%/unit/test_upstream \
	%D%/unit/test_upstream_options \
	%D%/unit/test_url \
	%D%/unit/test_user_record \
	%D%/unit/test_user_record_faults \
	%D%/unit/test_verdict_cache
# Where json-c reads the data, or judges what was read.
if JSON_ORACLE
UNIT_TESTS += \
	%D%/unit/test_issuer \
	%D%/unit/test_issuer_derived \
	%D%/unit/test_jwe \
	%D%/unit/test_json \
	%D%/unit/test_vectors
endif
if STORE_MEMCACHED
UNIT_TESTS += \
	%D%/unit/test_farm_mark \
	%D%/unit/test_farm_page \
	%D%/unit/test_farm_trust \
	%D%/unit/test_memcache \
	%D%/unit/test_memcache_address \
	%D%/unit/test_memcache_cache \
	%D%/unit/test_memcache_count \
	%D%/unit/test_memcache_failures \
	%D%/unit/test_memcache_key \
	%D%/unit/test_memcache_storm
endif
if TRANSPORT_HTTP
UNIT_TESTS += \
	%D%/unit/test_http_frame \
	%D%/unit/test_http_stream
endif
# In sanitizer builds the arena takes memory for each object.
if !SANITIZED
UNIT_TESTS += %D%/unit/test_allocations
endif
if UNIT_TESTS
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif
UNIT_LDADD = %D%/unit/libunit.a $(LDADD) $(CUNIT_LIBS)
%C%_unit_test_access_LDADD = $(UNIT_LDADD)
%C%_unit_test_runtime_LDADD = $(UNIT_LDADD)
%C%_unit_test_account_LDADD = $(UNIT_LDADD)
%C%_unit_test_agent_LDADD = $(UNIT_LDADD)
%C%_unit_test_logout_token_LDADD = $(UNIT_LDADD)
%C%_unit_test_account_registration_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
%C%_unit_test_account_registration_LDADD = $(UNIT_LDADD)
%C%_unit_test_session_list_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
%C%_unit_test_session_list_LDADD = $(UNIT_LDADD)
%C%_unit_test_algorithm_LDADD = $(UNIT_LDADD)
%C%_unit_test_allocations_LDADD = $(UNIT_LDADD)
%C%_unit_test_allocations_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
%C%_unit_test_attempt_LDADD = $(UNIT_LDADD)
%C%_unit_test_attribute_LDADD = $(UNIT_LDADD)
%C%_unit_test_api_key_record_LDADD = $(UNIT_LDADD)
%C%_unit_test_base_LDADD = $(UNIT_LDADD)
%C%_unit_test_breached_LDADD = $(UNIT_LDADD)
%C%_unit_test_cache_LDADD = $(UNIT_LDADD)
%C%_unit_test_cache_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=free
%C%_unit_test_cache_file_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
%C%_unit_test_cache_file_LDADD = $(UNIT_LDADD)
%C%_unit_test_call_LDADD = $(UNIT_LDADD)
%C%_unit_test_claims_LDADD = $(UNIT_LDADD)
%C%_unit_test_codec_LDADD = $(UNIT_LDADD)
%C%_unit_test_conf_LDADD = $(UNIT_LDADD)
%C%_unit_test_connections_LDADD = $(UNIT_LDADD)
%C%_unit_test_cookie_LDADD = $(UNIT_LDADD)
%C%_unit_test_count_LDADD = $(UNIT_LDADD)
%C%_unit_test_cookies_LDADD = $(UNIT_LDADD)
%C%_unit_test_cors_LDADD = $(UNIT_LDADD)
%C%_unit_test_credentials_LDADD = $(UNIT_LDADD)
%C%_unit_test_csrf_LDADD = $(UNIT_LDADD)
%C%_unit_test_database_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
%C%_unit_test_database_LDADD = $(UNIT_LDADD)
%C%_unit_test_derive_LDADD = $(UNIT_LDADD)
%C%_unit_test_digest_LDADD = $(UNIT_LDADD)
%C%_unit_test_effective_LDADD = $(UNIT_LDADD)
%C%_unit_test_farm_mark_LDADD = $(UNIT_LDADD)
%C%_unit_test_farm_page_LDADD = $(UNIT_LDADD)
%C%_unit_test_farm_trust_LDADD = $(UNIT_LDADD)
%C%_unit_test_forwarded_LDADD = $(UNIT_LDADD)
%C%_unit_test_network_LDADD = $(UNIT_LDADD)
%C%_unit_test_form_LDADD = $(UNIT_LDADD)
%C%_unit_test_form_data_LDADD = $(UNIT_LDADD)
%C%_unit_test_kept_form_LDADD = $(UNIT_LDADD)
%C%_unit_test_seal_LDADD = $(UNIT_LDADD)
%C%_unit_test_session_renew_LDADD = $(UNIT_LDADD)
%C%_unit_test_generation_LDADD = $(UNIT_LDADD)
%C%_unit_test_htpasswd_LDADD = $(UNIT_LDADD)
%C%_unit_test_frame_LDADD = $(UNIT_LDADD)
%C%_unit_test_http_frame_LDADD = $(UNIT_LDADD)
%C%_unit_test_http_stream_LDADD = $(UNIT_LDADD)
%C%_unit_test_issuer_SOURCES = %D%/unit/test_issuer.c %D%/unit/vectors.c %D%/unit/vectors.h
%C%_unit_test_issuer_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
%C%_unit_test_issuer_choice_LDADD = $(UNIT_LDADD)
%C%_unit_test_issuer_clerk_LDADD = $(UNIT_LDADD)
%C%_unit_test_issuer_options_LDADD = $(UNIT_LDADD)
%C%_unit_test_issuer_LDADD = $(UNIT_LDADD) $(JSONC_LIBS)
%C%_unit_test_issuer_seen_LDADD = $(UNIT_LDADD)
%C%_unit_test_issuer_better_auth_LDADD = $(UNIT_LDADD)
%C%_unit_test_issuer_derived_SOURCES = %D%/unit/test_issuer_derived.c %D%/unit/vectors.c %D%/unit/vectors.h
%C%_unit_test_issuer_derived_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
%C%_unit_test_issuer_derived_LDADD = $(UNIT_LDADD) $(JSONC_LIBS)
%C%_unit_test_json_SOURCES = %D%/unit/test_json.c %D%/unit/json_oracle.c %D%/unit/json_oracle.h
%C%_unit_test_json_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
%C%_unit_test_json_LDADD = $(UNIT_LDADD) $(JSONC_LIBS)
%C%_unit_test_json_number_LDADD = $(UNIT_LDADD)
%C%_unit_test_json_path_LDADD = $(UNIT_LDADD)
%C%_unit_test_jwe_SOURCES = %D%/unit/test_jwe.c %D%/unit/vectors.c %D%/unit/vectors.h
%C%_unit_test_jwe_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
%C%_unit_test_jwe_LDADD = $(UNIT_LDADD) $(JSONC_LIBS)
%C%_unit_test_jws_LDADD = $(UNIT_LDADD)
%C%_unit_test_key_LDADD = $(UNIT_LDADD)
%C%_unit_test_key_memory_LDADD = $(UNIT_LDADD)
%C%_unit_test_key_public_LDADD = $(UNIT_LDADD)
%C%_unit_test_key_source_LDADD = $(UNIT_LDADD)
%C%_unit_test_key_set_LDADD = $(UNIT_LDADD)
%C%_unit_test_jwk_LDADD = $(UNIT_LDADD)
%C%_unit_test_key_ring_LDADD = $(UNIT_LDADD)
%C%_unit_test_journal_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
%C%_unit_test_journal_LDADD = $(UNIT_LDADD)
%C%_unit_test_key_cache_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
%C%_unit_test_key_cache_LDADD = $(UNIT_LDADD)
%C%_unit_test_local_user_LDADD = $(UNIT_LDADD)
%C%_unit_test_letter_LDADD = $(UNIT_LDADD)
%C%_unit_test_limiter_LDADD = $(UNIT_LDADD)
%C%_unit_test_login_check_CFLAGS = $(AM_CFLAGS) $(CRYPT_CFLAGS)
%C%_unit_test_login_check_LDADD = $(UNIT_LDADD)
%C%_unit_test_login_check_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=crypt_r
%C%_unit_test_login_options_LDADD = $(UNIT_LDADD)
%C%_unit_test_memcache_LDADD = $(UNIT_LDADD)
%C%_unit_test_memcache_address_LDADD = $(UNIT_LDADD)
%C%_unit_test_memcache_address_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getaddrinfo
%C%_unit_test_memcache_cache_LDADD = $(UNIT_LDADD)
%C%_unit_test_memcache_count_LDADD = $(UNIT_LDADD)
%C%_unit_test_memcache_failures_LDADD = $(UNIT_LDADD)
%C%_unit_test_memcache_key_LDADD = $(UNIT_LDADD)
%C%_unit_test_memcache_storm_LDADD = $(UNIT_LDADD)
%C%_unit_test_page_set_LDADD = $(UNIT_LDADD)
%C%_unit_test_pages_LDADD = $(UNIT_LDADD)
%C%_unit_test_params_LDADD = $(UNIT_LDADD)
%C%_unit_test_pem_LDADD = $(UNIT_LDADD)
%C%_unit_test_password_LDADD = $(UNIT_LDADD)
%C%_unit_test_password_policy_LDADD = $(UNIT_LDADD)
%C%_unit_test_profile_LDADD = $(UNIT_LDADD)
%C%_unit_test_record_LDADD = $(UNIT_LDADD)
%C%_unit_test_request_LDADD = $(UNIT_LDADD)
%C%_unit_test_ring_LDADD = $(UNIT_LDADD)
%C%_unit_test_route_LDADD = $(UNIT_LDADD)
%C%_unit_test_rule_LDADD = $(UNIT_LDADD)
%C%_unit_test_store_LDADD = $(UNIT_LDADD)
%C%_unit_test_store_embedded_LDADD = $(UNIT_LDADD)
%C%_unit_test_str_LDADD = $(UNIT_LDADD)
%C%_unit_test_catalogue_LDADD = $(UNIT_LDADD)
%C%_unit_test_style_LDADD = $(UNIT_LDADD)
%C%_unit_test_template_LDADD = $(UNIT_LDADD)
%C%_unit_test_timestamp_LDADD = $(UNIT_LDADD)
%C%_unit_test_upstream_LDADD = $(UNIT_LDADD)
%C%_unit_test_upstream_options_LDADD = $(UNIT_LDADD)
%C%_unit_test_url_LDADD = $(UNIT_LDADD)
%C%_unit_test_user_record_SOURCES = %D%/unit/test_user_record.c %D%/unit/record_bed.c %D%/unit/record_bed.h
%C%_unit_test_user_record_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
%C%_unit_test_user_record_LDADD = $(UNIT_LDADD)
%C%_unit_test_user_record_faults_SOURCES = %D%/unit/test_user_record_faults.c \
	%D%/unit/record_bed.c %D%/unit/record_bed.h
%C%_unit_test_user_record_faults_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
%C%_unit_test_user_record_faults_LDADD = $(UNIT_LDADD)
%C%_unit_test_verdict_cache_LDADD = $(UNIT_LDADD)
%C%_unit_test_vectors_SOURCES = %D%/unit/test_vectors.c %D%/unit/vectors.c %D%/unit/vectors.h
%C%_unit_test_vectors_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
%C%_unit_test_vectors_LDADD = $(UNIT_LDADD) $(JSONC_LIBS)

# The transports around a handler that tells what it was asked.
check_PROGRAMS += %D%/web/echo_server
EXTRA_DIST += \
	%D%/integration/echo.py \
	%D%/integration/fastcgi.py \
	%D%/integration/test_fastcgi_load.py \
	%D%/integration/http_bytes.py \
	%D%/integration/test_fastcgi_protocol.py \
	%D%/integration/test_http_protocol.py \
	%D%/integration/test_listening.py

# One fetch after the other, printed.
check_PROGRAMS += %D%/net/fetch_client
EXTRA_DIST += %D%/integration/profile_service.py %D%/integration/raw_server.py %D%/integration/test_fetch.py

# Run by ./check: conformance/run FOLDER, with vectors and with public suites that are kept elsewhere.
EXTRA_DIST += %D%/conformance/README.md %D%/conformance/redirects %D%/conformance/run \
	%D%/conformance/vectors.py
if JSON_ORACLE
check_PROGRAMS += %D%/conformance/conformance
endif
%C%_conformance_conformance_SOURCES = \
	%D%/conformance/conformance.c %D%/conformance/conformance.h \
	%D%/conformance/conformance_jwe.c
%C%_conformance_conformance_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
%C%_conformance_conformance_LDADD = $(LDADD) $(JSONC_LIBS)

# Run by ./check: model/run, which searches the states of a model of the protocol of many hosts.
EXTRA_DIST += %D%/model/README.md %D%/model/farm.pml %D%/model/run

# Run by ./check: differential/run, which compares with independent libraries.
check_PROGRAMS += %D%/differential/verify_lines
EXTRA_DIST += \
	%D%/differential/README.md \
	%D%/differential/mutations.py \
	%D%/differential/run \
	%D%/differential/tokens.py

# A fuzz target is fuzz_NAME.c and the folder seeds/NAME. With --enable-fuzz it
# is a libFuzzer program, else it replays the files given to it.
FUZZ_TARGETS = \
	%D%/fuzz/fuzz_api_key \
	%D%/fuzz/fuzz_authorization \
	%D%/fuzz/fuzz_base64url \
	%D%/fuzz/fuzz_cookie \
	%D%/fuzz/fuzz_json \
	%D%/fuzz/fuzz_jwe \
	%D%/fuzz/fuzz_jwk \
	%D%/fuzz/fuzz_jws \
	%D%/fuzz/fuzz_record \
	%D%/fuzz/fuzz_rule \
	%D%/fuzz/fuzz_template
if TRANSPORT_HTTP
FUZZ_TARGETS += %D%/fuzz/fuzz_http
endif
check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += %D%/fuzz/seeds.test
FUZZ_FRAME = %D%/fuzz/fuzz.h
FUZZ_LINK = $(AM_LDFLAGS)
if FUZZ
FUZZ_LINK += -fsanitize=fuzzer
else
FUZZ_FRAME += %D%/fuzz/replay.c
endif
%C%_fuzz_fuzz_api_key_SOURCES = %D%/fuzz/fuzz_api_key.c $(FUZZ_FRAME)
%C%_fuzz_fuzz_api_key_LDFLAGS = $(FUZZ_LINK)
%C%_fuzz_fuzz_authorization_SOURCES = %D%/fuzz/fuzz_authorization.c $(FUZZ_FRAME)
%C%_fuzz_fuzz_authorization_LDFLAGS = $(FUZZ_LINK)
%C%_fuzz_fuzz_cookie_SOURCES = %D%/fuzz/fuzz_cookie.c $(FUZZ_FRAME)
%C%_fuzz_fuzz_cookie_LDFLAGS = $(FUZZ_LINK)
%C%_fuzz_fuzz_base64url_SOURCES = %D%/fuzz/fuzz_base64url.c $(FUZZ_FRAME)
%C%_fuzz_fuzz_base64url_LDFLAGS = $(FUZZ_LINK)
%C%_fuzz_fuzz_http_SOURCES = %D%/fuzz/fuzz_http.c $(FUZZ_FRAME)
%C%_fuzz_fuzz_http_LDFLAGS = $(FUZZ_LINK)
%C%_fuzz_fuzz_json_SOURCES = %D%/fuzz/fuzz_json.c $(FUZZ_FRAME)
%C%_fuzz_fuzz_json_LDFLAGS = $(FUZZ_LINK)
%C%_fuzz_fuzz_jwe_SOURCES = %D%/fuzz/fuzz_jwe.c $(FUZZ_FRAME)
%C%_fuzz_fuzz_jwe_LDFLAGS = $(FUZZ_LINK)
%C%_fuzz_fuzz_jwk_SOURCES = %D%/fuzz/fuzz_jwk.c $(FUZZ_FRAME)
%C%_fuzz_fuzz_jwk_LDFLAGS = $(FUZZ_LINK)
%C%_fuzz_fuzz_jws_SOURCES = %D%/fuzz/fuzz_jws.c %D%/unit/jwk_texts.h $(FUZZ_FRAME)
%C%_fuzz_fuzz_jws_LDFLAGS = $(FUZZ_LINK)
%C%_fuzz_fuzz_record_SOURCES = %D%/fuzz/fuzz_record.c $(FUZZ_FRAME)
%C%_fuzz_fuzz_record_LDFLAGS = $(FUZZ_LINK)
%C%_fuzz_fuzz_rule_SOURCES = %D%/fuzz/fuzz_rule.c $(FUZZ_FRAME)
%C%_fuzz_fuzz_rule_LDFLAGS = $(FUZZ_LINK)
%C%_fuzz_fuzz_template_SOURCES = %D%/fuzz/fuzz_template.c $(FUZZ_FRAME)
%C%_fuzz_fuzz_template_LDFLAGS = $(FUZZ_LINK)
EXTRA_DIST += %D%/fuzz/README.md %D%/fuzz/seeds %D%/fuzz/seeds.test

EXTRA_DIST += \
	%D%/data/README.md \
	%D%/data/make_known_answers.py \
	%D%/data/make_tokens.py \
	%D%/data/make_tokens.rb \
	%D%/data/make_tokens_python.py \
	%D%/data/npm/.npmrc \
	%D%/data/npm/make_tokens.mjs \
	%D%/data/npm/package-lock.json \
	%D%/data/npm/package.json \
	%D%/data/tokens-npm.json \
	%D%/data/tokens-python.json \
	%D%/data/tokens-ruby.json \
	%D%/data/tokens.json \
	%D%/data/vectors-hs.json
EXTRA_DIST += %D%/data/make_jwe.py %D%/data/jwe.json %D%/data/vectors-jwe.json \
	%D%/data/vectors-better-auth.json %D%/data/vectors-jws.json

# What the stores do when disks, files and other processes fail.
check_PROGRAMS += %D%/faults/store_client
TESTS += %D%/faults/store_faults.test
EXTRA_DIST += %D%/faults/store_faults.test %D%/faults/test_store_faults.py
if STORE_MEMCACHED
TESTS += %D%/faults/store_memcached.test
endif
EXTRA_DIST += %D%/faults/store_memcached.test %D%/faults/test_store_memcached.py

# A farm of hosts on one machine, run by ./check: tests/faults/farm.
EXTRA_DIST += \
	%D%/faults/README.md \
	%D%/faults/conftest.py \
	%D%/faults/crowd.py \
	%D%/faults/farm \
	%D%/faults/farm.py \
	%D%/faults/load.py \
	%D%/faults/network.py \
	%D%/faults/relay.py \
	%D%/faults/test_farm_chaos.py \
	%D%/faults/test_farm_expiry.py \
	%D%/faults/test_farm_hosts.py \
	%D%/faults/test_farm_identity.py \
	%D%/faults/test_farm_keys.py \
	%D%/faults/test_farm_kill.py \
	%D%/faults/test_farm_memcached.py \
	%D%/faults/test_farm_oracle.py

# Servers that issue real tokens, for the integration tests.
EXTRA_DIST += \
	%D%/peers/.npmrc \
	%D%/peers/README.md \
	%D%/peers/authjs/server.mjs \
	%D%/peers/better-auth/server.mjs \
	%D%/peers/fastapi/app.py \
	%D%/peers/install \
	%D%/peers/jwks/server.mjs \
	%D%/peers/node/.npmrc \
	%D%/peers/node/package-lock.json \
	%D%/peers/node/package.json \
	%D%/peers/package-lock.json \
	%D%/peers/package.json \
	%D%/peers/sinatra/app.rb

# Integration tests: python3 -m pytest tests/integration
EXTRA_DIST += \
	%D%/integration/apache.py \
	%D%/integration/applications.py \
	%D%/integration/authorizer.py \
	%D%/integration/cases.py \
	%D%/integration/conftest.py \
	%D%/integration/generation.py \
	%D%/integration/guess.py \
	%D%/integration/harness.py \
	%D%/integration/jwks_source.py \
	%D%/integration/http_client.py \
	%D%/integration/mail_server.py \
	%D%/integration/peers.py \
	%D%/integration/redirects.py %D%/integration/test_redirects.py \
	%D%/integration/responder.py \
	%D%/integration/run \
	%D%/integration/servers.py \
	%D%/integration/servers_apache.py \
	%D%/integration/servers_lighttpd.py \
	%D%/integration/servers_nginx.py \
	%D%/integration/session_server.py \
	%D%/integration/tokens.py \
	%D%/integration/ways.py \
	%D%/integration/data/apache.conf \
	%D%/integration/data/apache-cgi.conf \
	%D%/integration/data/apache-fastcgi.conf \
	%D%/integration/data/apache-proxied.conf \
	%D%/integration/data/apache-static.conf \
	%D%/integration/data/lighttpd-kinds.conf \
	%D%/integration/data/nginx-kinds.conf \
	%D%/integration/exceptions.py \
	%D%/integration/expectations.py \
	%D%/integration/data/app.cgi \
	%D%/integration/examples.py \
	%D%/integration/faulty_upstream.py \
	%D%/integration/data/lighttpd.conf \
	%D%/integration/data/nginx-site.conf \
	%D%/integration/data/nginx.conf \
	%D%/integration/data/redirects.json \
	%D%/integration/test_accounts.py \
	%D%/integration/test_attempts.py \
	%D%/integration/test_accounts_mail.py \
	%D%/integration/test_api_keys.py \
	%D%/integration/test_authctl.py \
	%D%/integration/test_backchannel.py \
	%D%/integration/test_bodies.py \
	%D%/integration/test_brute_force.py \
	%D%/integration/test_bypass.py \
	%D%/integration/test_bypass_apache.py \
	%D%/integration/test_cases.py \
	%D%/integration/test_cors.py \
	%D%/integration/test_cross_site.py \
	%D%/integration/test_check_live.py \
	%D%/integration/test_check_live_servers.py \
	%D%/integration/test_configuration.py \
	%D%/integration/test_generation_page.py \
	%D%/integration/test_keys.py \
	%D%/integration/test_jwks.py \
	%D%/integration/data/nginx-http.conf \
	%D%/integration/servers_caddy.py \
	%D%/integration/servers_haproxy.py \
	%D%/integration/test_forward_auth.py \
	%D%/integration/test_http_servers.py \
	%D%/integration/test_guides.py \
	%D%/integration/test_issuers.py \
	%D%/integration/test_login.py \
	%D%/integration/test_login_loop.py \
	%D%/integration/test_login_program.py \
	%D%/integration/test_logout.py \
	%D%/integration/test_logout_cookies.py \
	%D%/integration/test_logout_program.py \
	%D%/integration/test_logs.py \
	%D%/integration/test_methods.py \
	%D%/integration/test_mod_auth_request.py \
	%D%/integration/test_mod_auth_request_bodies.py \
	%D%/integration/test_mod_auth_request_cache.py \
	%D%/integration/test_mod_auth_request_failures.py \
	%D%/integration/test_mod_auth_request_flow.py \
	%D%/integration/test_mod_auth_request_foreign.py \
	%D%/integration/test_mod_auth_request_subrequest.py \
	%D%/integration/test_mod_auth_request_tunnel.py \
	%D%/integration/test_lighttpd_spawn.py \
	%D%/integration/test_managers.py \
	%D%/integration/test_mail.py \
	%D%/integration/test_many_hosts.py \
	%D%/integration/test_nginx.py \
	%D%/integration/test_pages.py \
	%D%/integration/test_peers_better_auth.py \
	%D%/integration/test_peers_jwks.py \
	%D%/integration/test_peers_nextauth.py \
	%D%/integration/test_peers_signed.py \
	%D%/integration/test_profiles.py \
	%D%/integration/test_resume.py \
	%D%/integration/test_renewal.py \
	%D%/integration/test_restart.py \
	%D%/integration/test_rings.py \
	%D%/integration/test_rules.py \
	%D%/integration/test_seed0.py \
	%D%/integration/test_seed1.py \
	%D%/integration/test_seed2.py \
	%D%/integration/test_seed3.py \
	%D%/integration/test_seed4.py \
	%D%/integration/test_servers.py \
	%D%/integration/test_spoofing.py \
	%D%/integration/test_session_cookies.py \
	%D%/integration/test_sessions.py \
	%D%/integration/test_shared_hosting.py \
	%D%/integration/test_state.py \
	%D%/integration/test_team.py \
	%D%/integration/test_token_places.py \
	%D%/integration/test_upstream.py \
	%D%/integration/test_upstream_better_auth.py \
	%D%/integration/test_upstream_faults.py \
	%D%/integration/test_upstream_fastapi.py \
	%D%/integration/test_upstream_nextauth.py \
	%D%/integration/test_upstream_ruby.py \
	%D%/integration/test_user_records.py \
	%D%/integration/test_user_records_applications.py \
	%D%/integration/test_user_records_faults.py \
	%D%/integration/test_verdict_cache.py \
	%D%/integration/test_verdict_hold.py \
	%D%/integration/test_websocket.py \
	%D%/integration/upstreams.py \
	%D%/integration/user_records.py \
	%D%/integration/websocket.py

# Browser tests: python3 -m pytest tests/browser
check_PROGRAMS += %D%/browser/show_page
EXTRA_DIST += \
	%D%/browser/README.md \
	%D%/browser/chrome.py \
	%D%/browser/.npmrc \
	%D%/browser/conftest.py \
	%D%/browser/package-lock.json \
	%D%/browser/package.json \
	%D%/browser/page_server.py \
	%D%/browser/site/public/index.html \
	%D%/browser/site/wiki/edit.html \
	%D%/browser/site/wiki/index.html \
	%D%/browser/site/wiki/save.cgi \
	%D%/browser/test_accounts.py \
	%D%/browser/test_axe.py \
	%D%/browser/test_chrome.py \
	%D%/browser/test_form_goes_on.py \
	%D%/browser/test_lockout.py \
	%D%/browser/test_login_page.py \
	%D%/browser/test_logs_are_clean.py \
	%D%/browser/test_pages.py \
	%D%/browser/test_profile.py \
	%D%/browser/test_sessions.py
