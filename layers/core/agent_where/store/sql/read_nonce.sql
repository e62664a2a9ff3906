-- The last nonce that an account's signer was given of its sequence, the transaction that has it, and database time.
-- Only under the lease.
SELECT v.last_nonce AS nonce, clock_timestamp() AS now,
       (SELECT a.tx_hash FROM venue_actions a
        WHERE a.signer_address = v.signer_address AND a.nonce = v.last_nonce AND a.kind NOT IN ('NOOP', 'REPLACE')) AS tx_hash
FROM venue_accounts v
WHERE v.account = :account AND v.venue = CAST(:venue AS venue_t)
  AND v.lease_token = CAST(:token AS uuid) AND v.lease_until > clock_timestamp();
