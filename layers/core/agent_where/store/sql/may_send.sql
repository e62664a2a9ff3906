-- Bytes of an unended order that have not expired, under the lease, with time left to send.
SELECT a.id
FROM venue_actions a
JOIN venue_orders o ON o.id = a.order_id
JOIN venue_accounts v ON v.account = o.account AND v.venue = o.venue
WHERE o.id = CAST(:id AS uuid) AND o.settled_at IS NULL AND a.kind = :kind AND a.nonce IS NOT DISTINCT FROM CAST(:nonce AS bigint)
  AND (a.expires_at IS NULL OR a.expires_at > clock_timestamp())
  AND v.lease_token = CAST(:token AS uuid) AND v.lease_until > clock_timestamp() + interval '15 seconds';
