-- The decision of a CLOSE: entries not yet sent are superseded, and every open position and every
-- entry on its way gets an order that closes it. No row when the signal was decided before, or when
-- what is held is not exactly what the caller listed (position/entry waited for): then it reads again.
WITH held AS (
    SELECT coalesce(array_agg(concat(e.exposure ->> 'position_id', '/', e.exposure ->> 'after_order_id')), '{}') AS keys
    FROM jsonb_array_elements(exposures_of(CAST(:id AS uuid))) AS e (exposure)
), taken AS (
    UPDATE signals
    SET decided_at = now(), received_at = coalesce(received_at, now()),
        requested_venue = coalesce(requested_venue, venue), skipped_reason = :skipped_reason
    WHERE id = CAST(:id AS uuid) AND decided_at IS NULL
      AND (SELECT keys <@ CAST(:listed AS text[]) AND keys @> CAST(:listed AS text[]) FROM held)
    RETURNING id, agent_id, token_symbol, side, received_at
), superseded AS (
    UPDATE venue_orders o
    SET status = 'REJECTED', refusal = 'SUPERSEDED', settled_at = now(), detail = 'superseded by CLOSE signal ' || t.id
    FROM taken t, signals s
    WHERE s.id = o.signal_id AND s.agent_id = t.agent_id AND s.token_symbol = t.token_symbol AND s.id <> t.id
      AND coalesce(s.received_at, s.created_at) <= t.received_at
      AND o.purpose = 'ENTRY' AND o.status = 'PLANNED' AND (t.side IS NULL OR t.side = o.side)
      AND NOT is_before_restore(t.id)
), planned AS (
    INSERT INTO venue_orders (id, signal_id, deployment_id, position_id, purpose, leg, attempt, after_order_id, venue, account,
                              mode, token_symbol, market_name, side, reduce_only, leverage, due_at, enqueued_at)
    SELECT o.id, t.id, o.deployment_id, o.position_id, 'CLOSE', o.leg, 1, o.after_order_id, o.venue, o.account,
           o.mode, t.token_symbol, o.market_name, o.side, true, o.leverage,
           CASE WHEN o.after_order_id IS NULL THEN now() END, CASE WHEN o.after_order_id IS NULL THEN now() END
    FROM taken t
    JOIN jsonb_to_recordset(CAST(:orders AS jsonb)) AS o (
        id uuid, deployment_id uuid, position_id uuid, leg text, after_order_id uuid, venue venue_t, account text, mode text,
        market_name text, side text, leverage numeric) ON true
)
SELECT id FROM taken;
