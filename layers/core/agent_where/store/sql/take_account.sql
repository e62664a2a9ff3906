-- The lease of an account, where nobody holds it.
UPDATE venue_accounts
SET lease_token = CAST(:token AS uuid), lease_until = clock_timestamp() + make_interval(secs => :seconds)
WHERE account = :account AND venue = CAST(:venue AS venue_t)
  AND (lease_until IS NULL OR lease_until < clock_timestamp())
RETURNING account;
