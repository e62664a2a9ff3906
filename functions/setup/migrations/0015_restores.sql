-- A database that was restored to an earlier moment has forgotten what was traded since. Until somebody has matched what
-- the venues did with what it knows, it trades nothing; what it had taken in before is never traded by it.
CREATE TABLE restores (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    restored_to timestamptz NOT NULL,                          -- the moment the database stands at
    told_at     timestamptz NOT NULL DEFAULT clock_timestamp(),   -- the epoch: signals from before are refused
    told_by     text NOT NULL CHECK (told_by <> ''),
    reason      text NOT NULL CHECK (reason <> ''),
    matched_at  timestamptz,                                   -- null: open, nothing trades
    accepted_by text CHECK (accepted_by <> ''),                -- who ended it by their word, where no venue could be asked
    CONSTRAINT restores_to_the_past CHECK (restored_to <= told_at),
    CONSTRAINT restores_accepted_when_ended CHECK (accepted_by IS NULL OR matched_at IS NOT NULL)
);

-- An execution at a venue that nothing in the ledger accounts for, found after a restore: a person says whose it is.
CREATE TABLE unowned_fills (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    venue           venue_t NOT NULL,
    venue_fill_id   text NOT NULL,
    account         text NOT NULL,
    market_name     text NOT NULL,
    token_symbol    text NOT NULL,
    side            text NOT NULL CHECK (side IN ('LONG', 'SHORT')),
    size            numeric NOT NULL CHECK (size > 0),         -- base units
    price           numeric NOT NULL CHECK (price > 0),        -- USD per base unit
    fee             numeric NOT NULL,                          -- USD
    held_before     numeric NOT NULL,                          -- the net position that it met, base units
    at              timestamptz NOT NULL,                      -- the venue's time
    venue_ref       text NOT NULL,                             -- the venue's name for the order
    client_order_id text,
    found_at        timestamptz NOT NULL DEFAULT now(),
    decision        text CHECK (decision IN ('ADOPTED', 'IGNORED', 'EXPLAINED')),
    reason          text CHECK (reason <> ''),
    decided_by      text CHECK (decided_by <> ''),
    decided_at      timestamptz,
    position_id     uuid REFERENCES positions,
    UNIQUE (venue, venue_fill_id),
    CONSTRAINT unowned_fills_decided_whole CHECK (num_nulls(decision, reason, decided_by, decided_at) IN (0, 4)),
    CONSTRAINT unowned_fills_adopted_as_position CHECK ((position_id IS NOT NULL) = (decision IS NOT DISTINCT FROM 'ADOPTED'))
);
CREATE INDEX unowned_fills_undecided ON unowned_fills (found_at) WHERE decision IS NULL;
CREATE INDEX unowned_fills_named ON unowned_fills (account) WHERE client_order_id IS NOT NULL;
CREATE INDEX unowned_fills_adopted ON unowned_fills (position_id) WHERE position_id IS NOT NULL;

ALTER TABLE venue_accounts ADD COLUMN matched_at timestamptz;   -- when all that was done there since a restore was known here

CREATE FUNCTION guard_restore() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.matched_at IS NOT NULL OR NEW.matched_at IS NULL
       OR to_jsonb(OLD) - ARRAY['matched_at', 'accepted_by'] <> to_jsonb(NEW) - ARRAY['matched_at', 'accepted_by'] THEN
        RAISE EXCEPTION 'restore %: it is ended once, and nothing else changes', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (SELECT FROM unowned_fills u WHERE u.decision IS NULL) THEN
        RAISE EXCEPTION 'restore %: fills without an owner wait for a decision', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER restores_guard BEFORE UPDATE ON restores FOR EACH ROW EXECUTE FUNCTION guard_restore();
CREATE TRIGGER restores_kept BEFORE DELETE ON restores FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER restores_no_truncate BEFORE TRUNCATE ON restores EXECUTE FUNCTION refuse_change();

CREATE FUNCTION guard_unowned() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    decided constant text[] := ARRAY['decision', 'reason', 'decided_by', 'decided_at', 'position_id'];
BEGIN
    IF OLD.decision IS NOT NULL OR to_jsonb(OLD) - decided <> to_jsonb(NEW) - decided THEN
        RAISE EXCEPTION 'fill %: it is decided once, and what was told of it stays', OLD.venue_fill_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER unowned_fills_guard BEFORE UPDATE ON unowned_fills FOR EACH ROW EXECUTE FUNCTION guard_unowned();
CREATE TRIGGER unowned_fills_kept BEFORE DELETE ON unowned_fills FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER unowned_fills_no_truncate BEFORE TRUNCATE ON unowned_fills EXECUTE FUNCTION refuse_change();

-- Whether a signal was made, or taken in, before the database was last restored: it may have been traded in what is forgotten.
CREATE FUNCTION is_before_restore(of_signal uuid) RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT EXISTS (SELECT FROM signals s JOIN restores r ON r.told_at > least(s.created_at, s.received_at) WHERE s.id = of_signal)
$$;

-- As before, and: what a restore has made doubtful is not opened.
CREATE OR REPLACE FUNCTION is_superseded(of_signal uuid) RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT is_before_restore(of_signal) OR EXISTS (
        SELECT FROM signals s
        JOIN signals c ON c.agent_id = s.agent_id AND c.token_symbol = s.token_symbol AND c.action = 'CLOSE' AND c.id <> s.id
        WHERE s.id = of_signal AND c.decided_at IS NOT NULL AND (c.side IS NULL OR c.side = s.side)
          AND NOT is_before_restore(c.id)
          AND c.received_at >= coalesce(s.received_at, s.created_at))
$$;

-- As before, and: all is HALTED while a restore is open.
CREATE OR REPLACE FUNCTION control_for(of_venue text, of_agent uuid, of_deployment uuid) RETURNS text STABLE LANGUAGE sql AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM restores r WHERE r.matched_at IS NULL) THEN 'HALTED' ELSE coalesce((
        SELECT c.state FROM trading_controls c
        WHERE c.scope = 'global' OR (c.scope = 'venue' AND c.id = of_venue)
           OR (c.scope = 'agent' AND c.id = of_agent::text) OR (c.scope = 'deployment' AND c.id = of_deployment::text)
        ORDER BY array_position(ARRAY['HALTED', 'CLOSE_ONLY', 'ACTIVE'], c.state) LIMIT 1
    ), 'ACTIVE') END
$$;

-- As before, and: a CLOSE from before a restore takes nothing. It may have been carried out in what is forgotten.
CREATE OR REPLACE FUNCTION exposures_of(of_signal uuid) RETURNS jsonb STABLE LANGUAGE sql AS $$
    WITH closing AS (SELECT * FROM signals WHERE id = of_signal AND NOT is_before_restore(id)), exposed AS (
        SELECT p.id AS position_id, p.deployment_id, p.venue, p.account, p.mode, e.market_name, p.side, p.leverage,
               NULL::uuid AS after_order_id
        FROM closing c
        JOIN agent_deployments d ON d.agent_id = c.agent_id
        JOIN positions p ON p.deployment_id = d.id AND p.token_symbol = c.token_symbol AND p.status = 'OPEN'
        JOIN venue_orders e ON (e.position_id = p.id AND e.purpose = 'ENTRY' AND e.status = 'FILLED') OR (p.unexpected AND e.id = p.id)
        JOIN signals s ON s.id = e.signal_id AND coalesce(s.received_at, s.created_at) <= coalesce(c.received_at, now())
        UNION ALL
        SELECT o.position_id, o.deployment_id, o.venue, o.account, o.mode, o.market_name, o.side, o.leverage, o.id
        FROM closing c
        JOIN signals s ON s.agent_id = c.agent_id AND s.token_symbol = c.token_symbol
                      AND coalesce(s.received_at, s.created_at) <= coalesce(c.received_at, now())
        JOIN venue_orders o ON o.signal_id = s.id AND o.purpose = 'ENTRY' AND o.status IN ('SENT', 'ACCEPTED')
    )
    SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY x.position_id), '[]')
    FROM exposed x, closing c
    WHERE c.side IS NULL OR c.side = x.side
$$;

-- A restored database takes an order's executions over that it has forgotten: the order is written down again as one that
-- was executed after it had ended, under its own id where that was ours, and its position is an unexpected one of this
-- deployment. Nothing of it was or ever will be signed: its action has a nonce below zero.
CREATE FUNCTION adopt_unowned(of_fill uuid, by_deployment uuid, decider text, why text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    told unowned_fills;
    follows agent_deployments;
    signer text;
    token constant uuid := gen_random_uuid();
    lost_signal constant uuid := gen_random_uuid();
    adopted uuid := gen_random_uuid();
    bought numeric;
    cost numeric;
BEGIN
    SELECT * INTO told FROM unowned_fills u WHERE u.id = of_fill AND u.decision IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'fill %: there is none of that id that waits for a decision', of_fill USING ERRCODE = 'no_data_found';
    END IF;
    SELECT * INTO follows FROM agent_deployments d WHERE d.id = by_deployment AND lower(d.user_wallet) = told.account;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'fill %: deployment % does not trade for account %', of_fill, by_deployment, told.account
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM unowned_fills u
               WHERE u.venue = told.venue AND u.venue_ref = told.venue_ref AND u.decision IS NULL
                 AND u.held_before * CASE u.side WHEN 'LONG' THEN 1 ELSE -1 END < 0) THEN
        RAISE EXCEPTION 'fill %: it reduced what the account held, and opened nothing', of_fill USING ERRCODE = 'check_violation';
    END IF;
    SELECT sum(u.size), sum(u.size * u.price) INTO bought, cost FROM unowned_fills u
    WHERE u.venue = told.venue AND u.venue_ref = told.venue_ref AND u.decision IS NULL;
    IF told.client_order_id ~ '^0x[0-9a-f]{32}$'
       AND NOT EXISTS (SELECT FROM venue_orders o WHERE o.client_order_id = told.client_order_id) THEN
        adopted := substr(told.client_order_id, 3)::uuid;
    END IF;
    UPDATE venue_accounts a SET lease_token = token, lease_until = clock_timestamp() + interval '30 seconds'
    WHERE a.account = told.account AND a.venue = told.venue AND (a.lease_until IS NULL OR a.lease_until < clock_timestamp())
    RETURNING a.signer_address INTO signer;
    IF signer IS NULL THEN
        RAISE EXCEPTION 'fill %: account % has no key, or a worker has it now', of_fill, told.account USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO signals (id, agent_id, token_symbol, venue, requested_venue, side, size_model, created_at, received_at, decided_at,
                         skipped_reason)
    VALUES (lost_signal, follows.agent_id, told.token_symbol, told.venue, told.venue, told.side,
            jsonb_build_object('type', 'fixed-usdc', 'value', cost::text, 'leverage', '1'), told.at, told.at, now(),
            'stands for a signal that a restored database has forgotten: ' || why);
    INSERT INTO venue_orders (id, signal_id, deployment_id, position_id, purpose, leg, attempt, venue, account, mode, token_symbol,
                              market_name, side, reduce_only, leverage)
    VALUES (adopted, lost_signal, follows.id, adopted, 'ENTRY', 'ENTRY', 1, told.venue, told.account, 'LIVE', told.token_symbol,
            told.market_name, told.side, false, 1);
    UPDATE venue_orders SET status = 'SENT', sent_at = now(), sent_under = token, collateral_usd = 0, size = bought,
           limit_price = cost / bought, venue_ref = told.venue_ref
    WHERE id = adopted;
    INSERT INTO venue_actions (order_id, kind, signer_address, nonce, payload, expires_at)
    VALUES (adopted, 'ORDER', signer, -(extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 'forgotten by a restore', now());
    UPDATE venue_orders SET status = 'EXPIRED', settled_at = now(), detail = 'forgotten by a restore, adopted by ' || decider || ': ' || why
    WHERE id = adopted;
    INSERT INTO venue_fills (order_id, venue, venue_fill_id, size, price, fee, at)
    SELECT adopted, u.venue, u.venue_fill_id, u.size, u.price, u.fee, u.at FROM unowned_fills u
    WHERE u.venue = told.venue AND u.venue_ref = told.venue_ref AND u.decision IS NULL;
    INSERT INTO positions (id, deployment_id, signal_id, venue, token_symbol, side, qty, entry_price, status, opened_at, mode, account,
                           leverage, open_qty, fees_usd, venue_ref, unexpected)
    SELECT adopted, follows.id, NULL, told.venue, told.token_symbol, told.side, bought, cost / bought, 'OPEN', now(), 'LIVE', told.account,
           1, bought, (SELECT sum(f.fee) FROM venue_fills f WHERE f.order_id = adopted), told.venue_ref, true;
    UPDATE unowned_fills u SET decision = 'ADOPTED', reason = why, decided_by = decider, decided_at = now(), position_id = adopted
    WHERE u.venue = told.venue AND u.venue_ref = told.venue_ref AND u.decision IS NULL;
    UPDATE venue_accounts a SET lease_token = NULL, lease_until = NULL
    WHERE a.account = told.account AND a.venue = told.venue AND a.lease_token = token;
    RETURN adopted;
END
$$;
