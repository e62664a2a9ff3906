-- Exits that a global halt refused, and that wait to be tried again, are due once there is none.
UPDATE venue_orders o
SET due_at = now()
FROM venue_orders refused
WHERE control_for(NULL, NULL, NULL) <> 'HALTED'
  AND o.status = 'PLANNED' AND o.purpose <> 'ENTRY' AND o.due_at > now()
  AND refused.signal_id = o.signal_id AND refused.deployment_id = o.deployment_id AND refused.leg = o.leg
  AND refused.attempt = o.attempt - 1 AND refused.refusal = 'HALTED';
