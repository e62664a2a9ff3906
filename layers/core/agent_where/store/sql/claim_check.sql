-- A signer that the venue is to be asked about, and that nobody else asks about meanwhile. One that is about to be
-- approved, made within a day, is due each minute; one that may trade for over a week, once a day; others once an hour.
-- In the turn of the new these come first; in the other, approvals that are about to end or have just ended, then what
-- may trade. Of each kind first what was asked about longest ago.
UPDATE venue_accounts v
SET approval_checked_at = clock_timestamp()
FROM (
    SELECT w.account, w.venue
    FROM venue_accounts w,
         LATERAL (SELECT coalesce(w.approved_until IS NULL AND w.key_asked_at > now() - interval '1 day', false) AS is_new,
                         coalesce(w.approved_until BETWEEN now() - interval '1 day' AND now() + interval '12 hours', false) AS ends) n
    WHERE w.signer_address IS NOT NULL AND w.venue::text = ANY (CAST(:venues AS text[]))
      AND (w.approval_checked_at IS NULL OR w.approval_checked_at < clock_timestamp() - CASE
               WHEN n.is_new THEN interval '30 seconds'
               WHEN w.approved_until > now() + interval '7 days' THEN interval '1 day'
               ELSE interval '1 hour' END)
    ORDER BY (n.is_new AND :new_first) DESC, n.ends DESC, (w.approved_until IS NOT NULL) DESC, w.approval_checked_at NULLS FIRST
    LIMIT 1
    FOR UPDATE OF w SKIP LOCKED
) due
WHERE v.account = due.account AND v.venue = due.venue
RETURNING v.account, v.venue, v.signer_address;
