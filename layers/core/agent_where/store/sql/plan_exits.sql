-- The take-profit and stop-loss legs of a position just opened. They wait for their trigger.
INSERT INTO venue_orders (id, signal_id, deployment_id, position_id, purpose, leg, attempt, venue, account, mode,
                          token_symbol, market_name, side, reduce_only, leverage, trigger_price)
SELECT x.id, o.signal_id, o.deployment_id, o.position_id, x.purpose, x.purpose, 1, o.venue, o.account, o.mode,
       o.token_symbol, o.market_name, CASE o.side WHEN 'LONG' THEN 'SHORT' ELSE 'LONG' END, true, o.leverage, x.trigger_price
FROM venue_orders o, jsonb_to_recordset(CAST(:exits AS jsonb)) AS x (id uuid, purpose text, trigger_price numeric)
WHERE o.id = CAST(:id AS uuid) AND o.status = 'FILLED' AND o.purpose = 'ENTRY'
ON CONFLICT DO NOTHING
RETURNING id;
