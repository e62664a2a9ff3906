-- A new agent.
INSERT INTO agents (id, creator_wallet, name, venue, status, weights, profit_receiver_address, created_at)
VALUES (:id, :creator_wallet, :name, :venue, :status, :weights, :profit_receiver_address, now());
