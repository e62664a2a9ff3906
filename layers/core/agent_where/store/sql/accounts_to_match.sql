-- Accounts that are, or were, traded for real and whose executions are not matched since the last restore.
SELECT a.account, a.venue
FROM venue_accounts a
WHERE (a.matched_at IS NULL OR a.matched_at < (SELECT max(r.told_at) FROM restores r))
  AND (a.signer_address IS NOT NULL
       OR EXISTS (SELECT FROM venue_orders o WHERE o.account = a.account AND o.venue = a.venue AND o.mode = 'LIVE' AND o.sent_at IS NOT NULL))
ORDER BY random();
