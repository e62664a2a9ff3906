-- One row when the caller may know that the agent exists: it is his, it is ACTIVE, or he follows it.
SELECT a.id
FROM agents a
WHERE a.id = CAST(:id AS uuid)
  AND (:everything OR lower(a.creator_wallet) = :wallet OR a.status = 'ACTIVE'
       OR EXISTS (SELECT FROM agent_deployments d WHERE d.agent_id = a.id AND lower(d.user_wallet) = :wallet));
