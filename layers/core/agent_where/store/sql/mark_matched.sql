-- All executions of the account are known here.
UPDATE venue_accounts SET matched_at = clock_timestamp()
WHERE account = :account AND venue = CAST(:venue AS venue_t)
RETURNING account;
