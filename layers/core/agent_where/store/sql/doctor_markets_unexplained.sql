-- Markets where a venue holds what the ledger does not, and nobody knows why.
SELECT a.account AS id, coalesce(a.agreed_at, a.created_at) AS since, count(*) OVER () AS total,
       concat('at ', a.venue, ': ', array_to_string(a.unexplained, ', '), ', compared last at ', a.compared_at) AS detail
FROM venue_accounts a
WHERE cardinality(a.unexplained) > 0
ORDER BY a.agreed_at NULLS FIRST LIMIT :at_most;
