-- Gives the lease back, if it is still ours.
UPDATE venue_accounts SET lease_token = NULL, lease_until = NULL
WHERE account = :account AND venue = CAST(:venue AS venue_t) AND lease_token = CAST(:token AS uuid)
RETURNING account;
