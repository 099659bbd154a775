# SPDX-License-Identifier: Apache-2.0
# Stand-in for auth-server-ruby (system S4), loopback only: Sinatra, ruby-jwt, bcrypt, sqlite3, puma from Debian 12.
#   PORT=27010 JWT_SECRET=... [SHAPE=doc|real] [REQUIRE_VERIFIED=1] [LOCK_SECONDS=900] [RATE=0] [PERMITTED_HOSTS=a,b]
#   [DB=:memory:] [JWT_HOURS=24] ruby app.rb
#   SHAPE=doc : as its documentation says      login {message, token, user{...}}   register {message, user{...}}
#   SHAPE=real: as a real client had to accept login {token, user_id}              register {message, user_id}
#               (reidchatham/bizy-ai, commit 8c5f858 and MAKEFILE_COMMANDS.md)
#   RATE=n: more than n logins a minute answer 429; PERMITTED_HOSTS: any other Host answers 403, as Sinatra >= 4.1 does
require 'sinatra/base'
require 'sqlite3'
require 'bcrypt'
require 'jwt'
require 'json'
require 'securerandom'
class AuthServer < Sinatra::Base
  SECRET = ENV.fetch('JWT_SECRET', 'your-super-secret-key-at-least-32-characters-long-please-change-this')
  SHAPE  = ENV.fetch('SHAPE', 'doc')
  HOURS  = ENV.fetch('JWT_HOURS', '24').to_f
  MAX_FAILS = 5
  LOCK_SECONDS = ENV.fetch('LOCK_SECONDS', '900').to_i
  RATE   = ENV.fetch('RATE', '0').to_i
  HOSTS  = ENV.fetch('PERMITTED_HOSTS', '').split(',')
  LOGINS = []
  set :show_exceptions, false
  set :logging, false
  set :environment, :production
  set :protection, except: [:json_csrf, :host_authorization]
  DBH = SQLite3::Database.new(ENV.fetch('DB', ':memory:'))
  DBH.results_as_hash = true
  DBH.execute_batch <<~SQL
    CREATE TABLE IF NOT EXISTS users(id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT UNIQUE, email TEXT UNIQUE,
      password_digest TEXT, is_admin INTEGER DEFAULT 0, email_verified INTEGER DEFAULT 0, failed INTEGER DEFAULT 0,
      locked_until INTEGER, verify_token TEXT, reset_token TEXT);
  SQL
  MU = Mutex.new
  helpers do
    def body_json
      raw = request.body.read
      return params if raw.empty? || request.media_type == 'application/x-www-form-urlencoded'
      j = JSON.parse(raw)
      halt 400, { error: 'Invalid JSON' }.to_json unless j.is_a?(Hash)
      j
    rescue JSON::ParserError
      halt 400, { error: 'Invalid JSON' }.to_json
    end
    def pub(u)
      { id: u['id'], username: u['username'], email: u['email'], is_admin: u['is_admin'] == 1, email_verified: u['email_verified'] == 1 }
    end
    def find(k, v) = MU.synchronize { DBH.get_first_row("SELECT * FROM users WHERE #{k}=?", [v]) }
    def db(*a) = MU.synchronize { DBH.execute(*a) }
    def rate_limit
      return if RATE.zero?
      now = Time.now.to_i
      over = MU.synchronize { LOGINS.reject! { |t| t <= now - 60 }; LOGINS << now; LOGINS.size > RATE }
      return unless over
      headers 'Retry-After' => '60'
      halt 429, { error: 'Too many requests' }.to_json
    end
    def token_for(u)
      JWT.encode({ user_id: u['id'], username: u['username'], email: u['email'], is_admin: u['is_admin'] == 1,
                   exp: (Time.now + HOURS * 3600).to_i }, SECRET, 'HS256')
    end
    def current
      h = request.env['HTTP_AUTHORIZATION'].to_s
      halt 401, { error: 'Missing token' }.to_json unless h =~ /\ABearer (.+)\z/i
      p, = JWT.decode($1, SECRET, true, algorithm: 'HS256')
      find('id', p['user_id']) or halt 404, { error: 'User not found' }.to_json
    rescue JWT::ExpiredSignature
      halt 401, { error: 'Token has expired' }.to_json
    rescue JWT::DecodeError
      halt 401, { error: 'Invalid token' }.to_json
    end
  end
  before do
    content_type :json
    halt 403, 'Host not permitted' unless HOSTS.empty? || HOSTS.include?(request.host)
  end
  not_found { { error: 'Not found' }.to_json }
  error { { error: 'Internal server error' }.to_json }
  get('/health') { { status: 'ok' }.to_json }
  post '/register' do
    b = body_json
    errs = []
    errs << 'Username is invalid' unless b['username'].to_s =~ /\A[a-zA-Z0-9_]{3,50}\z/
    errs << 'Email is invalid' unless b['email'].to_s =~ /\A[^@\s]+@[^@\s]+\.[^@\s]+\z/
    pw = b['password'].to_s
    errs << 'Password must be at least 8 characters and contain upper, lower, digit and special characters' unless
      pw.length >= 8 && pw =~ /[a-z]/ && pw =~ /[A-Z]/ && pw =~ /\d/ && pw =~ /[^A-Za-z0-9]/
    halt 400, { error: errs.join(', ') }.to_json unless errs.empty?
    halt 400, { error: 'Username or email already exists' }.to_json if find('username', b['username']) || find('email', b['email'])
    vt = SecureRandom.hex(16)
    db('INSERT INTO users(username,email,password_digest,verify_token) VALUES(?,?,?,?)',
       [b['username'], b['email'], BCrypt::Password.create(pw, cost: 6).to_s, vt])
    u = find('username', b['username'])
    headers 'X-Test-Verify-Token' => vt     # stands for the mail
    status 201
    if SHAPE == 'real'
      { message: 'Registration successful. Please check your email to verify your account.', user_id: u['id'] }.to_json
    else
      { message: 'User registered successfully. Please check your email for verification.', user: pub(u) }.to_json
    end
  end
  post '/login' do
    rate_limit
    b = body_json
    u = find('username', b['username'].to_s) || find('email', (b['username'] || b['email']).to_s)
    halt 401, { error: 'Invalid credentials' }.to_json unless u
    if u['locked_until'] && u['locked_until'] > Time.now.to_i
      headers 'Retry-After' => (u['locked_until'] - Time.now.to_i).to_s
      halt 423, { error: 'Account locked due to too many failed attempts' }.to_json
    end
    unless BCrypt::Password.new(u['password_digest']) == b['password'].to_s
      n = u['failed'] + 1
      db('UPDATE users SET failed=?, locked_until=? WHERE id=?', [n, n >= MAX_FAILS ? Time.now.to_i + LOCK_SECONDS : nil, u['id']])
      halt 401, { error: 'Invalid credentials' }.to_json
    end
    halt 401, { error: 'Email not verified' }.to_json if ENV['REQUIRE_VERIFIED'] == '1' && u['email_verified'] != 1
    db('UPDATE users SET failed=0, locked_until=NULL WHERE id=?', [u['id']])
    t = token_for(u)
    SHAPE == 'real' ? { token: t, user_id: u['id'] }.to_json : { message: 'Login successful', token: t, user: pub(u) }.to_json
  end
  get('/profile') { pub(current).to_json }
  post '/forgot_password' do
    b = body_json
    if (u = find('email', b['email'].to_s))
      rt = SecureRandom.hex(16)
      db('UPDATE users SET reset_token=? WHERE id=?', [rt, u['id']])
      headers 'X-Test-Reset-Token' => rt
    end
    { message: 'If that email exists, a password reset link has been sent.' }.to_json
  end
  post '/verify_email' do
    b = body_json
    u = find('verify_token', b['token'].to_s)
    halt 400, { error: 'Invalid or expired verification token' }.to_json unless u
    db('UPDATE users SET email_verified=1, verify_token=NULL WHERE id=?', [u['id']])
    { message: 'Email verified successfully' }.to_json
  end
  # for tests
  post('/_test/admin/:name') { db('UPDATE users SET is_admin=1 WHERE username=?', [params[:name]]); { ok: true }.to_json }
end
if __FILE__ == $0
  require 'rack/handler/puma'
  Rack::Handler::Puma.run(AuthServer, Host: ENV.fetch('BIND', '127.0.0.1'), Port: ENV.fetch('PORT', '27010').to_i, Threads: '2:4', Silent: true)
end
