-- What is sent beside the order itself, stored before it is sent. Only under the lease, with time left to send.
INSERT INTO venue_actions (order_id, kind, signer_address, nonce, payload, expires_at, send_count)
SELECT o.id, :kind, :signer_address, CAST(:nonce AS bigint), :payload, CAST(:expires_at AS timestamptz), 1
FROM venue_orders o
JOIN venue_accounts v ON v.account = o.account AND v.venue = o.venue
WHERE o.id = CAST(:id AS uuid) AND o.settled_at IS NULL
  AND v.lease_token = CAST(:token AS uuid) AND v.lease_until > clock_timestamp() + interval '15 seconds'
RETURNING id;
