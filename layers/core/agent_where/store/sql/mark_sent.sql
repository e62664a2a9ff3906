-- PLANNED becomes SENT, with the exact bytes, if nothing has come in between since it was read: the
-- lease is ours for long enough to send, the signer may still sign for the account (to close, that it could once is enough,
-- since the venue itself refuses a key that may not trade), and for an entry the signal, agent, deployment and controls still say so. A nonce of a sequence is given with it, if nobody has been given it
-- yet. An entry that was executed in what a restore has forgotten is known by its derived id. No row: send nothing. Why it was put off, if it was, is over.
WITH turn AS (
    SELECT v.account, v.venue, v.signer_address, v.approved_until, v.approval_lost_at
    FROM venue_orders o
    JOIN venue_accounts v ON v.account = o.account AND v.venue = o.venue
    WHERE o.id = CAST(:id AS uuid)
      AND v.lease_token = CAST(:token AS uuid) AND v.lease_until > clock_timestamp() + interval '15 seconds'
      AND (NOT :is_counted OR v.last_nonce < CAST(:nonce AS bigint))
    FOR NO KEY UPDATE OF v
), sent AS (
    UPDATE venue_orders o
    SET status = 'SENT', sent_at = now(), sent_under = CAST(:token AS uuid), collateral_usd = :collateral_usd,
        size = :size, limit_price = :limit_price, detail = coalesce(nullif(:detail, o.detail), '')
    FROM signals s, agent_deployments d, agents a, turn v
    WHERE o.id = CAST(:id AS uuid) AND o.status = 'PLANNED' AND o.due_at <= now()
      AND s.id = o.signal_id AND d.id = o.deployment_id AND a.id = d.agent_id
      AND v.account = o.account AND v.venue = o.venue
      AND (o.mode = 'PAPER' OR (v.signer_address = :signer_address
                                  AND (v.approved_until > now()
                                       OR (o.purpose = 'CLOSE' AND coalesce(v.approved_until, v.approval_lost_at) IS NOT NULL))))
      AND CASE WHEN o.purpose = 'ENTRY' THEN
              coalesce(s.expires_at, s.created_at + interval '5 minutes') > now() AND a.status = 'ACTIVE' AND d.status = 'ACTIVE' AND d.sub_active
              AND control_for(o.venue::text, a.id, d.id) = 'ACTIVE' AND NOT is_superseded(s.id) AND NOT has_opposite(o.id)
              AND NOT EXISTS (SELECT FROM unowned_fills u WHERE u.client_order_id = o.client_order_id)
              AND (d.max_leverage IS NULL OR o.leverage <= d.max_leverage)
              AND (d.max_notional_usd IS NULL OR :collateral_usd * o.leverage <= d.max_notional_usd)
              AND (CAST(:ceiling_usd AS numeric) IS NULL OR :collateral_usd * o.leverage <= CAST(:ceiling_usd AS numeric))
          ELSE
              control_for(NULL, NULL, NULL) <> 'HALTED'
              AND closable_qty(o.position_id, o.id) >= :size
          END
    RETURNING o.id, o.account, o.venue
), advanced AS (
    UPDATE venue_accounts v SET last_nonce = CAST(:nonce AS bigint)
    FROM sent s
    WHERE :is_counted AND v.account = s.account AND v.venue = s.venue
)
INSERT INTO venue_actions (order_id, kind, signer_address, nonce, payload, expires_at, tx_hash, send_count)
SELECT id, 'ORDER', :signer_address, CAST(:nonce AS bigint), :payload, CAST(:expires_at AS timestamptz), :tx_hash, 1 FROM sent
RETURNING order_id;
