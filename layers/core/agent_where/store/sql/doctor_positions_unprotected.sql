-- Live positions whose stop-loss has not rested at the venue for five minutes, while one, or a close, is on its way; where
-- nothing is, they are stops_missing. One that is placed anew counts from the end of the one that rested.
SELECT p.id::text AS id, greatest(p.opened_at, r.until) AS since, count(*) OVER () AS total,
       concat_ws(' ', p.side, p.open_qty, p.token_symbol, 'at', p.venue, 'stop-loss', p.stop_loss, '- on its way:', w.orders) AS detail
FROM positions p
CROSS JOIN LATERAL (SELECT max(coalesce(o.settled_at, c.created_at)) AS until
                    FROM venue_orders o
                    LEFT JOIN venue_actions c ON c.order_id = o.id AND c.kind = 'CANCEL' AND c.outcome = 'OK'
                    WHERE o.position_id = p.id AND o.purpose = 'STOP_LOSS' AND o.venue_ref IS NOT NULL) r
CROSS JOIN LATERAL (SELECT string_agg(o.purpose || ' ' || o.status, ', ' ORDER BY o.created_at) AS orders
                    FROM venue_orders o
                    WHERE o.position_id = p.id AND o.purpose IN ('STOP_LOSS', 'CLOSE') AND o.status IN ('PLANNED', 'SENT', 'ACCEPTED')) w
WHERE p.mode = 'LIVE' AND p.status = 'OPEN' AND p.stop_loss IS NOT NULL AND NOT p.carries_bounds
  AND greatest(p.opened_at, r.until) < now() - interval '5 minutes' AND w.orders IS NOT NULL
  AND NOT EXISTS (SELECT FROM venue_orders o
                  WHERE o.position_id = p.id AND o.purpose = 'STOP_LOSS' AND o.status = 'ACCEPTED'
                    AND NOT EXISTS (SELECT FROM venue_actions c WHERE c.order_id = o.id AND c.kind = 'CANCEL' AND c.outcome = 'OK'))
ORDER BY since LIMIT :at_most;
