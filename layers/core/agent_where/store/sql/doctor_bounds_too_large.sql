-- Bounds that have rested at a venue for five minutes for more than their position has open, or for one that is closed.
SELECT o.id::text AS id, o.sent_at AS since, count(*) OVER () AS total,
       concat_ws(' ', o.purpose, 'for', o.size, 'of position', p.id, 'which has', p.open_qty, 'open') AS detail
FROM venue_orders o JOIN positions p ON p.id = o.position_id
WHERE o.status = 'ACCEPTED' AND o.purpose IN ('TAKE_PROFIT', 'STOP_LOSS') AND o.size > p.open_qty AND o.sent_at < now() - interval '5 minutes'
ORDER BY o.sent_at LIMIT :at_most;
