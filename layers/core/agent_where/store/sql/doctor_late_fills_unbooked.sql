-- Entries that ended as nothing executed, have fills all the same, and opened no position.
SELECT o.id::text AS id, o.settled_at AS since, count(*) OVER () AS total, concat_ws(' ', o.status, o.venue, o.market_name, o.account) AS detail
FROM venue_orders o
WHERE o.purpose = 'ENTRY' AND o.status IN ('REJECTED', 'EXPIRED') AND EXISTS (SELECT FROM venue_fills f WHERE f.order_id = o.id)
  AND NOT EXISTS (SELECT FROM positions p WHERE p.id = o.id)
ORDER BY o.settled_at LIMIT :at_most;
