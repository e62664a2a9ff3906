-- Accounts that are, or were, traded for real.
SELECT a.account, a.venue
FROM venue_accounts a
WHERE a.signer_address IS NOT NULL
   OR EXISTS (SELECT FROM venue_orders o WHERE o.account = a.account AND o.venue = a.venue AND o.mode = 'LIVE' AND o.sent_at IS NOT NULL)
ORDER BY a.venue, a.account;
