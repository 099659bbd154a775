#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The user's record, read by an application (CGI): see USER RECORDS in fcgi-auth(7).
# Needs DBD::SQLite (Debian: libdbd-sqlite3-perl).
use strict;
use warnings;
use DBI;
use DBD::SQLite::Constants 'SQLITE_OPEN_READONLY';
use JSON::PP 'decode_json';
use POSIX 'strftime';

my $file = '/var/lib/fcgi-auth-records/user-records.db';

# The number for foreign keys in tables of your own.
my $number = $ENV{AUTH_LOCAL_USER_ID};
if (!defined $number) {
    print "Status: 403\nContent-Type: text/plain\n\nNobody is logged in here.\n";
    exit;
}
my $records = DBI->connect("dbi:SQLite:dbname=$file", '', '',
    {RaiseError => 1, sqlite_open_flags => SQLITE_OPEN_READONLY});
my ($user, $first_seen, $attributes) = $records->selectrow_array(
    'SELECT user_id, first_seen, attributes FROM users WHERE local_user_id = ?', undef, $number);
my $name = decode_json($attributes)->{name} // $user;
my $since = strftime('%Y-%m-%d', gmtime $first_seen);
binmode STDOUT, ':encoding(UTF-8)';
print "Content-Type: text/plain; charset=utf-8\n\n";
print "Hello $name! You are user number $number, here since $since.\n";
