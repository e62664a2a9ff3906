-- One row when a signal's agent is in the caller's reach.
SELECT s.id FROM signals s JOIN agents a ON a.id = s.agent_id
WHERE s.id = CAST(:id AS uuid) AND (:everything OR lower(a.creator_wallet) = :wallet);
