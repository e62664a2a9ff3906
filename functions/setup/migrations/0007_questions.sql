-- Questions that more than one statement asks, answered in one place.

-- Whether a CLOSE has come in after this signal that takes what it would open.
CREATE FUNCTION is_superseded(of_signal uuid) RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT EXISTS (
        SELECT FROM signals s
        JOIN signals c ON c.agent_id = s.agent_id AND c.token_symbol = s.token_symbol AND c.action = 'CLOSE' AND c.id <> s.id
        WHERE s.id = of_signal AND c.decided_at IS NOT NULL AND (c.side IS NULL OR c.side = s.side)
          AND c.received_at >= coalesce(s.received_at, s.created_at))
$$;

-- Whether an entry would run against what its account already has, or has on its way, in a market
-- that nets.
CREATE FUNCTION has_opposite(of_order uuid) RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT EXISTS (
        SELECT FROM venue_orders o
        JOIN venue_markets m ON m.venue = o.venue AND m.token_symbol = o.token_symbol AND m.metadata ->> 'netting' = 'true'
        WHERE o.id = of_order AND o.purpose = 'ENTRY' AND (
            EXISTS (SELECT FROM positions p
                    WHERE p.account = o.account AND p.venue = o.venue AND p.token_symbol = o.token_symbol AND p.mode = o.mode
                      AND p.status = 'OPEN' AND p.side <> o.side)
            OR EXISTS (SELECT FROM venue_orders e
                       WHERE e.account = o.account AND e.venue = o.venue AND e.token_symbol = o.token_symbol AND e.mode = o.mode
                         AND e.purpose = 'ENTRY' AND e.status IN ('SENT', 'ACCEPTED') AND e.side <> o.side)))
$$;

-- What a CLOSE signal takes: the agent's open positions in its token, and its entries on their way,
-- of signals that came in before it. One that was lost and comes late leaves what was opened since.
CREATE FUNCTION exposures_of(of_signal uuid) RETURNS jsonb STABLE LANGUAGE sql AS $$
    WITH closing AS (SELECT * FROM signals WHERE id = of_signal), exposed AS (
        SELECT p.id AS position_id, p.deployment_id, p.venue, p.account, p.mode, e.market_name, p.side, p.leverage,
               NULL::uuid AS after_order_id
        FROM closing c
        JOIN agent_deployments d ON d.agent_id = c.agent_id
        JOIN positions p ON p.deployment_id = d.id AND p.token_symbol = c.token_symbol AND p.status = 'OPEN'
        JOIN signals s ON s.id = p.signal_id AND coalesce(s.received_at, s.created_at) <= coalesce(c.received_at, now())
        JOIN venue_orders e ON e.position_id = p.id AND e.purpose = 'ENTRY' AND e.status = 'FILLED'
        UNION ALL
        SELECT o.position_id, o.deployment_id, o.venue, o.account, o.mode, o.market_name, o.side, o.leverage, o.id
        FROM closing c
        JOIN signals s ON s.agent_id = c.agent_id AND s.token_symbol = c.token_symbol
                      AND coalesce(s.received_at, s.created_at) <= coalesce(c.received_at, now())
        JOIN venue_orders o ON o.signal_id = s.id AND o.purpose = 'ENTRY' AND o.status IN ('SENT', 'ACCEPTED')
    )
    SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY x.position_id), '[]')
    FROM exposed x, closing c
    WHERE c.side IS NULL OR c.side = x.side
$$;
