-- What the original's code writes in the life of a signal, in its order; it makes the ids itself.
INSERT INTO agents (id, creator_wallet, name, venue, status, weights, profit_receiver_address, updated_at)
    VALUES (:agent, '0xc', 'Adaptive', CAST('MULTI' AS venue_t), CAST('ACTIVE' AS agent_status_t), '{1,1,1}', '0xp', now());

INSERT INTO agent_deployments (id, agent_id, user_wallet, safe_wallet, status, sub_active)
    VALUES (:deployment, :agent, '0xa', '0xs', CAST('ACTIVE' AS deployment_status_t), true);

INSERT INTO signals (id, agent_id, token_symbol, venue, side, size_model, risk_model, created_at)
    VALUES (:signal, :agent, 'BTC', CAST('MULTI' AS venue_t), 'LONG', '{"value": 5}', '{}', now());

INSERT INTO venue_routing_history (id, signal_id, token_symbol, requested_venue, selected_venue, routing_reason,
     checked_venues, venue_availability, routing_duration_ms)
    VALUES (gen_random_uuid(), :signal, 'BTC', 'MULTI', 'HYPERLIQUID', 'HYPERLIQUID: Market BTC available',
     '{HYPERLIQUID}', '{"HYPERLIQUID": true}', 40);

INSERT INTO venue_routing_history (id, signal_id, token_symbol, requested_venue, selected_venue, routing_reason,
     checked_venues, venue_availability, routing_duration_ms)
    VALUES (gen_random_uuid(), :signal, 'BTC', 'MULTI', 'OSTIUM', 'OSTIUM: Market BTC/USD available',
     '{HYPERLIQUID,OSTIUM}', '{"HYPERLIQUID": false, "OSTIUM": true}', 52);

UPDATE signals SET venue = CAST('OSTIUM' AS venue_t) WHERE id = :signal;

INSERT INTO positions (id, deployment_id, signal_id, venue, token_symbol, side, qty, entry_price)
    VALUES (:position, :deployment, :signal, CAST('OSTIUM' AS venue_t), 'BTC', 'LONG', 0.5, 101000.25);

UPDATE positions SET stop_loss = 95000, qty = 0.4 WHERE id = :position;

UPDATE positions SET status = 'CLOSED', closed_at = now(), exit_price = 102000, exit_reason = 'SIGNAL', pnl = 400
    WHERE id = :position;

UPDATE positions SET status = 'OPEN', closed_at = NULL WHERE id = :position;

UPDATE signals SET skipped_reason = 'Later', side = 'SHORT' WHERE id = :signal;

INSERT INTO venue_markets (id, venue, token_symbol, market_name, market_index, is_active, last_synced)
    VALUES (gen_random_uuid(), 'HYPERLIQUID', 'PURR', 'PURR', 152, true, now())
    ON CONFLICT (venue, token_symbol) DO UPDATE SET is_active = excluded.is_active, last_synced = excluded.last_synced;

UPDATE venue_routing_config SET venue_priority = '{OSTIUM}', updated_at = now() WHERE agent_id IS NULL;

INSERT INTO venue_routing_config (id, agent_id, venue_priority, routing_strategy, failover_enabled, created_at, updated_at)
    VALUES (gen_random_uuid(), :agent, '{OSTIUM,HYPERLIQUID}', 'FIRST_AVAILABLE', true, now(), now());

UPDATE agents SET status = CAST('PAUSED' AS agent_status_t), updated_at = now() WHERE id = :agent;

UPDATE agent_deployments SET status = CAST('CANCELLED' AS deployment_status_t), sub_active = false
    WHERE id = :deployment;

DELETE FROM positions WHERE id = :position;

DELETE FROM venue_routing_config WHERE agent_id = :agent;
