"""What the local warehouse takes for Redshift SQL, and what it refuses as Redshift does."""

from __future__ import annotations

import pytest

from local.redshift_sql import SqlError, body_statements, has_limit, parse

BOTH = "when matched then update set a = u.a when not matched then insert values (u.a)"
REFUSED = {
    "selec 1": "syntax error",
    "select 'open": "syntax error",
    "": "end of input",
    "select 1; select 2": "multiple commands",
    "begin": "BatchExecuteStatement",
    "truncate table s.t": "TRUNCATE commits",
    "create index i on s.t (a)": "create index",
    "create or replace table s.t (a integer)": 'near "or"',
    "create table if not exists s.t as select 1 as a": 'near "not"',
    "create table s.t (a uuid)": 'type "uuid" does not exist',
    "create table s.t (a integer) distkey (b)": 'column "b" named in key',
    "create table s.t (a integer identity(1, 1))": "identity",
    "create table s.t (a varchar(70000))": "cannot exceed 65535",
    "alter table s.t add column if not exists a integer": "IF [NOT] EXISTS",
    "alter table s.t add column a integer, add column b integer": "one action",
    "alter table s.t add column a integer not null": "non-null default",
    "insert into s.t values (1) on conflict do nothing": 'near "conflict"',
    "insert into s.t values (1) returning a": 'near "returning"',
    "select count(*) filter (where a > 1) from s.t": 'near "filter"',
    "select distinct on (a) a, b from s.t": "DISTINCT ON",
    "select * from (values (1)) as v": "VALUES is for INSERT",
    "select [1, 2]": "syntax error",
    "select string_agg(a, ',') from s.t": "function string_agg()",
    "select corr(a, b) from s.t": "function corr()",
    "select list_sort(a) from s.t": "function list_sort()",
    "select read_text('/etc/hosts')": "function read_text()",
    "select * from read_csv('/etc/hosts')": "functions in FROM",
    "select median(a), median(b) from s.t": "within group ORDER BY",
    "select tag from s.t": "a reserved word",
    "create table s.t (percent integer)": "a reserved word",
    "vacuum": "does not implement",
    "grant select on s.t to u": "does not implement",
    "grant insert for tables in schema s to role r": "does not implement",
    "create role if not exists r": "does not implement",
    "create procedure s.p() as $$ begin delete from s.t; end; $$ language plpgsql": "create or replace",
    "create or replace procedure s.p(a integer) as $$ begin delete from s.t; end; $$ language plpgsql": "without arg",
    "create or replace procedure s.p() as $$ delete from s.t; $$ language plpgsql": "begin … end",
    "create or replace procedure s.p() as $$ begin delete from s.t end; $$ language plpgsql": "semicolon",
    "create or replace procedure s.p() as $$ begin truncate table s.t; end; $$ language plpgsql": "TRUNCATE commits",
    "create or replace procedure s.p() as $$ begin select 1; end; $$ language plpgsql": "in a procedure",
    "call s.p(1)": "does not implement",
    "select 1 where 1 = :missing": ":missing",
    f"merge into s.t using (select 1 as a) as u on t.a = u.a {BOTH}": "the source of MERGE is a table",
    f"merge into s.t as v using s.u on v.a = u.a {BOTH}": "the target of MERGE has no alias",
    f"merge into s.t using s.t on t.a = t.a {BOTH}": "must be different",
    f"merge into s.t using s.u on t.a > u.a {BOTH}": "equal predicates",
    "merge into s.t using s.u on t.a = u.a when not matched then insert values (u.a)": "one WHEN MATCHED and one",
    f"merge into s.t using s.u on t.a = u.a {BOTH.replace('matched', 'matched and u.a = 1', 1)}": "has no condition",
    f"merge into s.t using s.u on t.a = u.a {BOTH.replace('set a', 'set t.a')}": "without its table",
    "merge into s.t using s.u on t.a = u.a remove duplicates": "REMOVE DUPLICATES",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refuses(text: str) -> None:
    with pytest.raises(SqlError) as error:
        parse(text, in_batch=True)
    assert REFUSED[text] in str(error.value)


def test_truncate_is_fine_outside_a_batch() -> None:
    assert parse("truncate table s.t").kind == "change"


def test_keys_and_encodings_are_read_and_left_out() -> None:
    table = parse(
        "create table s.t (A integer encode az64 not null, b varchar, c decimal, primary key (a))"
        " diststyle key distkey (a) compound sortkey (a, b)"
    )
    assert [column.definition for column in table.columns] == [
        '"a" integer not null',
        '"b" varchar check (strlen("b") <= 256)',
        '"c" decimal(18,0)',
    ]
    assert [column.redshift_type for column in table.columns] == ["integer", "varchar(256)", "decimal(18,0)"]


def test_names_fold_to_lower_case() -> None:
    assert parse('select "Title" from S.Films as F').duckdb == ['SELECT "title" FROM "s"."films" AS "f"']


def test_reserved_words_can_be_quoted() -> None:
    assert parse('select "tag", language from s.t').kind == "query"


def test_nulls_sort_as_the_largest() -> None:
    assert parse("select a from t order by a desc").duckdb[0].endswith("NULLS FIRST")


def test_parameters_become_literals() -> None:
    sql = parse("select a from t where b = :b and c like '%:b'", {"b": "it's'; drop table t; --"}).duckdb[0]
    assert sql == """SELECT "a" FROM "t" WHERE "b" = 'it''s''; drop table t; --' AND "c" LIKE '%:b'"""


def test_a_procedure_is_its_statements() -> None:
    body = "\nbegin\ndrop table s.a;\n\ncreate table s.a as select 1 as b;\nend;\n"
    procedure = parse(f"create or replace procedure S.p () as $${body}$$ language plpgsql")
    assert (procedure.kind, procedure.name) == ("create procedure", "s.p")
    assert [part.kind for part in body_statements(procedure.body)] == ["change", "create table as"]
    assert parse("call s.p()").name == "s.p"


def test_grants_of_a_role() -> None:
    schemas = parse("grant usage on schema a, b to role analyst").grants
    assert [(grant.role, grant.privilege, grant.scope, grant.schema) for grant in schemas] == [
        ("analyst", "usage", "schema", "a"),
        ("analyst", "usage", "schema", "b"),
    ]
    assert parse("grant select for tables in schema a to role analyst").grants[0].scope == "tables"


def test_drops_of_several_tables() -> None:
    assert parse("drop table if exists s.a, s.b").duckdb == [
        'DROP TABLE IF EXISTS "s"."a"',
        'DROP TABLE IF EXISTS "s"."b"',
    ]


def test_limit_of_the_outer_select() -> None:
    assert has_limit("select * from (select 1 as a) limit 1")
    assert not has_limit("select * from (select 1 as a limit 1)")
