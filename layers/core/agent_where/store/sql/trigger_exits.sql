-- Paper take-profits and stop-losses whose price was reached become due. A SHORT order closes a LONG
-- position: its take-profit waits for a higher price, its stop-loss for a lower one.
UPDATE venue_orders o
SET due_at = now(), enqueued_at = now(), detail = 'triggered at ' || m.current_price
FROM venue_markets m
WHERE o.status = 'PLANNED' AND o.due_at IS NULL AND o.trigger_price IS NOT NULL AND o.mode = 'PAPER'
  AND m.venue = o.venue AND m.token_symbol = o.token_symbol AND m.is_active AND m.is_open
  AND CASE WHEN (o.side = 'SHORT') = (o.purpose = 'TAKE_PROFIT')
           THEN m.current_price >= o.trigger_price ELSE m.current_price <= o.trigger_price END
RETURNING o.id, o.account, o.venue, true AS due;
