-- The database was restored to an earlier moment: an epoch begins now, after every other whatever the clocks said. reconcile
-- overwrites its figures each minute, so when it last did is kept first.
INSERT INTO restores (restored_to, told_by, reason, last_run_at, told_at)
SELECT CAST(:restored_to AS timestamptz), :told_by, :reason, (SELECT f.at FROM system_figures f),
       greatest(clock_timestamp(), max(r.told_at) + interval '1 microsecond')
FROM restores r
RETURNING id, restored_to, told_at;
