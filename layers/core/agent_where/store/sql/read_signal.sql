-- One signal with everything that its decision needs.
SELECT to_jsonb(s) AS signal,
       now() AS now,
       a.status AS agent_status,
       control_for(NULL, a.id, NULL) AS control,
       is_superseded(s.id) AS superseded,
       (SELECT to_jsonb(c) FROM venue_routing_config c
        WHERE c.agent_id = s.agent_id OR c.agent_id IS NULL
        ORDER BY c.agent_id NULLS LAST LIMIT 1) AS config,
       (SELECT coalesce(jsonb_agg(to_jsonb(m)), '[]') FROM venue_markets m
        WHERE m.token_symbol = s.token_symbol) AS markets,
       (SELECT coalesce(jsonb_object_agg(c.id, c.state), '{}') FROM trading_controls c
        WHERE c.scope = 'venue') AS venue_controls,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'account', lower(d.user_wallet), 'venues', d.venues)
                                  ORDER BY d.created_at, d.id), '[]')
        FROM agent_deployments d
        WHERE d.agent_id = s.agent_id AND d.status = 'ACTIVE' AND d.sub_active) AS deployments,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'venue', o.venue, 'account', o.account)), '[]')
        FROM venue_orders o
        WHERE o.signal_id = s.id AND o.status = 'PLANNED' AND o.due_at <= now()) AS due_orders,
       CASE WHEN s.action = 'CLOSE' THEN exposures_of(s.id) ELSE '[]' END AS exposures
FROM signals s
JOIN agents a ON a.id = s.agent_id
WHERE s.id = CAST(:id AS uuid);
