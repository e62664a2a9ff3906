-- What an ended exit left open is tried again: the same leg after a refusal, the next leg after a
-- partial fill. A bound that cannot be kept becomes a plain close.
INSERT INTO venue_orders (id, signal_id, deployment_id, position_id, purpose, leg, attempt, venue, account, mode,
                          token_symbol, market_name, side, reduce_only, leverage, trigger_price, due_at)
SELECT CAST(:next_id AS uuid), o.signal_id, o.deployment_id, o.position_id, :purpose, :leg, :attempt, o.venue, o.account, o.mode,
       o.token_symbol, o.market_name, o.side, true, o.leverage,
       CASE WHEN :purpose <> 'CLOSE' THEN o.trigger_price END, now() + make_interval(secs => :seconds)
FROM venue_orders o
JOIN positions p ON p.id = o.position_id AND p.status = 'OPEN' AND p.open_qty > 0
WHERE o.id = CAST(:id AS uuid) AND o.purpose <> 'ENTRY' AND o.status IN ('FILLED', 'REJECTED', 'EXPIRED')
ON CONFLICT DO NOTHING
RETURNING id, account, venue, due_at <= now() AS due;
