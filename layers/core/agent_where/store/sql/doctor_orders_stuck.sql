-- Orders that a venue may have and whose end nobody knows after a quarter of an hour; bounds that rest are where they should be.
SELECT o.id::text AS id, o.sent_at AS since, count(*) OVER () AS total,
       concat_ws(' ', o.status, o.purpose, o.mode, o.venue, o.market_name, o.account, nullif(o.detail, '')) AS detail
FROM venue_orders o
WHERE (o.status = 'SENT' OR (o.status = 'ACCEPTED' AND o.purpose IN ('ENTRY', 'CLOSE'))) AND o.sent_at < now() - interval '15 minutes'
ORDER BY o.sent_at LIMIT :at_most;
