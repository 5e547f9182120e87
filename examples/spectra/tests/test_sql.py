"""What may be asked of the warehouse, asked of the API: nothing that is refused here reaches it."""

from __future__ import annotations

import pytest
from examples.spectra.local.stack import Stack
from examples.spectra.tests.conftest import asked

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("spectra")]

GOOD = [
    "SELECT 1 AS one",
    "SELECT 1 AS one;",
    "-- a comment\nSELECT 1 /* another */ AS one",
    "SELECT ';' AS text, ':no' AS other",
    "WITH few AS (SELECT * FROM orders LIMIT 3) SELECT COUNT(*) AS n FROM few",
    "(SELECT 1 AS one) UNION ALL SELECT 2",
    "SELECT 1 AS one EXCEPT SELECT 2",
    "SELECT country, COUNT(*) AS n FROM customers GROUP BY 1 HAVING COUNT(*) > 1 ORDER BY n DESC",
    "SELECT order_id, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY order_id) AS n FROM orders LIMIT 5",
    "SELECT LISTAGG(name, ',') WITHIN GROUP (ORDER BY name) AS names FROM customers WHERE customer_id < 4",
    "SELECT NVL(note, 'none') AS note, LEN(note) AS letters, order_id::VARCHAR AS id FROM orders WHERE order_id = 10",
]

# By a part of what the refusal says
BAD = [
    ("", "at least 1 character"),
    ("   ", "exactly one statement is needed, found 0"),
    ("SELECT 1; SELECT 2", "exactly one statement is needed, found 2"),
    ("SELECT 1; DROP TABLE orders", "exactly one statement is needed"),
    ("SELEC 1", ""),
    ("SELECT * FROM (", ""),
    ("SELECT 'open", "no SQL that can be read"),
    (r"SELECT 'the quote\' OR 1 = 1", "no SQL that can be read"),
    ("SELECT 1\0", "no SQL that can be read"),
    # What can't be written for Redshift isn't left out: without it the statement means something else
    ("SELECT * FROM orders TABLESAMPLE (10)", "TABLESAMPLE"),
    ("DROP TABLE orders", "only SELECT"),
    ("INSERT INTO orders SELECT * FROM orders", "only SELECT"),
    ("UPDATE orders SET note = 'x'", "only SELECT"),
    ("DELETE FROM orders", "only SELECT"),
    ("TRUNCATE orders", "only SELECT"),
    ("MERGE INTO orders USING customers ON TRUE WHEN MATCHED THEN DELETE", "only SELECT"),
    ("CREATE TABLE more AS SELECT * FROM orders", "only SELECT"),
    ("GRANT ALL ON orders TO PUBLIC", "only SELECT"),
    ("COPY orders FROM 's3://bucket'", "only SELECT"),
    ("UNLOAD ('SELECT 1') TO 's3://bucket'", "only SELECT"),
    ("CALL procedure()", "only SELECT"),
    ("SET search_path TO other", "only SELECT"),
    ("BEGIN", "only SELECT"),
    ("EXPLAIN SELECT 1", "only SELECT"),
    ("VALUES (1)", "only SELECT"),
    ("WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone", "WITH may hold SELECTs only"),
    ("SELECT * INTO more FROM orders", "INTO is not allowed"),
    ("SELECT * FROM orders FOR UPDATE", "LOCK is not allowed"),
    ("SELECT * FROM pg_user", "belongs to the system"),
    ("SELECT * FROM PG_CATALOG.pg_class", "belongs to the system"),
    ("SELECT * FROM information_schema.tables", "belongs to the system"),
    ("SELECT * FROM stl_query", "belongs to the system"),
    ("SELECT * FROM svv_all_tables", "belongs to the system"),
    ("SELECT (SELECT COUNT(*) FROM stv_sessions) AS n", "belongs to the system"),
    ("SELECT * FROM '/etc/passwd'", "is no table"),
    ('SELECT * FROM "/etc/passwd"', "is no table"),
    ("SELECT * FROM read_csv('/etc/passwd')", "not allowed"),
    ("SELECT * FROM read_text('/etc/passwd')", "the function `read_text` is not allowed"),
    ("SELECT * FROM generate_series(1, 1000000000)", "no functions"),
    ("SELECT pg_terminate_backend(1)", "is not allowed"),
    ("SELECT exfiltrate(note) FROM orders", "the function `exfiltrate` is not allowed"),
    ("SELECT theirs.exfiltrate(note) FROM orders", "functions of a schema"),
    ("SELECT ?", "write `:name`"),
    ("SELECT $1", "not allowed"),
    ("SELECT :missing", "no value is given for the parameter `:missing`"),
]


@pytest.mark.parametrize("sql", GOOD)
def test_what_only_reads_is_run(stack: Stack, sql: str) -> None:
    status, answer = asked(stack, "POST", "/v1/queries", {"sql": sql})
    assert status == 200, answer
    assert answer["rows"]


@pytest.mark.parametrize(("sql", "said"), BAD)
def test_everything_else_is_refused_in_words(stack: Stack, sql: str, said: str) -> None:
    for path in ("/v1/queries", "/v1/jobs"):
        status, problem = asked(stack, "POST", path, {"sql": sql})
        assert status == 422, problem
        assert said in str(problem["detail"]) + str(problem.get("errors")), problem


def test_a_statement_of_any_depth_gets_an_answer(stack: Stack) -> None:
    deep = [
        "(" * 5000,
        f"SELECT {'(' * 3000}1{')' * 3000}",
        f"SELECT 1{'::INT' * 9000}",
        f"SELECT a{'.a' * 9000}",
        f"SELECT {'NOT ' * 9000}TRUE",
        f"{'SELECT * FROM (' * 1000}SELECT 1{')' * 1000}",
        f"SELECT {'CASE WHEN TRUE THEN ' * 2000}1{' END' * 2000}",
    ]
    for sql in deep:
        status, problem = asked(stack, "POST", "/v1/queries", {"sql": sql})
        assert status == 422, (sql[:40], problem)


def test_a_string_ends_where_it_was_read_to_end(stack: Stack) -> None:
    ask = {"sql": r"SELECT 'it''s' AS a, 'it\'s' AS b, 'c\\' AS c, '/* -- ; */' AS d"}
    row = {"a": "it's", "b": "it's", "c": "c\\", "d": "/* -- ; */"}
    assert asked(stack, "POST", "/v1/queries", ask)[1]["rows"] == [row]
    # As it goes to the warehouse no backslash is before a quote that goes on: there are settings in which that ends
    _, job = asked(stack, "POST", "/v1/jobs", {"sql": r"SELECT 'it\'s; DROP TABLE orders' AS a"})
    assert job["sql"] == "SELECT 'it''s; DROP TABLE orders' AS a"


def test_a_value_is_never_sql(stack: Stack) -> None:
    evil = "x' OR '1'='1'; DROP TABLE orders; --"
    ask = {"sql": "SELECT COUNT(*) AS n FROM orders WHERE note = :note", "parameters": {"note": evil}}
    assert asked(stack, "POST", "/v1/queries", ask) == (200, {"columns": ["n"], "rows": [{"n": 0}]})
    ask = {"sql": "SELECT :text AS text", "parameters": {"text": evil}}
    assert asked(stack, "POST", "/v1/queries", ask)[1]["rows"] == [{"text": evil}]
    unused = {"sql": "SELECT 1", "parameters": {"extra": 1}}
    assert "no parameter `:extra`" in asked(stack, "POST", "/v1/queries", unused)[1]["detail"]
    for name in ("1", "a b", "a;b", ""):
        assert asked(stack, "POST", "/v1/queries", {"sql": "SELECT 1", "parameters": {name: 1}})[0] == 422
