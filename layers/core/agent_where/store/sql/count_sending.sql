-- Stored bytes go once more: counted before they go. Only under the lease, with time left to send; an order's only in
-- time. What takes an order's nonce has no time: it does nothing else.
UPDATE venue_actions a
SET send_count = a.send_count + 1
FROM venue_orders o
JOIN venue_accounts v ON v.account = o.account AND v.venue = o.venue
WHERE o.id = CAST(:id AS uuid) AND o.settled_at IS NULL
  AND a.order_id = o.id AND a.kind = :kind AND a.payload = :payload
  AND (a.kind <> 'ORDER' OR a.expires_at IS NULL OR a.expires_at > clock_timestamp())
  AND v.lease_token = CAST(:token AS uuid) AND v.lease_until > clock_timestamp() + interval '15 seconds'
RETURNING a.send_count;
