-- Accounts of which the venue has told what it ever will since the last restore.
SELECT a.account, a.venue
FROM venue_accounts a
WHERE a.match_tried_at >= (SELECT max(r.told_at) FROM restores r);
