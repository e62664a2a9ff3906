-- What the venue said of a signer: until when it may trade, or that it may not. `over`: it could trade once and for
-- an hour has not been able to, as the venue said before and says again. Exits that waited for
-- an approval are due with it.
WITH woken AS (
    UPDATE venue_orders o SET due_at = now()
    FROM venue_accounts v
    WHERE v.account = :account AND v.venue = CAST(:venue AS venue_t) AND v.signer_address = :signer_address
      AND coalesce(v.approved_until <= now(), true) AND CAST(:approved_until AS timestamptz) IS NOT NULL
      AND o.account = v.account AND o.venue = v.venue AND o.mode = 'LIVE' AND o.purpose <> 'ENTRY'
      AND o.status = 'PLANNED' AND o.due_at > now()
)
UPDATE venue_accounts
SET approved_until = CAST(:approved_until AS timestamptz), low_on_gas = :low_on_gas,
    approval_lost_at = CASE WHEN CAST(:approved_until AS timestamptz) IS NOT NULL THEN NULL
                            WHEN approved_until IS NOT NULL THEN now()
                            ELSE approval_lost_at END
WHERE account = :account AND venue = CAST(:venue AS venue_t) AND signer_address = :signer_address
RETURNING least(approval_lost_at, approved_until) < now() - interval '1 hour' AS over;
