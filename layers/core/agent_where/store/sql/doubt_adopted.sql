-- What was adopted is older than what ledger and venue agreed on since: its account is compared from there on anew.
UPDATE venue_accounts a
SET agreed_at = f.at
FROM (SELECT u.account, u.venue, min(u.at) AS at
      FROM unowned_fills u
      WHERE u.position_id = (SELECT t.position_id FROM unowned_fills t WHERE t.id = CAST(:id AS uuid))
      GROUP BY u.account, u.venue) f
WHERE a.account = f.account AND a.venue = f.venue AND a.agreed_at > f.at
RETURNING a.account;
