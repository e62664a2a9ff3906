-- What a comparison came to, and the lease back, if it is still ours. `as_of`: when they agreed in everything;
-- null: not this time. `cursor`: up to where exits by others are booked; null: as before.
UPDATE venue_accounts
SET compared_at = now(), agreed_at = coalesce(CAST(:as_of AS timestamptz), agreed_at),
    unexplained = CAST(:unexplained AS text[]), exits_cursor = coalesce(CAST(:cursor AS bigint), exits_cursor), lease_token = NULL, lease_until = NULL
WHERE account = :account AND venue = CAST(:venue AS venue_t) AND lease_token = CAST(:token AS uuid)
RETURNING account;
