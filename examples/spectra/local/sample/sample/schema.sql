-- A shop's orders: the same ones each time, made up by arithmetic
CREATE TABLE customers AS
SELECT
    CAST(i AS INTEGER) AS customer_id,
    'Customer ' || i AS name,
    ['DE', 'FR', 'GB', 'PL', 'US'][1 + CAST(i * 7 % 5 AS INTEGER)] AS country
FROM range(1, 501) AS made(i);

CREATE TABLE orders AS
SELECT
    CAST(i AS BIGINT) AS order_id,
    CAST(1 + (i * 7919) % 500 AS INTEGER) AS customer_id,
    CAST(((i * 31337) % 50000) / 100.0 AS DECIMAL(12, 2)) AS amount,
    i % 13 = 0 AS gift,
    CAST((i * 17 % 1000) / 1000.0 AS DOUBLE) AS weight,
    DATE '2026-01-01' + CAST(i % 300 AS INTEGER) AS ordered_on,
    TIMESTAMP '2026-01-01 08:00:00' + to_seconds(CAST(i * 61 AS BIGINT)) AS ordered_at,
    CASE WHEN i % 10 = 0 THEN NULL ELSE 'Note ' || (i * 101) % 9973 END AS note
FROM range(1, 20001) AS made(i);
