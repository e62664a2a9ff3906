-- How far back the open restores reach, and what of the ledger's own has no end yet. No row where none is open.
SELECT min(r.restored_to) AS restored_to,
       min(r.last_run_at) AS last_run_at,
       max(r.told_at) AS told_at,
       now() AS now,
       coalesce(max(r.told_at) FILTER (WHERE r.restored_to IS NULL) >= coalesce(max(r.told_at) FILTER (WHERE r.restored_to IS NOT NULL), '-infinity'),
                false) AS moment_unknown,
       (SELECT count(*) FROM unowned_fills u WHERE u.decision IS NULL) AS undecided,
       (SELECT count(*) FROM venue_orders o
        WHERE o.mode = 'LIVE' AND (o.status = 'SENT' OR (o.status = 'ACCEPTED' AND o.purpose IN ('ENTRY', 'CLOSE')))) AS unsettled
FROM restores r
WHERE r.matched_at IS NULL
HAVING count(*) > 0;
