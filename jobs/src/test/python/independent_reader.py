"""Reads a Metashard lake with none of Metashard's code: straight from the format (jobs/FORMAT.md, the shard_map table).

usage: independent_reader.py LAKE_ROOT OUT.tsv [--gone NAME ...]
Writes one line per live object: SHA-256, a tab, the object's id as JSON. Locations named with --gone are not opened.
Exit status 1, with a line on stderr each, when an object cannot be read.
"""
import argparse
import hashlib
import json
import struct
import sys
from urllib.parse import unquote, urlparse

import google_crc32c
import lake_tables
import numpy as np


def crc32c(*parts: bytes) -> int:
    crc = 0
    for part in parts:
        crc = google_crc32c.extend(crc, part)
    return crc


# --- GF(2^8) with polynomial 0x11D ------------------------------------------------------------------------------------
_EXP = np.zeros(512, np.int64)
_LOG = np.zeros(256, np.int64)
_x = 1
for _i in range(255):
    _EXP[_i] = _EXP[_i + 255] = _x
    _LOG[_x] = _i
    _x = _x << 1 ^ (0x11D if _x & 0x80 else 0)
_MUL = np.zeros((256, 256), np.uint8)
for _a in range(1, 256):
    _MUL[_a, 1:] = _EXP[_LOG[_a] + _LOG[np.arange(1, 256)]]


def power(base: int, exponent: int) -> int:
    if exponent == 0:
        return 1
    return 0 if base == 0 else int(_EXP[_LOG[base] * exponent % 255])


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    out = np.zeros((a.shape[0], b.shape[1]), np.uint8)
    for row in range(a.shape[0]):
        for i in range(a.shape[1]):
            if a[row, i]:
                out[row] ^= _MUL[a[row, i]][b[i]]
    return out


def invert(matrix: np.ndarray) -> np.ndarray:
    n = len(matrix)
    work = np.concatenate([matrix, np.eye(n, dtype=np.uint8)], axis=1)
    for column in range(n):
        pivot = next(row for row in range(column, n) if work[row, column])
        work[[column, pivot]] = work[[pivot, column]]
        inverse = int(_EXP[255 - _LOG[work[column, column]]])
        work[column] = _MUL[inverse, work[column]]
        for row in range(n):
            if row != column and work[row, column]:
                work[row] ^= _MUL[work[row, column], work[column]]
    return work[:, n:]


def coding_matrix(codec: str, k: int, m: int) -> np.ndarray:
    """(k + m) x k: the identity, then the parity rows."""
    if codec == "copy":
        return np.ones((1 + m, 1), np.uint8)
    if codec == "xor":
        return np.concatenate([np.eye(k, dtype=np.uint8), np.ones((1, k), np.uint8)])
    if codec == "rs":
        vandermonde = np.array([[power(r, c) for c in range(k)] for r in range(k + m)], np.uint8)
        return multiply(vandermonde, invert(vandermonde[:k]))
    raise ValueError(f"unknown codec {codec}")


# --- frames and blocks ------------------------------------------------------------------------------------------------
class Lake:
    def __init__(self, root: str, gone: set):
        self.rows = lake_tables.read(f"{root}/shard_map").to_pandas()
        if len(self.rows) and self.rows.format.max() > 1:
            sys.exit(f"the map is of format {self.rows.format.max()}, this reader knows 1")
        places = lake_tables.read(f"{root}/locations").to_pylist()
        self.roots = {p["name"]: unquote(urlparse(p["uri"]).path) for p in places if p["name"] not in gone}
        self.meta_shards = {key: part for key, part in self.rows.groupby("meta_shard_id")}
        self.cache = {}

    def stored(self, row) -> bytes:
        """The block's logical bytes, every frame checked; an exception if it is not there or not right."""
        out = bytearray()
        position = row.container_offset
        with open(f"{self.roots[row.location]}/{row.path}", "rb") as file:
            while len(out) < row.length:
                size = min(row.frame_bytes, row.length - len(out))
                file.seek(position)
                frame = file.read(4 + size)
                if len(frame) < 4 + size:
                    raise IOError(f"{row.path} ends at {position + len(frame)}")
                payload = frame[4:]
                if struct.unpack(">I", frame[:4])[0] != crc32c(row.path.encode(), struct.pack(">Q", position), payload):
                    raise IOError(f"frame at {position} of {row.path} is damaged")
                out += payload
                position += 4 + size
        if crc32c(bytes(out)) != row.crc32c:
            raise IOError(f"block {row.block_index} of {row.meta_shard_id} is damaged")
        return bytes(out)

    def block(self, row) -> bytes:
        try:
            return self.stored(row)
        except (OSError, KeyError):
            return self.decoded(row)

    def decoded(self, row) -> bytes:
        if row.meta_shard_id not in self.cache:
            self.cache = {row.meta_shard_id: self.decode(self.meta_shards[row.meta_shard_id])}
        return self.cache[row.meta_shard_id][row.block_index][: row.length].tobytes()

    def decode(self, rows) -> np.ndarray:
        first = rows.iloc[0]
        found = {}
        for row in rows.sort_values("block_index").itertuples():
            if len(found) == first.k:
                break
            try:
                padded = np.zeros(first.block_bytes, np.uint8)
                padded[: row.length] = np.frombuffer(self.stored(row), np.uint8)
                found[row.block_index] = padded
            except (OSError, KeyError):
                pass
        if len(found) < first.k:
            raise IOError(f"meta-shard {first.meta_shard_id}: {len(found)} of {first.k} needed blocks can be read")
        matrix = coding_matrix(first.codec, first.k, first.m)
        data = invert(matrix[sorted(found)])
        return multiply(data, np.stack([found[i] for i in sorted(found)]))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("lake")
    parser.add_argument("out")
    parser.add_argument("--gone", nargs="*", default=[])
    arguments = parser.parse_args()
    lake = Lake(arguments.lake, set(arguments.gone))
    failed = 0
    live = lake.rows[lake.rows.live & lake.rows.object_id.notna()]
    with open(arguments.out, "w", encoding="utf-8") as out:
        for object_id, rows in live.groupby("object_id"):
            digest, position, size = hashlib.sha256(), 0, rows.object_bytes.iloc[0]
            try:
                for row in rows.sort_values(["object_offset", "length"], ascending=[True, False]).itertuples():
                    if row.object_offset + row.length <= position and row.length:
                        continue  # further copies of bytes that we have
                    if row.object_offset > position:
                        raise IOError(f"no block for byte {position}")
                    digest.update(lake.block(row)[position - row.object_offset:])
                    position = row.object_offset + row.length
                if position != size:
                    raise IOError(f"its blocks end at {position}, it has {size} bytes")
                out.write(f"{digest.hexdigest()}\t{json.dumps(object_id)}\n")
            except OSError as error:
                failed += 1
                print(f"{json.dumps(object_id)}: {error}", file=sys.stderr)
    print(f"{live.object_id.nunique() - failed} objects read, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
