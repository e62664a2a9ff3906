-- Open positions that an order opened which had ended as nothing executed.
SELECT p.id::text AS id, p.opened_at AS since, count(*) OVER () AS total,
       concat_ws(' ', p.side, p.open_qty, p.token_symbol, 'at', p.venue, 'of agent', d.agent_id, 'for', p.account) AS detail
FROM positions p JOIN agent_deployments d ON d.id = p.deployment_id
WHERE p.unexpected AND p.status::text = 'OPEN'
ORDER BY p.opened_at LIMIT :at_most;
