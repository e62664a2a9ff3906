-- A page of routing decisions, newest first, on signals of agents in the caller's reach. Whose a deployment is is
-- told in no words either.
SELECT to_jsonb(h) || CASE WHEN h.deployment_id IS NULL OR :everything THEN '{}' ELSE jsonb_build_object(
           'routing_reason', regexp_replace(h.routing_reason, '0x[0-9a-fA-F]{40}', '0x…', 'g'),
           'skipped_reason', regexp_replace(h.skipped_reason, '0x[0-9a-fA-F]{40}', '0x…', 'g')) END AS decision,
       h.id, h.created_at
FROM venue_routing_history h
WHERE (:everything OR EXISTS (SELECT FROM signals s JOIN agents a ON a.id = s.agent_id
                              WHERE s.id = h.signal_id AND lower(a.creator_wallet) = :wallet))
  AND h.created_at IS NOT NULL
  AND (CAST(:signal_id AS uuid) IS NULL OR h.signal_id = CAST(:signal_id AS uuid))
  AND (CAST(:token_symbol AS text) IS NULL OR h.token_symbol = CAST(:token_symbol AS text))
  AND (CAST(:venue AS text) IS NULL OR h.selected_venue = CAST(CAST(:venue AS text) AS venue_t))
  AND (CAST(:after_id AS uuid) IS NULL OR (h.created_at, h.id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
ORDER BY h.created_at DESC, h.id DESC
LIMIT :at_most;
