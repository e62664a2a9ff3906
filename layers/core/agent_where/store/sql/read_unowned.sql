-- Executions without an owner: those that wait for a decision first, then the newest.
SELECT u.*, (SELECT coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'agentId', d.agent_id) ORDER BY d.created_at), '[]')
             FROM agent_deployments d WHERE lower(d.user_wallet) = u.account) AS deployments
FROM unowned_fills u
ORDER BY u.decision IS NOT NULL, u.at DESC, u.id
LIMIT :at_most;
