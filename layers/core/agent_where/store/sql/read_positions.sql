-- A page of positions, newest first, and whether there are the agent and the deployment asked for.
SELECT CAST(:agent_id AS uuid) IS NULL OR EXISTS (SELECT FROM agents a WHERE a.id = CAST(:agent_id AS uuid)) AS agent_known,
       CAST(:deployment_id AS uuid) IS NULL
           OR EXISTS (SELECT FROM agent_deployments d WHERE d.id = CAST(:deployment_id AS uuid)) AS deployment_known,
       (SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY x.opened_at DESC, x.id DESC), '[]')
        FROM (SELECT p.*, d.agent_id
              FROM positions p
              JOIN agent_deployments d ON d.id = p.deployment_id
              WHERE (CAST(:agent_id AS uuid) IS NULL OR d.agent_id = CAST(:agent_id AS uuid))
                AND (CAST(:deployment_id AS uuid) IS NULL OR d.id = CAST(:deployment_id AS uuid))
                AND (CAST(:status AS text) IS NULL OR p.status::text = CAST(:status AS text))
                AND (CAST(:after_id AS uuid) IS NULL
                     OR (p.opened_at, p.id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
              ORDER BY p.opened_at DESC, p.id DESC
              LIMIT :at_most) x) AS positions;
