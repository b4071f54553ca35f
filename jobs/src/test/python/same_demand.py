"""Compares the demand of whole reads of several lakes, with none of Metashard's code.

usage: same_demand.py LAKE LAKE ...
Exit status 1 when they differ; prints how many rows and whole requests were compared.
"""
import sys

import lake_tables

KEY = ["object_id", "segment", "segment_bytes", "bucket_start"]


def whole(lake):
    frame = lake_tables.read(f"{lake}/demand").to_pandas()
    frame = frame[frame.whole_requests > 0]
    return frame.groupby(KEY).whole_requests.sum().sort_index()


first = whole(sys.argv[1])
print(f"{len(first)} rows, {first.sum():.0f} whole requests of segments")
if first.empty:
    sys.exit("nothing to compare")
for lake in sys.argv[2:]:
    other = whole(lake)
    if not first.equals(other):
        differing = first.sub(other, fill_value=0)
        sys.exit(f"{lake}: {int((differing != 0).sum())} of {len(first)} rows differ")
print("the same in all")
