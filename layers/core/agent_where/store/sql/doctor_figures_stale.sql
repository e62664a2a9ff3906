-- Whether reconcile has run in the last five minutes, by the row that it writes.
SELECT 'reconcile' AS id, f.at AS since, 1 AS total, coalesce('ran last at ' || f.at, 'never ran') AS detail
FROM (SELECT max(at) AS at FROM system_figures) f
WHERE f.at IS NULL OR f.at < now() - interval '5 minutes'
LIMIT :at_most;
