-- Orders that were sent a while ago and have not ended: those of the last minutes, the oldest of them first, then any of
-- the older, which nothing may ever end, then any that rest at the venue for the price of a position that is open.
SELECT o.id, r.resting
FROM venue_orders o
LEFT JOIN positions p ON p.id = o.position_id
CROSS JOIN LATERAL (
    SELECT o.status = 'ACCEPTED' AND o.purpose IN ('TAKE_PROFIT', 'STOP_LOSS') AND p.status::text = 'OPEN'
           AND NOT EXISTS (SELECT FROM venue_actions c WHERE c.order_id = o.id AND c.kind = 'CANCEL' AND c.outcome = 'OK') AS resting,
           o.sent_at < now() - interval '15 minutes' AS old
) r
WHERE o.status IN ('SENT', 'ACCEPTED') AND o.sent_at < now() - make_interval(secs => :older_than_seconds)
ORDER BY r.resting, r.old, CASE WHEN r.resting OR r.old THEN random() END, o.sent_at
LIMIT :at_most;
