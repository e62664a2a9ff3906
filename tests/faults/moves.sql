-- What the judges read: every move of every order, whoever made it.
CREATE TABLE moves (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id uuid NOT NULL,
    was      text,
    became   text NOT NULL
);
CREATE FUNCTION record_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO moves (order_id, was, became) VALUES (NEW.id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status END, NEW.status);
    RETURN NULL;
END
$$;
CREATE TRIGGER record_first AFTER INSERT ON venue_orders FOR EACH ROW EXECUTE FUNCTION record_move();
CREATE TRIGGER record_move AFTER UPDATE ON venue_orders FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION record_move();
