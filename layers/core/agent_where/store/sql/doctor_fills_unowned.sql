-- Executions that nothing in the ledger accounts for and nobody has decided about.
SELECT u.id::text AS id, u.at AS since, count(*) OVER () AS total,
       concat_ws(' ', u.side, u.size, u.token_symbol, 'at', u.price, 'by order', u.venue_ref, 'of', u.account, 'at', u.venue) AS detail
FROM unowned_fills u WHERE u.decision IS NULL
ORDER BY u.at LIMIT :at_most;
