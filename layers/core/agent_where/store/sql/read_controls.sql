-- A page of the controls in the caller's reach, newest first, and the newest changes of them. A control has no
-- id of its own; for pages it gets one made of its scope and what it is about.
WITH own AS (
    SELECT 'agent' AS scope, a.id::text AS id FROM agents a WHERE lower(a.creator_wallet) = :wallet
    UNION ALL
    SELECT 'deployment', d.id::text FROM agent_deployments d WHERE lower(d.user_wallet) = :wallet
), paged AS (
    SELECT c.*, md5(c.scope || ':' || coalesce(c.id, ''))::uuid AS row_id
    FROM trading_controls c
    WHERE (:everything OR (c.scope, c.id) IN (SELECT scope, id FROM own))
      AND (CAST(:scope AS text) IS NULL OR c.scope = CAST(:scope AS text))
      AND (CAST(:id AS text) IS NULL OR c.id = CAST(:id AS text))
), page AS (
    SELECT p.* FROM paged p
    WHERE CAST(:after_id AS uuid) IS NULL OR (p.set_at, p.row_id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid))
    ORDER BY p.set_at DESC, p.row_id DESC
    LIMIT :at_most
), changes AS (
    SELECT t.*
    FROM trading_controls_audit t
    WHERE (:everything OR (t.scope, t.id) IN (SELECT scope, id FROM own))
      AND (CAST(:scope AS text) IS NULL OR t.scope = CAST(:scope AS text))
      AND (CAST(:id AS text) IS NULL OR t.id = CAST(:id AS text))
    ORDER BY t.recorded_at DESC
    LIMIT :at_most_changes
)
SELECT (SELECT coalesce(jsonb_agg(jsonb_build_object('id', p.row_id, 'set_at', p.set_at, 'control', to_jsonb(p))
                                  ORDER BY p.set_at DESC, p.row_id DESC), '[]') FROM page p) AS controls,
       (SELECT coalesce(jsonb_agg(to_jsonb(c) ORDER BY c.recorded_at DESC), '[]') FROM changes c) AS audit;
