-- The database was restored to an earlier moment: an epoch begins now.
INSERT INTO restores (restored_to, told_by, reason)
VALUES (CAST(:restored_to AS timestamptz), :told_by, :reason)
RETURNING id, restored_to, told_at;
