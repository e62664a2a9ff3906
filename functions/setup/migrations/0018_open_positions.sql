-- What an account has open at a venue is asked for each order: by account and token, on paper as live. Without an index
-- of just that, the answer took as long as its history, or as all that is open.
CREATE INDEX positions_open_by_account ON positions (account, venue, token_symbol) WHERE status = 'OPEN';
DROP INDEX positions_live;
