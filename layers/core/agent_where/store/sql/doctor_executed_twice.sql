-- Signals that were executed more than once for one deployment: what must never be.
SELECT o.signal_id::text AS id, min(o.sent_at) AS since, count(*) OVER () AS total,
       concat('deployment ', o.deployment_id, ', orders ', string_agg(o.id::text, ' ' ORDER BY o.attempt)) AS detail
FROM venue_orders o
WHERE o.purpose = 'ENTRY' AND EXISTS (SELECT FROM venue_fills f WHERE f.order_id = o.id)
GROUP BY o.signal_id, o.deployment_id
HAVING count(*) > 1
ORDER BY min(o.sent_at) LIMIT :at_most;
