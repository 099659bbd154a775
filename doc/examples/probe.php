<?php
// SPDX-License-Identifier: Apache-2.0
// Tells as JSON what an application gets to know about who asks, for
// "authctl check --live": put it where a page needs a login (--live) and where none
// is needed (--public), and take it away again afterwards. It shows nothing but what
// concerns the client, and no token. As a proxied application of its own:
// php -S 127.0.0.1:8080 probe.php
function shown(array $all, string $pattern): array
{
    $found = [];
    foreach ($all as $name => $value) {
        $name = (string) $name;
        if (is_string($value) && preg_match($pattern, $name)) {
            $secret = preg_match('/cookie|authorization|token|key|secret|pass|_pw/i', $name);
            $found[$name] = $secret ? '…' : $value;
        }
    }
    return $found;
}

header('Content-Type: application/json');
header('Cache-Control: no-store');
$probe = ['fcgi-auth-probe' => 1,
          'environment' => (object) shown($_SERVER, '/^(REDIRECT_)*(HTTP_|AUTH_|REMOTE_(USER|IDENT))/')];
if (function_exists('getallheaders')) {
    $probe['headers'] = (object) shown(getallheaders(), '/./');
}
echo json_encode($probe, JSON_INVALID_UTF8_SUBSTITUTE), "\n";
