"""pyarrow from a slimmed layer: Parquet with each codec, other formats, kernels, exceptions."""

from __future__ import annotations

import pytest
from tests.journeys.layers import Layer

# One worker, for all tests share what is built first
pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("used")]


def test_parquet_with_each_codec(warehouse: Layer) -> None:
    answer = warehouse.run("""
import pyarrow as pa, pyarrow.parquet as pq
from datetime import datetime
from decimal import Decimal
table = pa.table({
    "id": list(range(2000)),
    "name": pa.array(["red", None, "blue", "green"] * 500).dictionary_encode(),
    "at": [datetime(2026, 1, 1, 12)] * 2000,
    "price": [Decimal("1.25")] * 2000,
    "tags": [["a", "b"], []] * 1000,
})
answer = []
for codec in ("NONE", "SNAPPY", "GZIP", "BROTLI", "ZSTD", "LZ4"):
    path = f"{codec}.parquet"
    pq.write_table(table, path, compression=codec)
    column = pq.ParquetFile(path).metadata.row_group(0).column(0)
    answer.append([codec, column.compression, pq.read_table(path) == table])
""")
    told = {"NONE": "UNCOMPRESSED"}
    assert answer == [
        [name, told.get(name, name), True] for name in ("NONE", "SNAPPY", "GZIP", "BROTLI", "ZSTD", "LZ4")
    ]


def test_other_formats_of_arrow(warehouse: Layer) -> None:
    answer = warehouse.run("""
import io, pyarrow as pa, pyarrow.csv, pyarrow.feather, pyarrow.json, pyarrow.orc
table = pa.table({"id": [1, 2, 3], "name": ["red", None, "blue"]})
text = io.BytesIO()
pa.csv.write_csv(table, text)
answer = {"csv": pa.csv.read_csv(io.BytesIO(text.getvalue())).to_pylist()}
for codec in ("uncompressed", "lz4", "zstd"):
    pa.feather.write_feather(table, "table.feather", compression=codec)
    answer[codec] = pa.feather.read_table("table.feather") == table
sink = pa.BufferOutputStream()
with pa.ipc.new_stream(sink, table.schema) as writer:
    writer.write_table(table)
answer["ipc"] = pa.ipc.open_stream(sink.getvalue()).read_all() == table
answer["json"] = pa.json.read_json(io.BytesIO(b'{"a": 1}\\n{"a": 2}\\n')).to_pydict()
pa.orc.write_table(table, "table.orc")
answer["orc"] = pa.orc.read_table("table.orc") == table
""")
    assert answer == {
        "csv": [{"id": 1, "name": "red"}, {"id": 2, "name": ""}, {"id": 3, "name": "blue"}],
        **dict.fromkeys(("uncompressed", "lz4", "zstd", "ipc", "orc"), True),
        "json": {"a": [1, 2]},
    }


def test_kernels_datasets_and_plans(warehouse: Layer) -> None:
    answer = warehouse.run("""
import pyarrow as pa, pyarrow.acero, pyarrow.compute as pc, pyarrow.dataset as ds, pyarrow.fs, pyarrow.substrait
table = pa.table({"kind": ["a", "b", "a"], "n": [1, 2, 3]})
ds.write_dataset(table, "rows", format="parquet", partitioning=["kind"], partitioning_flavor="hive")
rows = ds.dataset("rows", partitioning="hive")
other = pa.table({"kind": ["a"], "name": ["first"]})
answer = [
    pc.sum(table["n"]).as_py(),
    pc.sort_indices(table, [("n", "descending")]).to_pylist(),
    pc.utf8_upper(table["kind"]).to_pylist(),
    pc.strptime(pa.array(["2026-11-22"]), "%Y-%m-%d", "s").to_pylist()[0].isoformat(),
    pc.match_substring_regex(table["kind"], "^[ab]$").to_pylist(),
    table.group_by("kind").aggregate([("n", "sum")]).sort_by("kind").to_pylist(),
    sorted(rows.to_table(filter=ds.field("kind") == "a")["n"].to_pylist()),
    table.join(other, "kind", join_type="inner").num_rows,
    len(pc.list_functions()) > 200,
    pa.fs.LocalFileSystem().get_file_info("rows").is_file,
    len(pa.substrait.get_supported_functions()) > 50,
]
""")
    assert answer == [
        6, [2, 1, 0], ["A", "B", "A"], "2026-11-22T00:00:00", [True, True, True],
        [{"kind": "a", "n_sum": 4}, {"kind": "b", "n_sum": 2}], [1, 3], 2, True, False, True,
    ]  # fmt: skip


def test_exceptions_cross_from_arrows_libraries(warehouse: Layer) -> None:
    answer = warehouse.run("""
import io, pyarrow as pa, pyarrow.compute as pc, pyarrow.csv, pyarrow.parquet as pq
def refusal(of, *arguments):
    try:
        of(*arguments)
    except Exception as error:
        return [type(error).__name__, str(error)]
answer = [
    refusal(pa.array, ["text", 1]),
    refusal(pq.read_table, io.BytesIO(b"no parquet at all")),
    refusal(pc.divide, 1, 0),
    refusal(pa.csv.read_csv, io.BytesIO(b"a,b\\n1\\n")),
    refusal(pa.table({"a": [1]}).cast, pa.schema([("b", pa.int8())])),
]
""")
    assert [name for name, _ in answer] == [
        "ArrowTypeError",
        "ArrowInvalid",
        "ArrowInvalid",
        "ArrowInvalid",
        "ValueError",
    ]
    assert "divide by zero" in answer[2][1]


def test_features_left_out_say_so(warehouse: Layer) -> None:
    answer = warehouse.run("""
import pyarrow.fs, os
answer = []
for code in ("import pyarrow.flight", "from pyarrow.fs import S3FileSystem"):
    try:
        exec(code)
    except ImportError as error:
        answer.append(type(error).__name__)
""")
    assert answer == ["ModuleNotFoundError", "ImportError"]
