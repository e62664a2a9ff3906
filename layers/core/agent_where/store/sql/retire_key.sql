-- Take a key from its account, so that it gets another: an address is approved once and never again. Not while a
-- worker has the account, or an order that was signed has no end yet, but for bounds that rest; and a key of the environment would only come back.
UPDATE venue_accounts v
SET signer_address = NULL, key_ref = NULL, approved_until = NULL, approval_checked_at = NULL, approval_lost_at = NULL,
    key_asked_at = NULL, key_attempts = 0, last_nonce = -1, low_on_gas = false
FROM (SELECT account, venue, key_ref FROM venue_accounts
      WHERE account = :account AND venue = CAST(:venue AS venue_t) FOR UPDATE) old
WHERE v.account = old.account AND v.venue = old.venue
  AND v.signer_address = :signer_address AND v.key_ref LIKE 'kms:%'
  AND (v.lease_until IS NULL OR v.lease_until < clock_timestamp())
  AND NOT EXISTS (
      SELECT FROM venue_orders o
      WHERE o.account = v.account AND o.venue = v.venue AND o.mode = 'LIVE'
        AND (o.status = 'SENT' OR (o.status = 'ACCEPTED' AND o.purpose NOT IN ('TAKE_PROFIT', 'STOP_LOSS'))))
RETURNING old.key_ref;
