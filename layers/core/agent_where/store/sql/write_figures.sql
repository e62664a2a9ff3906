-- The figures of the read side: what the database knows, beside what the caller measured elsewhere.
-- Bounds that rest at a venue are where they should be.
WITH open_orders AS (
    SELECT sent_at FROM venue_orders
    WHERE status = 'SENT' OR (status = 'ACCEPTED' AND purpose NOT IN ('TAKE_PROFIT', 'STOP_LOSS'))
)
INSERT INTO system_figures (at, figures)
SELECT now(), CAST(:measured AS jsonb) || jsonb_build_object(
    'undecidedSignals', (SELECT count(*) FROM signals WHERE decided_at IS NULL AND received_at IS NOT NULL),
    'plannedOrdersDue', (SELECT count(*) FROM venue_orders WHERE status = 'PLANNED' AND due_at <= now()),
    'unsettledOrders', (SELECT count(*) FROM open_orders),
    'oldestUnsettledSeconds', (SELECT floor(extract(epoch FROM now() - min(sent_at))) FROM open_orders),
    'openPositions', (SELECT count(*) FROM positions WHERE status = 'OPEN' AND mode IS NOT NULL),
    'positionsUnexpected', (SELECT count(*) FROM positions WHERE status = 'OPEN' AND unexpected),
    'positionsUnexplained', (SELECT coalesce(sum(cardinality(unexplained)), 0) FROM venue_accounts))
ON CONFLICT (only_row) DO UPDATE SET at = excluded.at, figures = excluded.figures
RETURNING figures;
