CREATE SCHEMA shop;
CREATE TYPE shop.mood AS ENUM ('sad', 'ok');
CREATE TYPE shop.pair AS (a int, b text);
CREATE DOMAIN shop.positive AS numeric(9,2) CHECK (VALUE > 0);
CREATE DOMAIN shop.small AS shop.positive;
CREATE DOMAIN shop.matrix AS int[][];
CREATE TABLE shop.every_type (
  id bigint PRIMARY KEY,
  "a ""quoted"" name" int NOT NULL DEFAULT 0,
  bool boolean, int2 int2, int4 int4, int8 int8, oid oid, float4 float4, float8 float8,
  numeric numeric, numeric_14_2 numeric(14,2), numeric_50_10 numeric(50,10),
  text text, varchar varchar(10), bpchar char(5), name name, "char" "char",
  json json, jsonb jsonb,
  date date, "time" time, timetz timetz, "timestamp" timestamp, timestamptz timestamptz, "interval" interval,
  uuid uuid, bytea bytea,
  money money, inet inet, cidr cidr, macaddr macaddr, bit bit(3), varbit varbit, tsvector tsvector, tsquery tsquery,
  xml xml, int4range int4range, tstzrange tstzrange, point point, pg_lsn pg_lsn, jsonpath jsonpath,
  enum shop.mood, composite shop.pair, domain shop.small, generated int GENERATED ALWAYS AS (int4 + 1) STORED,
  int4s int[], texts text[], numerics numeric(5,1)[], matrix int[][], domain_matrix shop.matrix, enums shop.mood[],
  timestamptzs timestamptz[], jsonbs jsonb[], intervals interval[], byteas bytea[], uuids uuid[], domains shop.small[],
  inets inet[], bools boolean[], composites shop.pair[]
);
INSERT INTO shop.every_type VALUES (1, 7,
  true, -32768, 2147483646, -9223372036854775808, 4294967295, 0.1, 0.1,
  123456789012345678901234567890.123456789012345678901234567890, -12345.60, 1e20,
  E'a"\\\n\té\U0001F600', 'v', 'c', 'n', 'q',
  E'{"a": 1.10,\n "b":null, "a": 2}', '{"z": 1, "a": [1e2]}',
  '2024-02-29', '24:00', '04:05:06.5+05:30', '1999-12-31 23:59:59.999999', '2024-02-29 03:04:05.12+02', '1 year -2 mons 3 days 04:05:06.7',
  'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '\x00ff',
  12.5, '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03', '101', '1', 'a b', 'a & b',
  '<a/>', '[1,5)', '[2024-01-01 00:00+00,)', '(1,2)', '0/16B3748', '$.a',
  'ok', '(1,"x y")', 3.10, DEFAULT,
  '{1,NULL,3}', '{a,"b,c",NULL,""}', '{1.5,2}', '{{1,2},{3,4}}', '{{1}}', '{ok,sad}',
  '{2024-01-01 00:00+00}', ARRAY['{"a": 1}'::jsonb, 'null'], '{1 day}', ARRAY['\x01'::bytea],
  ARRAY['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid], '{1.25}', '{10.0.0.1}', '{t,f,NULL}', ARRAY[(1,'x')::shop.pair]);
INSERT INTO shop.every_type (id) VALUES (2);
ANALYZE shop.every_type;
