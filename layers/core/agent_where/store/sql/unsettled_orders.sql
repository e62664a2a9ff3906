-- Orders that were sent a while ago and have not ended: the oldest first, then those that rest at the venue for
-- their price, any of them.
SELECT id, status = 'ACCEPTED' AND purpose IN ('TAKE_PROFIT', 'STOP_LOSS') AS resting
FROM venue_orders
WHERE status IN ('SENT', 'ACCEPTED') AND sent_at < now() - make_interval(secs => :older_than_seconds)
ORDER BY 2, CASE WHEN status = 'ACCEPTED' AND purpose IN ('TAKE_PROFIT', 'STOP_LOSS') THEN random() END, sent_at
LIMIT :at_most;
