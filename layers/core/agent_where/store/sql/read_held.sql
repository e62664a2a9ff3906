-- Deployments that a restore holds back, those with open positions first.
SELECT d.id, d.agent_id, d.user_wallet, c.set_at AS since, c.reason,
       (SELECT count(*) FROM positions p WHERE p.deployment_id = d.id AND p.status = 'OPEN') AS open_positions,
       count(*) OVER () AS total
FROM trading_controls c JOIN agent_deployments d ON d.id::text = c.id
WHERE c.scope = 'deployment' AND c.state = 'CLOSE_ONLY' AND c.by_operator AND starts_with(c.reason, :held)
ORDER BY open_positions DESC, d.user_wallet, d.id LIMIT :at_most;
