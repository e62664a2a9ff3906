-- Deployments that a restore holds back, those with open positions first, and when the last restore was told. Which of too many
-- are told does not change while they are read.
WITH held AS (
    SELECT d.id, d.agent_id, d.user_wallet, d.status, d.sub_active, c.set_at AS since, c.reason, count(*) OVER () AS total
    FROM trading_controls c JOIN agent_deployments d ON d.id::text = c.id
    WHERE c.scope = 'deployment' AND c.state = 'CLOSE_ONLY' AND c.by_operator AND starts_with(c.reason, :held)
    ORDER BY d.user_wallet, d.id LIMIT :at_most
)
SELECT h.*, (SELECT count(*) FROM positions p WHERE p.deployment_id = h.id AND p.status = 'OPEN') AS open_positions,
       (SELECT max(r.told_at) FROM restores r) AS epoch
FROM held h
ORDER BY open_positions DESC, h.user_wallet, h.id;
