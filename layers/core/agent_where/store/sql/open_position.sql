-- The position that a filled entry opens, under the venue's name for it where each stands for itself.
INSERT INTO positions (id, deployment_id, signal_id, venue, token_symbol, side, qty, entry_price, stop_loss, take_profit,
                       status, opened_at, mode, account, leverage, open_qty, fees_usd, venue_ref, carries_bounds)
SELECT o.position_id, o.deployment_id, o.signal_id, o.venue, o.token_symbol, o.side, o.filled_size, o.average_price,
       CAST(:stop_loss AS numeric), CAST(:take_profit AS numeric), 'OPEN', o.settled_at, o.mode, o.account, o.leverage,
       o.filled_size, o.fee + costs_of(o.position_id), coalesce(:position_ref, o.venue_ref), :carries_bounds
FROM venue_orders o
WHERE o.id = CAST(:id AS uuid) AND o.status = 'FILLED' AND o.purpose = 'ENTRY'
ON CONFLICT (deployment_id, signal_id) DO NOTHING
RETURNING id;
