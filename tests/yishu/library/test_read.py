from datetime import timedelta

import pytest

from yishu.library.errors import ColumnMissing, TableMissing, VersionMissing
from yishu.library.read import (
    batches,
    by_key,
    read,
    relation,
    schema,
    session,
    tables,
    version_at,
)


@pytest.fixture
def two_versions(publish):
    publish("r1", {"A": "甲", "B": "乙"})
    publish("r2", {"A": "新甲", "B": None, "C": "丙"})


@pytest.mark.usefixtures("two_versions")
class TestReadDoor:
    def test_the_newest_version_is_read_unless_another_is_named(self, root, table):
        assert sorted(read(root, table)["uscc"].to_pylist()) == ["A", "B", "C"]
        assert sorted(read(root, table, version=0)["uscc"].to_pylist()) == ["A", "B"]

    def test_columns_come_in_the_order_asked_for(self, root, table):
        found = read(root, table, columns=["_run_id", "uscc"], where={"uscc": "C"})

        assert found.to_pylist() == [{"_run_id": "r2", "uscc": "C"}]

    def test_a_key_finds_its_row_with_its_origin_or_nothing(self, root, table):
        (row,) = by_key(root, table, {"uscc": "A"}).to_pylist()

        assert (row["name"], row["_provider_org"], row["_run_id"], row["_landed_row"]) == (
            "新甲",
            "market_regulation",
            "r2",
            0,
        )
        assert by_key(root, table, {"uscc": "A' OR '1'='1"}).num_rows == 0
        assert by_key(root, table, {"uscc": "A"}, version=0)["name"].to_pylist() == ["甲"]

    def test_a_value_given_as_text_is_read_as_the_type_of_its_column(self, root, table):
        assert read(root, table, where={"_landed_row": "2"})["uscc"].to_pylist() == ["C"]
        assert read(root, table, where={"_landed_row": "two"}).num_rows == 0

    def test_no_more_rows_come_than_asked_for(self, root, table):
        assert read(root, table, limit=2).num_rows == 2
        assert read(root, table, limit=0).num_rows == 0

    def test_none_as_a_condition_means_null(self, root, table):
        assert read(root, table, where={"name": None})["uscc"].to_pylist() == ["B"]

    def test_the_version_of_a_moment_is_the_newest_one_then(self, root, table, moment):
        assert version_at(root, table, moment) == 0
        assert version_at(root, table, moment + timedelta(hours=23)) == 0
        assert version_at(root, table, moment + timedelta(days=400)) == 1
        with pytest.raises(VersionMissing, match="ask for a later moment"):
            version_at(root, table, moment - timedelta(seconds=1))

    def test_pandas_and_duckdb_take_it_from_here(self, root, table):
        frame = read(root, table).to_pandas()
        assert len(frame) == 3

        with session() as connection:
            found = relation(connection, root, table).aggregate("count(*), max(uscc)")
            assert found.fetchall() == [(3, "C")]

    def test_a_stream_has_the_schema_of_the_table(self, root, table):
        reader = batches(root, table)

        assert reader.schema.names == schema(root, table).names
        assert reader.read_all().num_rows == 3

    @pytest.mark.parametrize("version", [-1, 2, 99])
    def test_a_version_that_is_not_there_is_said_to_be_so(self, root, table, version):
        with pytest.raises(VersionMissing, match="from 0 to 1"):
            read(root, table, version=version)

    def test_a_column_that_is_not_there_is_named(self, root, table):
        with pytest.raises(ColumnMissing, match="no column secret"):
            read(root, table, columns=["secret"])
        with pytest.raises(ColumnMissing, match="no column secret"):
            by_key(root, table, {"secret": 1})


def test_an_empty_library_has_no_tables(root, table):
    assert tables(root) == []
    with pytest.raises(TableMissing, match="run the pipeline"):
        read(root, table)
