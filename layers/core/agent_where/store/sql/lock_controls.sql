-- Who changes one of these, or holds it anew, has done so by the next statement or waits for the end of this transaction.
SELECT c.id FROM trading_controls c
WHERE c.scope = 'deployment' AND c.id = ANY (CAST(:seen AS text[]))
ORDER BY c.id FOR UPDATE;
