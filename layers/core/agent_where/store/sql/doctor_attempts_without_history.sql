-- MULTI entries without the row of history that says why they went where they went.
SELECT o.id::text AS id, o.created_at AS since, count(*) OVER () AS total,
       concat('attempt ', o.attempt, ' at ', o.venue, ' of signal ', o.signal_id, ' for deployment ', o.deployment_id) AS detail
FROM venue_orders o
JOIN signals s ON s.id = o.signal_id AND s.requested_venue::text = 'MULTI'
WHERE o.purpose = 'ENTRY' AND NOT EXISTS (
    SELECT FROM venue_routing_history h
    WHERE h.signal_id = o.signal_id AND h.attempt = o.attempt
      AND (h.deployment_id = o.deployment_id OR (o.attempt = 1 AND h.deployment_id IS NULL)))
ORDER BY o.created_at LIMIT :at_most;
