-- A page of routing decisions, newest first, on signals of agents in the caller's reach.
SELECT h.*
FROM venue_routing_history h
WHERE (:everything OR EXISTS (SELECT FROM signals s JOIN agents a ON a.id = s.agent_id
                              WHERE s.id = h.signal_id AND lower(a.creator_wallet) = :wallet))
  AND (CAST(:signal_id AS uuid) IS NULL OR h.signal_id = CAST(:signal_id AS uuid))
  AND (CAST(:token_symbol AS text) IS NULL OR h.token_symbol = CAST(:token_symbol AS text))
  AND (CAST(:venue AS text) IS NULL OR h.selected_venue = CAST(CAST(:venue AS text) AS venue_t))
  AND (CAST(:after_id AS uuid) IS NULL OR (h.created_at, h.id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
ORDER BY h.created_at DESC, h.id DESC
LIMIT :at_most;
