-- CLOSE signals that a restore has made doubtful, while their agent still has positions open that they would have closed.
SELECT s.id::text AS id, least(s.created_at, s.received_at) AS since, count(*) OVER () AS total,
       concat_ws(' ', s.side, s.token_symbol, 'of agent', s.agent_id) AS detail
FROM signals s
WHERE s.action = 'CLOSE' AND is_before_restore(s.id) AND s.decided_at > (SELECT min(r.told_at) FROM restores r)
  AND EXISTS (SELECT FROM positions p JOIN agent_deployments d ON d.id = p.deployment_id
              WHERE d.agent_id = s.agent_id AND p.token_symbol = s.token_symbol AND p.status::text = 'OPEN' AND (s.side IS NULL OR s.side = p.side)
                AND p.opened_at < s.decided_at)
ORDER BY s.created_at LIMIT :at_most;
