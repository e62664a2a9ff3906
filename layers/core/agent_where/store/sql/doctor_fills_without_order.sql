-- Fills whose order is not there, or was never sent, or has another venue.
SELECT f.venue_fill_id AS id, f.at AS since, count(*) OVER () AS total,
       concat('order ', f.order_id, ': ', coalesce(o.status || ' at ' || o.venue, 'is not there')) AS detail
FROM venue_fills f
LEFT JOIN venue_orders o ON o.id = f.order_id
WHERE o.id IS NULL OR o.sent_at IS NULL OR o.venue <> f.venue
ORDER BY f.at LIMIT :at_most;
