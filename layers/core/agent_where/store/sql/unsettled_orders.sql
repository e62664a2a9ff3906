-- Orders that were sent a while ago and have not ended: the oldest first, then those that rest at the venue for
-- the price of a position that is open, any of them.
SELECT o.id, r.resting
FROM venue_orders o
LEFT JOIN positions p ON p.id = o.position_id
CROSS JOIN LATERAL (
    SELECT o.status = 'ACCEPTED' AND o.purpose IN ('TAKE_PROFIT', 'STOP_LOSS') AND p.status::text = 'OPEN' AS resting
) r
WHERE o.status IN ('SENT', 'ACCEPTED') AND o.sent_at < now() - make_interval(secs => :older_than_seconds)
ORDER BY r.resting, CASE WHEN r.resting THEN random() END, o.sent_at
LIMIT :at_most;
