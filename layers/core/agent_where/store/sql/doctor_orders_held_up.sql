-- Orders that are put off for want of something, and exits that should have been sent five minutes ago; after a quarter of an
-- hour these are orders_not_carried_out.
SELECT o.id::text AS id, o.created_at AS since, count(*) OVER () AS total,
       concat_ws(' ', o.purpose, o.venue, o.market_name, o.account, 'due at', o.due_at, nullif(o.detail, '')) AS detail
FROM venue_orders o
WHERE o.status = 'PLANNED'
  AND CASE WHEN o.due_at > now() THEN o.detail <> ''
           ELSE o.purpose <> 'ENTRY' AND o.due_at < now() - interval '5 minutes' AND o.due_at >= now() - interval '15 minutes' END
ORDER BY o.created_at LIMIT :at_most;
