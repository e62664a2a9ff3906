-- After an entry ended with nothing executed: the audit row that says why, and the order at the next
-- venue, if there is one and no CLOSE has come in between.
WITH ended AS (
    SELECT o.*, s.requested_venue FROM venue_orders o
    JOIN signals s ON s.id = o.signal_id
    WHERE o.id = CAST(:id AS uuid) AND o.purpose = 'ENTRY' AND o.status IN ('REJECTED', 'EXPIRED') AND NOT is_superseded(s.id)
), told AS (
    INSERT INTO venue_routing_history (signal_id, token_symbol, requested_venue, selected_venue, routing_reason,
        checked_venues, venue_availability, routing_duration_ms, routing_duration_us, attempt, deployment_id,
        strategy, config_id, failover_enabled, skipped_reason, candidates)
    SELECT e.signal_id, e.token_symbol, e.requested_venue, CAST(:selected_venue AS venue_t), :routing_reason,
           :checked_venues, CAST(:venue_availability AS jsonb), :routing_duration_us / 1000, :routing_duration_us, e.attempt + 1, e.deployment_id,
           :strategy, CAST(:config_id AS uuid), true, :skipped_reason, CAST(:candidates AS jsonb)
    FROM ended e
    ON CONFLICT DO NOTHING
    RETURNING selected_venue
), accounts AS (
    INSERT INTO venue_accounts (account, venue)
    SELECT e.account, t.selected_venue FROM ended e, told t WHERE t.selected_venue IS NOT NULL
    ON CONFLICT DO NOTHING
)
INSERT INTO venue_orders (id, signal_id, deployment_id, position_id, purpose, leg, attempt, venue, account, mode,
                          token_symbol, market_name, side, reduce_only, leverage, due_at, enqueued_at)
SELECT CAST(:next_id AS uuid), e.signal_id, e.deployment_id, e.position_id, 'ENTRY', e.leg, e.attempt + 1, t.selected_venue, e.account, e.mode,
       e.token_symbol, :market_name, e.side, false, e.leverage, now(), now()
FROM ended e, told t
WHERE t.selected_venue IS NOT NULL
RETURNING id, account, venue, true AS due;
