CREATE SCHEMA shop;
SELECT setseed(0.42);
CREATE TABLE shop.orders (id bigint PRIMARY KEY, order_uuid uuid, customer_id bigint, customer_email text,
  status text, currency text, amount numeric(14,2), discount double precision, quantity integer, is_gift boolean,
  note text, tags jsonb, shipping jsonb, created_at timestamptz, updated_at timestamptz);
INSERT INTO shop.orders SELECT i, gen_random_uuid(), (random() * 200000)::int,
  CASE WHEN random() > 0.02 THEN format('user%s@example.com', (random() * 200000)::int) END,
  (ARRAY['pending', 'paid', 'shipped', 'delivered', 'returned', 'cancelled'])[1 + (random() * 5)::int],
  (ARRAY['USD', 'EUR', 'JPY'])[1 + (random() * 2)::int], (random() * 1000)::numeric(14,2),
  CASE WHEN random() > 0.5 THEN random() END, 1 + (random() * 18)::int, random() > 0.9,
  CASE WHEN random() > 0.07 THEN repeat('naïve café “tea” 日本 ', (random() * 5)::int) END,
  to_jsonb((ARRAY['quick', 'brown', 'fox'])[1:(random() * 3)::int]),
  jsonb_build_object('city', 'São Paulo', 'zip', (random() * 99999)::int::text, 'lat', round((random() * 90)::numeric, 5)),
  '2020-01-01Z'::timestamptz + i * interval '37 seconds', '2021-01-01Z'::timestamptz + random() * interval '1 year'
FROM generate_series(1, :rows) i;
ANALYZE shop.orders
