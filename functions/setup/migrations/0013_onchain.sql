-- Venues on a chain: transactions with counted nonces, an order that costs although it ended without fills, and
-- positions that others close one by one.

-- The first nonce of a chain is 0, so "none yet" is below it. Rows of a signer that has signed nothing are told by their 0.
ALTER TABLE venue_accounts
    ALTER COLUMN last_nonce SET DEFAULT -1,
    ADD COLUMN exits_cursor bigint,                            -- up to where the venue's own exits are booked; null: never asked
    ADD COLUMN low_on_gas   boolean NOT NULL DEFAULT false;    -- the signer cannot pay for many more transactions
ALTER TABLE venue_accounts DISABLE TRIGGER venue_accounts_guard;
UPDATE venue_accounts SET last_nonce = -1 WHERE last_nonce = 0;
ALTER TABLE venue_accounts ENABLE TRIGGER venue_accounts_guard;

-- As before; another signer begins a sequence of its own.
CREATE OR REPLACE FUNCTION guard_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.lease_token <> OLD.lease_token AND OLD.lease_until > clock_timestamp() THEN
        RAISE EXCEPTION 'account %: another worker holds its lease', OLD.account USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.last_nonce < OLD.last_nonce AND NEW.signer_address IS NOT DISTINCT FROM OLD.signer_address THEN
        RAISE EXCEPTION 'account %: a nonce is never used twice', OLD.account USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.exits_cursor < OLD.exits_cursor THEN
        RAISE EXCEPTION 'account %: what was read is not unread', OLD.account USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

-- As before, but what takes an order's nonce and does nothing else may go for as long as the order has no end.
CREATE OR REPLACE FUNCTION guard_action() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(OLD) - ARRAY['send_count', 'outcome'] <> to_jsonb(NEW) - ARRAY['send_count', 'outcome'] THEN
        RAISE EXCEPTION 'action %: stored bytes are never changed', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.send_count < OLD.send_count THEN
        RAISE EXCEPTION 'action %: a sending cannot be taken back', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.send_count > OLD.send_count AND NEW.kind IN ('ORDER', 'REPLACE') THEN
        IF NEW.expires_at <= clock_timestamp() AND NEW.kind = 'ORDER' THEN
            RAISE EXCEPTION 'action %: what has expired is not sent again', OLD.id USING ERRCODE = 'restrict_violation';
        END IF;
        IF EXISTS (SELECT FROM venue_orders o WHERE o.id = NEW.order_id AND o.settled_at IS NOT NULL) THEN
            RAISE EXCEPTION 'action %: its order has ended: nothing is sent again', OLD.id USING ERRCODE = 'restrict_violation';
        END IF;
    END IF;
    RETURN NEW;
END
$$;

-- A transaction is stored once, whatever it is of.
CREATE UNIQUE INDEX venue_actions_one_transaction ON venue_actions (tx_hash) WHERE tx_hash IS NOT NULL;

-- Whose bounds the venue took with the entry and carries out: no orders of ours rest there for them.
ALTER TABLE positions ADD COLUMN carries_bounds boolean NOT NULL DEFAULT false;

-- An order that was sent may have cost something although nothing of it was executed.
ALTER TABLE venue_orders
    DROP CONSTRAINT venue_orders_executed_when_filled,
    ADD CONSTRAINT venue_orders_executed_when_filled
        CHECK (CASE WHEN status = 'FILLED' THEN num_nulls(filled_size, average_price, fee) = 0
                    ELSE num_nonnulls(filled_size, average_price) = 0 END) NOT VALID,
    ADD CONSTRAINT venue_orders_cost_without_fills
        CHECK (fee IS NULL OR status = 'FILLED'
               OR (status IN ('REJECTED', 'EXPIRED') AND sent_at IS NOT NULL AND fee > 0)) NOT VALID;

-- What the orders of a position have cost that ended without fills, in USD: entries refused elsewhere before it was
-- opened, and exits.
CREATE FUNCTION costs_of(of_position uuid) RETURNS numeric STABLE LANGUAGE sql AS $$
    SELECT coalesce(sum(o.fee), 0) FROM venue_orders o
    WHERE o.position_id = of_position AND o.status IN ('REJECTED', 'EXPIRED')
$$;

-- As before, with what orders without fills have cost.
CREATE OR REPLACE FUNCTION books_of(of_position uuid)
RETURNS TABLE (open_qty numeric, exit_price numeric, fees_usd numeric, pnl numeric) STABLE LANGUAGE sql AS $$
    WITH entries AS (
        SELECT sum(f.size) AS size, sum(f.size * f.price) AS value, sum(f.fee) + costs_of(of_position) AS fee
        FROM venue_orders o JOIN venue_fills f ON f.order_id = o.id
        WHERE (o.position_id = of_position AND o.purpose = 'ENTRY' AND o.status = 'FILLED') OR o.id = of_position
    ), exits AS (
        SELECT sum(x.part) AS size, sum(x.part * x.price) AS value,
               sum(CASE WHEN x.part = x.size THEN x.fee ELSE x.fee * x.part / x.size END) AS fee
        FROM exits_of(of_position) x
    )
    SELECT p.qty - x.size, x.value / x.size, e.fee + x.fee,
           (x.value - e.value * x.size / e.size) * CASE p.side WHEN 'LONG' THEN 1 ELSE -1 END - (e.fee + x.fee)
    FROM positions p, entries e, exits x
    WHERE p.id = of_position AND x.size > 0
$$;
