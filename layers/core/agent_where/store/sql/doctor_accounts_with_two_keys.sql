-- Accounts with orders under way that another key has signed than theirs, and keys that stand for more than one account.
-- Bounds that rest outlive the key that placed them: an account gets another while they do.
WITH told AS (
    SELECT a.account, min(o.sent_at) AS since, concat('at ', a.venue, ' signs as ', coalesce(a.signer_address, 'nobody'), ', orders under way as ',
                                                      string_agg(DISTINCT c.signer_address, ' ')) AS detail
    FROM venue_accounts a
    JOIN venue_orders o ON o.account = a.account AND o.venue = a.venue AND o.mode = 'LIVE'
                       AND (o.status = 'SENT' OR (o.status = 'ACCEPTED' AND o.purpose NOT IN ('TAKE_PROFIT', 'STOP_LOSS')))
    JOIN venue_actions c ON c.order_id = o.id AND c.kind = 'ORDER' AND c.signer_address IS DISTINCT FROM a.signer_address
    GROUP BY a.account, a.venue, a.signer_address
    UNION ALL
    SELECT string_agg(a.account, ' ' ORDER BY a.account), min(a.created_at), 'one key for all of them: ' || a.key_ref
    FROM venue_accounts a WHERE a.key_ref IS NOT NULL GROUP BY a.key_ref HAVING count(*) > 1
)
SELECT t.account AS id, t.since, count(*) OVER () AS total, t.detail FROM told t ORDER BY t.since LIMIT :at_most;
