-- An entry on its way: others may be too, but no CLOSE of the same agent and token.
SELECT pg_advisory_xact_lock_shared(hashtextextended(s.agent_id::text || '/' || s.token_symbol, 0))
FROM venue_orders o
JOIN signals s ON s.id = o.signal_id
WHERE o.id = CAST(:id AS uuid);
