-- Live accounts that hold something, or had an order end as nothing executed since all was explained last, or have
-- something unexplained: the one compared longest ago first. One that somebody works for at this moment comes later.
SELECT v.account, v.venue
FROM venue_accounts v
WHERE v.venue::text = ANY (CAST(:venues AS text[]))
  AND (v.lease_until IS NULL OR v.lease_until < clock_timestamp())
  AND (cardinality(v.unexplained) > 0
       OR EXISTS (SELECT FROM positions p
                  WHERE p.account = v.account AND p.venue = v.venue AND p.mode = 'LIVE' AND p.status = 'OPEN')
       OR EXISTS (SELECT FROM venue_orders o
                  WHERE o.account = v.account AND o.venue = v.venue AND o.mode = 'LIVE' AND o.sent_at IS NOT NULL
                    AND o.status IN ('REJECTED', 'EXPIRED')
                    AND o.settled_at > coalesce(v.agreed_at, '-infinity') - interval '1 minute'))
ORDER BY v.compared_at NULLS FIRST, v.account
LIMIT :at_most;
