-- A CLOSE and the entries of its agent and token never overlap: until the transaction ends, nobody
-- else is here at all.
SELECT pg_advisory_xact_lock(hashtextextended(s.agent_id::text || '/' || s.token_symbol, 0))
FROM signals s
WHERE s.id = CAST(:id AS uuid);
