-- The figures of the read side: what the database knows, beside what the caller measured elsewhere.
-- Bounds that rest at a venue are where they should be, while their position is open.
WITH open_orders AS (
    SELECT sent_at FROM venue_orders
    WHERE status = 'SENT' OR (status = 'ACCEPTED' AND purpose NOT IN ('TAKE_PROFIT', 'STOP_LOSS'))
), refused AS (
    SELECT o.account, o.venue, o.refusal, o.settled_at, o.purpose, o.position_id, o.venue_ref FROM venue_orders o
    WHERE o.status = 'REJECTED' AND o.mode = 'LIVE' AND o.settled_at > now() - interval '1 hour'
)
INSERT INTO system_figures (at, figures)
SELECT now(), CAST(:measured AS jsonb) || jsonb_build_object(
    'undecidedSignals', (SELECT count(*) FROM signals WHERE decided_at IS NULL AND received_at IS NOT NULL),
    'plannedOrdersDue', (SELECT count(*) FROM venue_orders WHERE status = 'PLANNED' AND due_at <= now()),
    'unsettledOrders', (SELECT count(*) FROM open_orders),
    'oldestUnsettledSeconds', (SELECT floor(extract(epoch FROM now() - min(sent_at))) FROM open_orders),
    'openPositions', (SELECT count(*) FROM positions WHERE status = 'OPEN' AND mode IS NOT NULL),
    'positionsUnexpected', (SELECT count(*) FROM positions WHERE status = 'OPEN' AND unexpected),
    'signersLowOnGas', (SELECT count(*) FROM venue_accounts WHERE low_on_gas AND approved_until > now()),
    'positionsUnexplained', (SELECT coalesce(sum(cardinality(unexplained)), 0) FROM venue_accounts),
    'positionsUnprotected', (
        SELECT count(*) FROM positions p
        WHERE p.mode = 'LIVE' AND p.status = 'OPEN' AND p.stop_loss IS NOT NULL AND NOT p.carries_bounds AND p.opened_at < now() - interval '2 minutes'
          AND NOT EXISTS (SELECT FROM venue_orders o
                          WHERE o.position_id = p.id AND o.purpose = 'STOP_LOSS' AND o.status = 'ACCEPTED'
                            AND NOT EXISTS (SELECT FROM venue_actions c
                                            WHERE c.order_id = o.id AND c.kind = 'CANCEL' AND c.outcome = 'OK'))),
    -- The close that takes a stop-loss's place is planned in the transaction that gives it up. One that rested, or came after its
    -- price was passed, has fired: nothing is amiss.
    'stopLossesGivenUp', (
        SELECT count(*) FROM refused r
        WHERE r.purpose = 'STOP_LOSS' AND r.venue_ref IS NULL AND r.refusal <> 'TRIGGER_PASSED'
          AND EXISTS (SELECT FROM venue_orders o
                      WHERE o.position_id = r.position_id AND o.purpose = 'CLOSE' AND o.created_at = r.settled_at)),
    'boundsNotTakenBack', (
        SELECT count(*) FROM venue_orders o
        JOIN positions p ON p.id = o.position_id AND p.status = 'CLOSED' AND p.closed_at < now() - interval '5 minutes'
        WHERE o.status IN ('SENT', 'ACCEPTED') AND o.purpose IN ('TAKE_PROFIT', 'STOP_LOSS')),
    -- Nothing else is told of an order before it was sent than why it was put off.
    'ordersHeldUp', (
        SELECT count(*) FROM venue_orders
        WHERE status = 'PLANNED' AND (detail <> '' OR (purpose <> 'ENTRY' AND due_at < now() - interval '5 minutes'))),
    -- Each close that is refused plans the next, so none of them is ever late.
    'closesOverdue', (
        SELECT count(*) FROM positions p
        WHERE p.status = 'OPEN' AND p.mode IS NOT NULL AND p.opened_at < now() - interval '15 minutes'
          AND EXISTS (SELECT FROM venue_orders o
                      WHERE o.position_id = p.id AND o.purpose = 'CLOSE' AND o.created_at < now() - interval '15 minutes')),
    'accountsUsedUp', (
        SELECT count(DISTINCT (r.account, r.venue)) FROM refused r WHERE r.refusal = 'REQUESTS_USED_UP'))
ON CONFLICT (only_row) DO UPDATE SET at = excluded.at, figures = excluded.figures
RETURNING figures;
