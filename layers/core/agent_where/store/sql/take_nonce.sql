-- The next nonce of an account's signer, at least the time in ms: no two are alike, whoever asks at once. Only
-- under the lease.
UPDATE venue_accounts
SET last_nonce = greatest(last_nonce + 1, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
WHERE account = :account AND venue = CAST(:venue AS venue_t)
  AND lease_token = CAST(:token AS uuid) AND lease_until > clock_timestamp()
RETURNING last_nonce AS nonce, clock_timestamp() AS now;
