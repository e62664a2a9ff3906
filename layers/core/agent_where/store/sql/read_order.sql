-- One order with everything that carrying it out needs.
SELECT to_jsonb(o) AS "order",
       now() AS now,
       coalesce(v.lease_token = CAST(:token AS uuid) AND v.lease_until > clock_timestamp(), false) AS leased,
       o.due_at <= now() AS due,
       to_jsonb(s) AS signal,
       a.status AS agent_status,
       d.status = 'ACTIVE' AND d.sub_active AS deployment_active,
       d.venues AS deployment_venues,
       d.max_notional_usd,
       d.max_leverage,
       control_for(NULL, a.id, d.id) AS control,
       control_for(NULL, NULL, NULL) AS control_global,
       (SELECT coalesce(jsonb_object_agg(c.id, c.state), '{}') FROM trading_controls c WHERE c.scope = 'venue') AS venue_controls,
       is_superseded(s.id) AS superseded,
       (SELECT coalesce(jsonb_agg(DISTINCT u.client_order_id), '[]') FROM unowned_fills u
        WHERE o.purpose = 'ENTRY' AND u.account = o.account AND u.client_order_id IS NOT NULL) AS forgotten,
       has_opposite(o.id) AS opposite,
       (SELECT coalesce(jsonb_agg(to_jsonb(m)), '[]') FROM venue_markets m WHERE m.token_symbol = o.token_symbol) AS markets,
       (SELECT coalesce(jsonb_agg(b.id ORDER BY b.id), '[]') FROM venue_orders b
        WHERE b.position_id = o.position_id AND b.id <> o.id AND b.status IN ('SENT', 'ACCEPTED')
          AND b.purpose IN ('TAKE_PROFIT', 'STOP_LOSS')
          AND NOT EXISTS (SELECT FROM venue_actions c WHERE c.order_id = b.id AND c.kind = 'CANCEL' AND c.outcome = 'OK')) AS bounds,
       (SELECT coalesce(jsonb_agg(r.refusal ORDER BY r.attempt), '[]') FROM venue_orders r
        WHERE r.signal_id = o.signal_id AND r.deployment_id = o.deployment_id AND r.leg = o.leg AND r.refusal IS NOT NULL) AS refused,
       (SELECT jsonb_build_object('open_qty', p.open_qty, 'venue_ref', p.venue_ref)
        FROM positions p WHERE p.id = o.position_id) AS position,
       (SELECT jsonb_build_object('candidates', h.candidates, 'failover_enabled', h.failover_enabled, 'strategy', h.strategy,
                                  'config_id', h.config_id)
        FROM venue_routing_history h
        WHERE h.signal_id = o.signal_id AND h.deployment_id IS NULL AND h.attempt = 1) AS decision,
       jsonb_build_object('signer_address', v.signer_address, 'key_ref', v.key_ref, 'approved_until', v.approved_until,
                          'approval_lost_at', v.approval_lost_at) AS access,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', c.kind, 'payload', encode(c.payload, 'base64'), 'expires_at', c.expires_at,
                                                     'nonce', c.nonce, 'signer_address', c.signer_address, 'tx_hash', c.tx_hash,
                                                     'send_count', c.send_count, 'outcome', c.outcome)
                                  ORDER BY c.created_at), '[]')
        FROM venue_actions c WHERE c.order_id = o.id) AS actions
FROM venue_orders o
JOIN signals s ON s.id = o.signal_id
JOIN agent_deployments d ON d.id = o.deployment_id
JOIN agents a ON a.id = d.agent_id
JOIN venue_accounts v ON v.account = o.account AND v.venue = o.venue
WHERE o.id = CAST(:id AS uuid);
