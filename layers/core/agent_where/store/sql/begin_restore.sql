-- The database was restored to an earlier moment: an epoch begins now, after every other whatever the clocks said.
INSERT INTO restores (restored_to, told_by, reason, told_at)
SELECT CAST(:restored_to AS timestamptz), :told_by, :reason, greatest(clock_timestamp(), max(r.told_at) + interval '1 microsecond')
FROM restores r
RETURNING id, restored_to, told_at;
