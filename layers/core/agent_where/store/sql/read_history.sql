-- A page of routing decisions, newest first, on signals of agents in the caller's reach. Whose a deployment is is
-- told in no words either. Whose agent decided tells the decision, or, where it is from before that, its signal.
WITH found AS (
    (SELECT h.id, h.created_at FROM venue_routing_history h
     WHERE (:everything OR CAST(:signal_id AS uuid) IS NOT NULL) AND h.created_at IS NOT NULL
       AND (:everything OR EXISTS (SELECT FROM signals s JOIN agents a ON a.id = s.agent_id
                                   WHERE s.id = h.signal_id AND lower(a.creator_wallet) = :wallet))
       AND (CAST(:signal_id AS uuid) IS NULL OR h.signal_id = CAST(:signal_id AS uuid))
       AND (CAST(:token_symbol AS text) IS NULL OR h.token_symbol = CAST(:token_symbol AS text))
       AND (CAST(:venue AS text) IS NULL OR h.selected_venue = CAST(CAST(:venue AS text) AS venue_t))
       AND (CAST(:after_id AS uuid) IS NULL OR (h.created_at, h.id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
     ORDER BY h.created_at DESC, h.id DESC
     LIMIT :at_most)
    UNION ALL
    (SELECT h.id, h.created_at FROM agents a CROSS JOIN LATERAL (
         SELECT e.id, e.created_at FROM venue_routing_history e
         WHERE e.agent_id = a.id AND e.created_at IS NOT NULL
           AND (CAST(:token_symbol AS text) IS NULL OR e.token_symbol = CAST(:token_symbol AS text))
           AND (CAST(:venue AS text) IS NULL OR e.selected_venue = CAST(CAST(:venue AS text) AS venue_t))
           AND (CAST(:after_id AS uuid) IS NULL OR (e.created_at, e.id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
         ORDER BY e.created_at DESC, e.id DESC
         LIMIT :at_most) h
     WHERE NOT :everything AND CAST(:signal_id AS uuid) IS NULL AND lower(a.creator_wallet) = :wallet)
    UNION ALL
    (SELECT h.id, h.created_at FROM venue_routing_history h
     WHERE NOT :everything AND CAST(:signal_id AS uuid) IS NULL AND h.agent_id IS NULL AND h.created_at IS NOT NULL
       AND (CAST(:token_symbol AS text) IS NULL OR h.token_symbol = CAST(:token_symbol AS text))
       AND (CAST(:venue AS text) IS NULL OR h.selected_venue = CAST(CAST(:venue AS text) AS venue_t))
       AND (CAST(:after_id AS uuid) IS NULL OR (h.created_at, h.id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
       AND (SELECT lower(a.creator_wallet) FROM signals s JOIN agents a ON a.id = s.agent_id WHERE s.id = h.signal_id) = :wallet
     ORDER BY h.agent_id, h.created_at DESC, h.id DESC         -- as their index has them
     LIMIT :at_most)
), shown AS (
    SELECT id FROM found ORDER BY created_at DESC, id DESC LIMIT :at_most
)
SELECT to_jsonb(h) - 'agent_id' || CASE WHEN h.deployment_id IS NULL OR :everything THEN '{}' ELSE jsonb_build_object(
           'routing_reason', regexp_replace(h.routing_reason, '0x[0-9a-fA-F]{40}', '0x…', 'g'),
           'skipped_reason', regexp_replace(h.skipped_reason, '0x[0-9a-fA-F]{40}', '0x…', 'g')) END AS decision,
       h.id, h.created_at
FROM shown s JOIN venue_routing_history h USING (id)
ORDER BY h.created_at DESC, h.id DESC;
