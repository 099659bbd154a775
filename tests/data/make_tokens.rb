#!/usr/bin/env ruby
# SPDX-License-Identifier: Apache-2.0
# Make tokens-ruby.json with ruby-jwt (Debian's package): the tokens of a Sinatra
# login server, without typ, sub, iat and jti, and other algorithms of the library.
# New keys each time: made anew only when the library changes.
#   ruby make_tokens.rb > tokens-ruby.json
require 'json'
require 'jwt'
require 'openssl'

NOW = 1767225600
FUTURE = 4102444800
PAST = 1577836800
SECRET = '9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0'
OTHER = '0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9'
ROWS = []

def add(name, token, key, policy, reason: nil, user: nil)
  row = { name: "ruby-jwt-#{name}", issuer: "ruby-jwt #{Gem.loaded_specs['jwt']&.version || JWT::VERSION::STRING}",
          kind: 'jws', token: token, key: key, policy: { leeway: 0 }.merge(policy), now: NOW, clock_free: true,
          expect: reason ? 'reject' : 'accept' }
  row[:reason] = reason if reason
  row[:user] = user if user
  ROWS << row
end

def claims(more = {})
  { user_id: 1, username: 'ann', email: 'ann@example.com', is_admin: false, exp: FUTURE }.merge(more)
end

secret = { type: 'secret', value: SECRET }
login = { algs: ['HS256'], userClaim: 'user_id' }
add('login-ok', JWT.encode(claims, SECRET, 'HS256'), secret, login, user: '1')
add('login-large-id-ok', JWT.encode(claims(user_id: 9007199254740993), SECRET, 'HS256'), secret, login,
    user: '9007199254740993')
add('login-expired', JWT.encode(claims(exp: PAST), SECRET, 'HS256'), secret, login, reason: 'expired')
add('login-wrong-secret', JWT.encode(claims, OTHER, 'HS256'), secret, login, reason: 'bad-signature')
add('login-hex-as-bytes', JWT.encode(claims, [SECRET].pack('H*'), 'HS256'), secret, login, reason: 'bad-signature')
add('login-no-user', JWT.encode(claims.reject { |name| name == :user_id }, SECRET, 'HS256'), secret, login,
    reason: 'missing-claim')
add('login-null-user', JWT.encode(claims(user_id: nil), SECRET, 'HS256'), secret, login, reason: 'claim-type')
add('login-none', JWT.encode(claims, nil, 'none'), secret, login, reason: 'alg-not-allowed')
admin = login.merge(requireClaim: { is_admin: true })
add('admin-ok', JWT.encode(claims(is_admin: true), SECRET, 'HS256'), secret, admin, user: '1')
add('admin-required', JWT.encode(claims, SECRET, 'HS256'), secret, admin, reason: 'forbidden-claim')

{ 'RS256' => -> { OpenSSL::PKey::RSA.new(2048) }, 'PS256' => -> { OpenSSL::PKey::RSA.new(2048) },
  'ES256' => -> { OpenSSL::PKey::EC.generate('prime256v1') },
  'ES384' => -> { OpenSSL::PKey::EC.generate('secp384r1') } }.each do |alg, make|
  own = make.call
  foreign = make.call
  pem = { type: 'pem', pem: own.respond_to?(:public_to_pem) ? own.public_to_pem : own.public_key.to_pem }
  policy = { algs: [alg], userClaim: 'user_id' }
  add("#{alg}-ok", JWT.encode(claims, own, alg), pem, policy, user: '1')
  add("#{alg}-wrong-key", JWT.encode(claims, foreign, alg), pem, policy, reason: 'bad-signature')
  add("#{alg}-expired", JWT.encode(claims(exp: PAST), own, alg), pem, policy, reason: 'expired')
end

puts "[\n#{ROWS.map(&:to_json).join(",\n")}\n]"
warn "#{ROWS.size} tokens"
