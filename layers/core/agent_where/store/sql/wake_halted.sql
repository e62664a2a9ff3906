-- A global halt was lifted: exits that it refused, and that wait to be tried again, are due. One that a worker
-- has at this moment waits on.
UPDATE venue_orders o
SET due_at = now()
FROM (
    SELECT w.id
    FROM venue_orders w
    JOIN venue_orders refused ON refused.signal_id = w.signal_id AND refused.deployment_id = w.deployment_id
                             AND refused.leg = w.leg AND refused.attempt = w.attempt - 1
    WHERE w.status = 'PLANNED' AND w.purpose <> 'ENTRY' AND w.due_at > now() AND refused.refusal = 'HALTED'
    FOR UPDATE OF w SKIP LOCKED
) held
WHERE o.id = held.id;
