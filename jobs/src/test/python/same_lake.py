"""Checks that several lakes of one input hold the same, and nothing twice, with none of Metashard's code.

usage: same_lake.py LAKE LAKE ...
Exit status 1 when they differ or a lake holds something twice; prints what was compared.
"""
import sys

import lake_tables

LAYOUT = [
    "bucket", "object_id", "object_bytes", "live", "segment", "object_offset", "length", "k", "m", "codec",
    "block_index", "block_bytes", "crc32c",
]


def frame(lake, table):
    return lake_tables.read(f"{lake}/{table}").to_pandas()


def canonical(rows):
    return sorted(tuple(map(str, row)) for row in rows.itertuples(index=False))


def check_map(lake, blocks):
    """Every block stands once, every meta-shard is whole, live blocks cover each object once."""
    assert not blocks.duplicated(["meta_shard_id", "block_index"]).any(), f"{lake}: a block stands twice"
    assert not blocks.duplicated(["location", "path", "container_offset"]).any(), f"{lake}: two blocks in one place"
    for name, group in blocks.groupby("meta_shard_id"):
        assert len(group) == group.k.iloc[0] + group.m.iloc[0], f"{lake}: {name} has {len(group)} blocks"
    data = blocks[blocks.object_id.notna() & blocks.live & (blocks.block_index < blocks.k)]
    for name, group in data.groupby("object_id"):
        end = 0
        for row in group.sort_values("object_offset").itertuples():
            assert row.object_offset == end, f"{lake}: {name} has a gap or an overlap at {end}"
            end += row.length
        assert end == group.object_bytes.iloc[0], f"{lake}: {name} ends at {end}"
    return data.object_id.nunique()


def contents(lake):
    files = frame(lake, "ingested_files")
    assert not files.duplicated("path").any(), f"{lake}: a log file was taken twice"
    requests = frame(lake, "requests")
    demand = frame(lake, "demand")
    blocks = frame(lake, "shard_map")
    assert len(requests) == files.requests.sum(), f"{lake}: {len(requests)} requests, {files.requests.sum()} were read"
    objects = check_map(lake, blocks)
    print(f"{lake}: {len(requests)} requests, {len(demand)} rows of demand, {len(blocks)} blocks, {objects} objects")
    return {
        "requests": canonical(requests[sorted(requests.columns)]),
        "demand": canonical(demand[sorted(demand.columns)].round(6)),
        "shard_map": canonical(blocks[LAYOUT]),
    }


first = contents(sys.argv[1])
if not all(first.values()):
    sys.exit("nothing to compare")
for lake in sys.argv[2:]:
    other = contents(lake)
    for table, rows in first.items():
        if rows != other[table]:
            sys.exit(f"{lake}: {table} differs from {sys.argv[1]}: {len(rows)} and {len(other[table])} rows")
print("the same in all")
