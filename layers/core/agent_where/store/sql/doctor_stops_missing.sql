-- Open positions that were promised a stop-loss and have neither one nor a close on its way. Where the venue took the
-- bounds with the entry (`carries_bounds`) it keeps them itself.
SELECT p.id::text AS id, p.opened_at AS since, count(*) OVER () AS total,
       concat_ws(' ', p.mode, p.side, p.open_qty, p.token_symbol, 'at', p.venue, 'stop-loss', p.stop_loss) AS detail
FROM positions p
WHERE p.mode IS NOT NULL AND p.status::text = 'OPEN' AND p.stop_loss IS NOT NULL AND p.opened_at < now() - interval '5 minutes'
  AND NOT p.carries_bounds
  AND NOT EXISTS (SELECT FROM venue_orders o
                  WHERE o.position_id = p.id AND o.purpose IN ('STOP_LOSS', 'CLOSE') AND o.status IN ('PLANNED', 'SENT', 'ACCEPTED'))
ORDER BY p.opened_at LIMIT :at_most;
