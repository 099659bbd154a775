#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# For hosts without a module that asks an authorizer: Apache hands every request for a
# file in a protected folder to this program (gate.htaccess). It asks auth-verify and
# then shows the file, or runs it when it is a CGI program.
use strict;
use warnings;

my $home = '/ACCOUNT/fcgi-auth';
my %types = (
	css => 'text/css', csv => 'text/csv', gif => 'image/gif', htm => 'text/html', html => 'text/html',
	ico => 'image/x-icon', jpeg => 'image/jpeg', jpg => 'image/jpeg', js => 'text/javascript',
	json => 'application/json', pdf => 'application/pdf', png => 'image/png', svg => 'image/svg+xml',
	txt => 'text/plain', webp => 'image/webp', xml => 'text/xml', zip => 'application/zip',
);

# Apache's mod_cgid loses the answer of a program that ends while there is something
# it has not read: what is left of the request is read, for a while.
sub finish {
	my $rest;
	local $SIG{ALRM} = sub { exit 0 };
	alarm 5;
	for (1 .. 1024) {
		last unless sysread STDIN, $rest, 65536;
	}
	exit 0;
}

sub refuse {
	my ($status) = @_;
	print "Status: $status\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\n\r\n$status\n";
	finish();
}

# Called by Apache for a file that it has found, not by its own address: there the
# client would choose the file, and auth-verify judge another path.
my $path = $ENV{PATH_INFO} // '';
refuse('403 Forbidden') unless $path ne '' && ($ENV{REDIRECT_URL} // '') eq $path;

# The whole answer, before anything is done.
$ENV{FCGI_AUTH_CONF} = "$home/fcgi-auth.conf";
$ENV{AUTH_EFFECTIVE_PATH} = $path;
open my $verify, '-|', "$home/bin/auth-verify" or refuse('503 Service Unavailable');
binmode $verify;
binmode STDOUT;
my $answer = do { local $/; <$verify> } // '';
my $ended = close $verify;
delete $ENV{AUTH_EFFECTIVE_PATH};
my ($head) = $answer =~ /\A(.*?\r\n)\r\n/s;
refuse('503 Service Unavailable') unless $ended && defined $head;
my %said = $head =~ /^Variable-([A-Z0-9_]+): (.*?)\r$/mg;
unless ($head =~ /\AStatus: 200 OK\r\n/ && $said{AUTH_REQUEST_ID}) {
	refuse('503 Service Unavailable') if $head !~ /\AStatus: (?:204|[345]\d\d) /;
	print $answer;
	finish();
}

# Identity comes from the answer alone, and no application sees a key.
for my $name (keys %ENV) {
	delete $ENV{$name} if $name =~ /^(?:HTTP_)?(?:(?:X_)?AUTH_|(?:X_)?REMOTE_USER|X_AUTHENTICATED_|X_WEBAUTH_|VARIABLE_)/
		|| $name =~ /^HTTP_X_(?:FORWARDED_)?(?:USER(?:NAME|_ID|_NAME|_EMAIL)?|EMAIL|GROUPS|PREFERRED_USERNAME)$/
		|| $name =~ /^REDIRECT_(?:AUTH_|REMOTE_USER)/;
	delete $ENV{$name} if $said{AUTH_API_KEY_ID} && index($ENV{$name} // '', "_$said{AUTH_API_KEY_ID}_") >= 0;
}
@ENV{keys %said} = values %said;

# The next token of a session in use is for the client alone.
my ($cookie) = $head =~ /^(Set-Cookie: .*?\r\n)/m;
$| = 1;

my ($file, $rest) = ($ENV{PATH_TRANSLATED} // '', '');
while ($file =~ m{/} && !-e $file) {
	$file =~ s{(/[^/]*)\z}{};
	$rest = "$1$rest";
}
if (-d $file) {
	($file) = grep { -f } map { "$file/$_" } qw(index.html index.cgi);
}
refuse('404 Not Found') unless defined $file && -f $file && $file !~ m{/\.[^/]*\z};

if ($file =~ /\.(?:cgi|pl)\z/) {
	$ENV{SCRIPT_FILENAME} = $file;
	$ENV{SCRIPT_NAME} = substr $path, 0, length($path) - length $rest;
	$ENV{PATH_INFO} = $rest;
	delete $ENV{PATH_INFO} if $rest eq '';
	delete $ENV{PATH_TRANSLATED};
	my ($folder) = $file =~ m{\A(.*)/};
	print $cookie, "Cache-Control: private\r\n" if $cookie;
	chdir $folder and -x $file and exec { $file } $file;
	refuse('500 Internal Server Error');
}
refuse('404 Not Found') if $rest ne '' || $file =~ /\.(?:php\d?|phtml|inc|py|rb|sh)\z/;
refuse('405 Method Not Allowed') unless ($ENV{REQUEST_METHOD} // '') =~ /\A(?:GET|HEAD)\z/;
open my $content, '<:raw', $file or refuse('403 Forbidden');
my ($extension) = lc($file) =~ /\.([^.\/]+)\z/;
my $type = $types{$extension // ''} // 'application/octet-stream';
# A page that a browser keeps it shows by its back button when the reader has signed out.
my $is_part = ($ENV{HTTP_SEC_FETCH_DEST} // '') =~ /\A(?:audio|font|image|manifest|script|style|track|video)\z/;
print "Status: 200 OK\r\n", $cookie // '', "Content-Type: $type\r\nContent-Length: ", -s $content,
	"\r\nCache-Control: ", $is_part ? 'private, no-cache' : 'no-store', "\r\nX-Content-Type-Options: nosniff\r\n\r\n";
finish() if $ENV{REQUEST_METHOD} eq 'HEAD';
my $part;
print $part while read $content, $part, 65536;
finish();
