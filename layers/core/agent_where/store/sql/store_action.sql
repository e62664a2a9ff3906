-- What is sent beside the order itself, stored before it is sent. Only under the lease, with time left to send; a nonce of
-- a sequence is given with it, if nobody has been given it yet.
WITH turn AS (
    SELECT o.id, v.account, v.venue
    FROM venue_orders o
    JOIN venue_accounts v ON v.account = o.account AND v.venue = o.venue
    WHERE o.id = CAST(:id AS uuid) AND o.settled_at IS NULL
      AND v.lease_token = CAST(:token AS uuid) AND v.lease_until > clock_timestamp() + interval '15 seconds'
      AND (NOT :is_counted OR v.last_nonce < CAST(:nonce AS bigint))
    FOR NO KEY UPDATE OF v
), advanced AS (
    UPDATE venue_accounts v SET last_nonce = CAST(:nonce AS bigint)
    FROM turn t
    WHERE :is_counted AND v.account = t.account AND v.venue = t.venue
)
INSERT INTO venue_actions (order_id, kind, signer_address, nonce, payload, expires_at, tx_hash, send_count)
SELECT id, :kind, :signer_address, CAST(:nonce AS bigint), :payload, CAST(:expires_at AS timestamptz), :tx_hash, 1 FROM turn
RETURNING id;
