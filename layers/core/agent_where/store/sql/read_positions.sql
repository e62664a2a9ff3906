-- A page of positions, newest first: of deployments of the caller's and of followers of his agents. An unexpected
-- one is shown with the signal of the order that opened it.
WITH page AS (
    SELECT p AS position, d.agent_id
    FROM positions p
    JOIN agent_deployments d ON d.id = p.deployment_id
    JOIN agents a ON a.id = d.agent_id
    WHERE (:everything OR lower(d.user_wallet) = :wallet OR lower(a.creator_wallet) = :wallet)
      AND (CAST(:agent_id AS uuid) IS NULL OR d.agent_id = CAST(:agent_id AS uuid))
      AND (CAST(:deployment_id AS uuid) IS NULL OR d.id = CAST(:deployment_id AS uuid))
      AND (CAST(:status AS text) IS NULL OR p.status::text = CAST(:status AS text))
      AND (CAST(:after_id AS uuid) IS NULL OR (p.opened_at, p.id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
    ORDER BY p.opened_at DESC, p.id DESC
    LIMIT :at_most
)
SELECT p.*, g.agent_id
FROM page g
LEFT JOIN venue_orders o ON o.id = (g.position).id AND (g.position).unexpected
CROSS JOIN LATERAL jsonb_populate_record(g.position, jsonb_build_object('signal_id', coalesce((g.position).signal_id, o.signal_id))) p
ORDER BY p.opened_at DESC, p.id DESC;
