-- A page of agents, newest first: those in the caller's reach, or everybody's ACTIVE ones.
SELECT id, name, venue, status, creator_wallet, profit_receiver_address, weights, created_at
FROM agents
WHERE CASE WHEN :active THEN status = 'ACTIVE' ELSE :everything OR lower(creator_wallet) = :wallet END
  AND (CAST(:after_id AS uuid) IS NULL OR (created_at, id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
ORDER BY created_at DESC, id DESC
LIMIT :at_most;
