-- The decision of an OPEN: taken once, with its history, the signal's venue and its PLANNED orders.
-- No row when the signal was decided before.
WITH taken AS (
    UPDATE signals
    SET decided_at = now(), received_at = coalesce(received_at, created_at), requested_venue = coalesce(requested_venue, venue),
        venue = coalesce(CAST(:selected_venue AS venue_t), venue), skipped_reason = :skipped_reason
    WHERE id = CAST(:id AS uuid) AND decided_at IS NULL
    RETURNING id, agent_id, token_symbol, requested_venue
), told AS (
    INSERT INTO venue_routing_history (signal_id, agent_id, token_symbol, requested_venue, selected_venue, routing_reason,
        checked_venues, venue_availability, routing_duration_ms, routing_duration_us, attempt, deployment_id,
        strategy, config_id, failover_enabled, skipped_reason, candidates)
    SELECT t.id, t.agent_id, t.token_symbol, t.requested_venue, h.selected_venue, h.routing_reason,
           h.checked_venues, h.venue_availability, h.routing_duration_us / 1000, h.routing_duration_us, 1, h.deployment_id,
           h.strategy, h.config_id, h.failover_enabled, h.skipped_reason, h.candidates
    FROM taken t, jsonb_to_recordset(CAST(:history AS jsonb)) AS h (
        selected_venue venue_t, routing_reason text, checked_venues text[], venue_availability jsonb, routing_duration_us int,
        deployment_id uuid, strategy text, config_id uuid, failover_enabled boolean, skipped_reason text, candidates jsonb)
), planned AS (
    SELECT t.id AS signal_id, t.token_symbol, o.*
    FROM taken t, jsonb_to_recordset(CAST(:orders AS jsonb)) AS o (
        id uuid, deployment_id uuid, position_id uuid, leg text, venue venue_t, account text, mode text,
        market_name text, side text, leverage numeric)
), accounts AS (
    INSERT INTO venue_accounts (account, venue)
    SELECT DISTINCT account, venue FROM planned
    ORDER BY account, venue                                    -- one order for all: no deadlock
    ON CONFLICT DO NOTHING
), orders AS (
    INSERT INTO venue_orders (id, signal_id, deployment_id, position_id, purpose, leg, attempt, venue, account, mode,
                              token_symbol, market_name, side, reduce_only, leverage, due_at, enqueued_at)
    SELECT id, signal_id, deployment_id, position_id, 'ENTRY', leg, 1, venue, account, mode,
           token_symbol, market_name, side, false, leverage, now(), now()
    FROM planned p
    WHERE NOT EXISTS (SELECT FROM unowned_fills u WHERE u.position_id = p.id)   -- a restore forgot it, and a person adopted it
)
SELECT id FROM taken;
