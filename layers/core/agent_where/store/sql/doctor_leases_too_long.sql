-- Accounts whose lease ends later than any worker may set it: nobody trades for them until then.
SELECT a.account AS id, a.lease_until AS since, count(*) OVER () AS total, concat('at ', a.venue, ' held until ', a.lease_until) AS detail
FROM venue_accounts a
WHERE a.lease_until > clock_timestamp() + interval '5 minutes'
ORDER BY a.lease_until DESC LIMIT :at_most;
