-- PostgreSQL's timeline where it is not the one that is known: the server began from a backup. No row: it is, or was never kept.
SELECT k.host, k.timeline AS was, t.timeline_id AS timeline
FROM (SELECT n.host, n.timeline FROM known_servers n ORDER BY n.seen_at DESC LIMIT 1) k, pg_control_checkpoint() t
WHERE k.timeline <> t.timeline_id;
