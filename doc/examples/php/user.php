<?php
// SPDX-License-Identifier: Apache-2.0
// The user's record, read by an application: see USER RECORDS in fcgi-auth(7).
// AUTH_LOCAL_USER_ID is the number for foreign keys in tables of your own.
const RECORDS = '/var/lib/fcgi-auth-records/user-records.db';

header('Content-Type: text/plain; charset=utf-8');
$number = $_SERVER['AUTH_LOCAL_USER_ID'] ?? null;
if ($number === null) {
    http_response_code(403);
    exit("Nobody is logged in here.\n");
}
$records = new PDO('sqlite:' . RECORDS, null, null,
                   [PDO::SQLITE_ATTR_OPEN_FLAGS => PDO::SQLITE_OPEN_READONLY]);
$query = $records->prepare('SELECT user_id, first_seen, attributes FROM users WHERE local_user_id = ?');
$query->execute([(int) $number]);
[$user, $first_seen, $attributes] = $query->fetch(PDO::FETCH_NUM);
$name = json_decode($attributes, true)['name'] ?? $user;
echo "Hello $name! You are user number $number, here since ", gmdate('Y-m-d', $first_seen), ".\n";

// Without the number, where an application knows issuer and user id from elsewhere:
//     SELECT local_user_id FROM users WHERE user_id = ? AND issuer = ?
