-- Accounts that are, or were, traded for real and whose executions are not matched since the last restore; and after them those
-- that are, where some wait for a decision: what was booked meanwhile may account for them.
SELECT a.account, a.venue, NOT unmatched.so AS is_matched
FROM venue_accounts a
CROSS JOIN LATERAL (SELECT a.matched_at IS NULL OR a.matched_at < (SELECT max(r.told_at) FROM restores r) AS so) unmatched
WHERE (unmatched.so
       AND (a.signer_address IS NOT NULL
            OR EXISTS (SELECT FROM venue_orders o WHERE o.account = a.account AND o.venue = a.venue AND o.mode = 'LIVE' AND o.sent_at IS NOT NULL)))
   OR EXISTS (SELECT FROM unowned_fills u WHERE u.account = a.account AND u.venue = a.venue AND u.decision IS NULL)
ORDER BY unmatched.so DESC, random();
