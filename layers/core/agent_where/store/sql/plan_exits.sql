-- The take-profit and stop-loss legs of a position just opened. On paper they wait for their trigger; live they
-- are sent at once, to rest at the venue.
INSERT INTO venue_orders (id, signal_id, deployment_id, position_id, purpose, leg, attempt, venue, account, mode,
                          token_symbol, market_name, side, reduce_only, leverage, trigger_price, due_at, enqueued_at)
SELECT x.id, o.signal_id, o.deployment_id, o.position_id, x.purpose, x.purpose, 1, o.venue, o.account, o.mode,
       o.token_symbol, o.market_name, CASE o.side WHEN 'LONG' THEN 'SHORT' ELSE 'LONG' END, true, o.leverage, x.trigger_price,
       CASE o.mode WHEN 'LIVE' THEN now() END, CASE o.mode WHEN 'LIVE' THEN now() END
FROM venue_orders o, jsonb_to_recordset(CAST(:exits AS jsonb)) AS x (id uuid, purpose text, trigger_price numeric)
WHERE o.id = CAST(:id AS uuid) AND o.status = 'FILLED' AND o.purpose = 'ENTRY'
ON CONFLICT DO NOTHING
RETURNING id, account, venue, due_at IS NOT NULL AS due;
