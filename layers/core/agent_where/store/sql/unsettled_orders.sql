-- Orders that were sent a while ago and have not ended, oldest first.
SELECT id FROM venue_orders
WHERE status IN ('SENT', 'ACCEPTED') AND sent_at < now() - make_interval(secs => :older_than_seconds)
ORDER BY sent_at
LIMIT :at_most;
