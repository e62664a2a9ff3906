-- The lease of the order's account, where there is something to do and nobody holds it.
UPDATE venue_accounts a
SET lease_token = CAST(:token AS uuid), lease_until = clock_timestamp() + make_interval(secs => :seconds)
FROM venue_orders o
WHERE o.id = CAST(:id AS uuid) AND a.account = o.account AND a.venue = o.venue
  AND (o.status IN ('SENT', 'ACCEPTED') OR (o.status = 'PLANNED' AND o.due_at <= now()))
  AND (a.lease_until IS NULL OR a.lease_until < clock_timestamp())
RETURNING a.account;
