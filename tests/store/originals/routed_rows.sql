-- Rows of the feature branch: four global configs that its setup script left behind, one of an agent, a signal that was
-- routed twice and one that was routed once.
INSERT INTO agents (id, creator_wallet, name, venue, status, weights, profit_receiver_address, updated_at) VALUES
    ('a0000000-0000-4000-8000-000000000004', '0xCccccccccccccccccccccccccccccccccccccccc', 'Adaptive Trader', 'MULTI', 'ACTIVE', '{1,1,1}', '0x0000000000000000000000000000000000000001', '2025-11-13T00:00:00Z');
INSERT INTO agent_deployments (id, agent_id, user_wallet, safe_wallet) VALUES
    ('d0000000-0000-4000-8000-000000000004', 'a0000000-0000-4000-8000-000000000004', '0xAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '0x0000000000000000000000000000000000000003');
INSERT INTO signals (id, agent_id, token_symbol, venue, side, size_model, risk_model, created_at) VALUES
    ('50000000-0000-4000-8000-000000000004', 'a0000000-0000-4000-8000-000000000004', 'BTC', 'HYPERLIQUID', 'LONG', '{}', '{}', '2025-11-13T12:00:00Z'),
    ('50000000-0000-4000-8000-000000000005', 'a0000000-0000-4000-8000-000000000004', 'XAU', 'MULTI', 'SHORT', '{}', '{}', '2025-11-13T13:00:00Z');
INSERT INTO venue_routing_config (id, agent_id, venue_priority, routing_strategy, failover_enabled, created_at, updated_at) VALUES
    ('f0000000-0000-4000-8000-000000000001', NULL, '{HYPERLIQUID,OSTIUM}', 'FIRST_AVAILABLE', true, '2025-11-13T00:00:00Z', '2025-11-13T00:00:00Z'),
    ('f0000000-0000-4000-8000-000000000002', NULL, '{OSTIUM,HYPERLIQUID}', 'FIRST_AVAILABLE', false, '2025-11-13T00:00:00Z', '2025-11-15T08:00:00.000001Z'),
    ('f0000000-0000-4000-8000-000000000003', NULL, '{HYPERLIQUID}', 'FIRST_AVAILABLE', true, '2025-11-14T00:00:00Z', '2025-11-14T00:00:00Z'),
    ('f0000000-0000-4000-8000-000000000004', NULL, NULL, 'FIRST_AVAILABLE', true, '2025-11-14T06:00:00Z', '2025-11-14T06:00:00Z'),
    ('f0000000-0000-4000-8000-000000000005', 'a0000000-0000-4000-8000-000000000004', '{OSTIUM,HYPERLIQUID}', 'FIRST_AVAILABLE', true, '2025-11-14T00:00:00Z', '2025-11-14T00:00:00Z');
INSERT INTO venue_routing_history (id, signal_id, token_symbol, requested_venue, selected_venue, routing_reason, checked_venues, venue_availability, routing_duration_ms, created_at) VALUES
    ('90000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000004', 'BTC', 'MULTI', 'HYPERLIQUID', 'HYPERLIQUID: Market BTC available (Index: 0)', '{HYPERLIQUID}', '{"HYPERLIQUID": true}', 45, '2025-11-13T12:00:01Z'),
    ('90000000-0000-4000-8000-000000000002', '50000000-0000-4000-8000-000000000004', 'BTC', 'MULTI', 'HYPERLIQUID', 'HYPERLIQUID: Market BTC available (Index: 0)', '{HYPERLIQUID}', '{"HYPERLIQUID": true}', 41, '2025-11-13T12:00:09Z'),
    ('90000000-0000-4000-8000-000000000003', '50000000-0000-4000-8000-000000000005', 'XAU', 'MULTI', 'OSTIUM', 'OSTIUM: Market XAU/USD available (Index: 5)', '{HYPERLIQUID,OSTIUM}', '{"HYPERLIQUID": false, "OSTIUM": true}', 60, '2025-11-13T13:00:01Z');
