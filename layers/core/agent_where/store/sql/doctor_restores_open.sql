-- Restores that are not matched with the venues yet: nothing trades.
SELECT r.id::text AS id, r.told_at AS since, count(*) OVER () AS total,
       concat('to ', coalesce(r.restored_to::text, 'a moment that nobody has told'), ', told by ', r.told_by, ': ', r.reason) AS detail
FROM restores r WHERE r.matched_at IS NULL
ORDER BY r.told_at LIMIT :at_most;
