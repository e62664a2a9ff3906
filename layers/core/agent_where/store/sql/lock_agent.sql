-- Held while an agent gets a deployment, so that two at once see each other. No row: there is no such
-- agent, or it is neither in the caller's reach nor ACTIVE.
SELECT id FROM agents
WHERE id = CAST(:id AS uuid) AND (:everything OR lower(creator_wallet) = :wallet OR status = 'ACTIVE')
FOR NO KEY UPDATE;
