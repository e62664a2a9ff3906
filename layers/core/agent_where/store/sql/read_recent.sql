-- The newest first decisions of MULTI signals in the window, of agents in the caller's reach. Whose agent decided tells the
-- decision, or, where it is from before that, its signal.
WITH found AS (
    (SELECT h.id, h.created_at FROM venue_routing_history h
     WHERE :everything AND h.created_at > now() - CAST(:back AS interval)
       AND h.requested_venue = 'MULTI' AND h.attempt = 1 AND h.deployment_id IS NULL
       AND (CAST(:token_symbol AS text) IS NULL OR h.token_symbol = CAST(:token_symbol AS text))
     ORDER BY h.created_at DESC, h.id DESC
     LIMIT :at_most)
    UNION ALL
    (SELECT h.id, h.created_at FROM agents a CROSS JOIN LATERAL (
         SELECT e.id, e.created_at FROM venue_routing_history e
         WHERE e.agent_id = a.id AND e.created_at > now() - CAST(:back AS interval)
           AND e.requested_venue = 'MULTI' AND e.attempt = 1 AND e.deployment_id IS NULL
           AND (CAST(:token_symbol AS text) IS NULL OR e.token_symbol = CAST(:token_symbol AS text))
         ORDER BY e.created_at DESC, e.id DESC
         LIMIT :at_most) h
     WHERE NOT :everything AND lower(a.creator_wallet) = :wallet)
    UNION ALL
    (SELECT h.id, h.created_at FROM venue_routing_history h
     WHERE NOT :everything AND h.agent_id IS NULL AND h.created_at > now() - CAST(:back AS interval)
       AND h.requested_venue = 'MULTI' AND h.attempt = 1 AND h.deployment_id IS NULL
       AND (CAST(:token_symbol AS text) IS NULL OR h.token_symbol = CAST(:token_symbol AS text))
       AND (SELECT lower(a.creator_wallet) FROM signals s JOIN agents a ON a.id = s.agent_id WHERE s.id = h.signal_id) = :wallet
     ORDER BY h.agent_id, h.created_at DESC, h.id DESC         -- as their index has them
     LIMIT :at_most)
), newest AS (
    SELECT id FROM found ORDER BY created_at DESC, id DESC LIMIT :at_most
)
SELECT to_jsonb(h) - 'candidates' AS decision
FROM newest n JOIN venue_routing_history h USING (id)
ORDER BY h.created_at DESC, h.id DESC;
