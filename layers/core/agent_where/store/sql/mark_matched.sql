-- All executions of the account are known here, as far as the restores that were told by then ask for it.
UPDATE venue_accounts SET matched_at = greatest(matched_at, CAST(:told_at AS timestamptz))
WHERE account = :account AND venue = CAST(:venue AS venue_t)
RETURNING account;
