"""The profile file: a JSON header and raw little-endian arrays, under one digest; never pickle.

    offset  bytes
    0       8       magic  b"GPUDRIFT"
    8       4       schema version, unsigned, little-endian
    12      8       length of the header in bytes
    20      32      SHA-256 of everything else: the 20 bytes before and all bytes after
    52      ...     header: JSON, UTF-8; its "arrays" list names each array, its dtype and its length
            ...     the arrays, one after the other, without gaps

A reader checks lengths against the size of the file before it allocates anything, then the digest, then the values.
"""

from __future__ import annotations

import hashlib
import json
import os
from os import PathLike
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gpudrift.atomic import replacing
from gpudrift.errors import ProfileError
from gpudrift.frames import Problem, as_bytes
from gpudrift.profiles.columns import CategoricalColumn, Column, NumericColumn
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.reference_profile import Profile
from gpudrift.version import __version__
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.errors import PlanError

MAGIC: Final = b"GPUDRIFT"
SCHEMA: Final = 1
_PREFIX: Final = len(MAGIC) + 4 + 8
_DIGEST: Final = 32
_DTYPES: Final = ("<i8", "<f4", "<f8", "<u8", "|u1")


def content_digest(profile: Profile) -> str:
    """Hex SHA-256 of a profile's columns and counts: what ``profile_id`` is, whatever version wrote it.

    Problems stay out: their text may name a file, and no count depends on it.
    """
    header, arrays = _describe(profile)
    digest = hashlib.sha256(_json({key: header[key] for key in ("n_rows", "columns", "weights") if key in header}))
    for array in arrays.values():
        digest.update(array.data)
    return digest.hexdigest()


def save_profile(profile: Profile, path: str | PathLike[str]) -> None:
    """Write beside the target, then move into place: a reader sees the old file or the new one, never half."""
    header, arrays = _describe(profile)
    header |= {
        "gpudrift": __version__,
        "profile_id": profile.profile_id,
        "arrays": [[name, array.dtype.str, array.size] for name, array in arrays.items()],
    }
    text = _json(header)
    prefix = MAGIC + SCHEMA.to_bytes(4, "little") + len(text).to_bytes(8, "little")
    body = [text, *(array.tobytes() for array in arrays.values())]
    digest = hashlib.sha256(prefix)
    for part in body:
        digest.update(part)
    with replacing(path) as draft, open(draft, "wb") as file:
        file.writelines([prefix, digest.digest(), *body])


def load_profile(path: str | PathLike[str]) -> Profile:
    """Read a profile that ``Profile.save`` wrote.

    Raises
    ------
    ProfileError
        Not there, not a profile, truncated, altered by a single bit, too new, or holding values that no profile has.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> import gpudrift as gd
    >>> champion = gd.profile({"x": np.arange(100.0)})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     champion.save(f"{folder}/champion.gdp")
    ...     gd.load_profile(f"{folder}/champion.gdp").profile_id == champion.profile_id
    True
    """
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            prefix = file.read(_PREFIX + _DIGEST)
            header_length = _check_prefix(path, prefix, size)
            content = file.read(size - len(prefix))
    except OSError as error:
        raise ProfileError(f"{path} cannot be read: {error.strerror}; check the path") from error
    if hashlib.sha256(prefix[:_PREFIX] + content).digest() != prefix[_PREFIX:]:
        raise ProfileError(f"{path} is damaged: its digest does not match; make the profile again")
    try:
        header = json.loads(content[:header_length])
        arrays = _arrays(header["arrays"], memoryview(content)[header_length:])
        loaded = _restore(header, arrays)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, RecursionError, PlanError) as error:
        raise ProfileError(f"{path} holds no valid profile ({error}); make the profile again") from error
    if content_digest(loaded) != header["profile_id"]:
        raise ProfileError(f"{path} holds no valid profile (its id does not match); make the profile again")
    return loaded


def _check_prefix(path: str | PathLike[str], prefix: bytes, size: int) -> int:
    """Length of the header, checked against the size of the file."""
    if not prefix.startswith(MAGIC):
        raise ProfileError(f"{path} is not a profile; pass a file that Profile.save or `gpudrift profile` wrote")
    if len(prefix) < _PREFIX + _DIGEST:
        raise ProfileError(f"{path} is truncated; make the profile again")
    schema = int.from_bytes(prefix[len(MAGIC) : len(MAGIC) + 4], "little")
    if schema > SCHEMA:
        raise ProfileError(f"{path} has schema {schema}, this version reads up to {SCHEMA}; upgrade gpudrift")
    length = int.from_bytes(prefix[len(MAGIC) + 4 : _PREFIX], "little")
    if length > size - len(prefix):
        raise ProfileError(f"{path} is truncated; make the profile again")
    return length


def _describe(profile: Profile) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Header entries and arrays, little-endian, in a fixed order."""
    values = profile.reference.values.astype(np.int64, copy=False)
    arrays: dict[str, NDArray[Any]] = {"keys": profile.reference.keys, "values": values}
    if profile.reference.weights is not None:
        arrays["weights"] = profile.reference.weights
    columns: list[dict[str, Any]] = []
    for f, column in enumerate(profile.plans):
        entry: dict[str, Any] = {
            "name": column.name,
            "kind": column.kind,
            "dtype": column.dtype,
            "unique": column.unique,
        }
        if isinstance(column, NumericColumn):
            plan = column.plan
            entry |= {
                "meaning": column.meaning, "grows": column.grows, "width": column.width, "storage": plan.dtype,
                "centre": plan.centre, "exponent": plan.exponent, "bits": plan.bits, "octaves": plan.octaves,
                "integral": plan.integral,
            }  # fmt: skip
            arrays |= {f"{f}.cuts": plan.cuts, f"{f}.bin_starts": column.bin_starts}
        else:
            entry |= {"truncated": column.truncated}
            offsets, data, *_ = as_bytes(column.vocabulary)
            arrays |= {
                f"{f}.lengths": np.diff(offsets).astype(np.int64),
                f"{f}.texts": data[offsets[0] : offsets[-1]],
            }
        columns.append(entry)
    header = {
        "n_rows": profile.n_rows,
        "columns": columns,
        "problems": [problem.to_dict() for problem in profile.problems],
        "explicit": sorted(profile.explicit),
    }
    if profile.weights is not None:  # the square of a sum of 64 bits is no number of JSON's
        squares = str(profile.reference.squares)
        header["weights"] = {"name": profile.weights, "exponent": profile.weight_exponent, "squares": squares}
    return header, {name: array.astype(array.dtype.newbyteorder("<"), copy=False) for name, array in arrays.items()}


def _arrays(directory: list[list[Any]], body: memoryview) -> dict[str, NDArray[Any]]:
    """Views of the bytes after the header, each checked to lie inside."""
    arrays: dict[str, NDArray[Any]] = {}
    offset = 0
    for name, dtype, length in directory:
        if dtype not in _DTYPES or not isinstance(length, int) or length < 0:
            raise ValueError(f"array {name!r} has dtype {dtype!r} and length {length!r}")
        n_bytes = length * np.dtype(dtype).itemsize
        if n_bytes > len(body) - offset:
            raise ValueError(f"array {name!r} is longer than the file")
        view = np.frombuffer(body[offset : offset + n_bytes], dtype)
        arrays[name] = view.astype(view.dtype.newbyteorder("="))  # aligned, native, its own memory
        offset += n_bytes
    if offset != len(body):
        raise ValueError("bytes after the last array")
    return arrays


def _restore(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Profile:
    plans: list[Column] = []
    for f, entry in enumerate(header["columns"]):
        common = {key: _typed(entry[key], str) for key in ("name", "dtype")}
        if entry["kind"] == "numeric":
            plans.append(_restore_numeric(f, entry, common, arrays))
        elif entry["kind"] == "categorical":
            texts = _split(arrays[f"{f}.lengths"], arrays[f"{f}.texts"].tobytes())
            plans.append(
                CategoricalColumn(
                    name=common["name"],
                    dtype=common["dtype"],
                    vocabulary=pa.array(texts, pa.large_string()),
                    truncated=_typed(entry["truncated"], bool),
                    unique=_typed(entry["unique"], bool),
                )
            )
        else:
            raise ValueError(f"column of kind {entry['kind']!r}")
    keys, values = arrays["keys"], arrays["values"]
    if keys.dtype != np.int64 or values.dtype != np.int64 or keys.size != values.size:
        raise ValueError("counts do not fit together")
    if np.any(keys[1:] <= keys[:-1]) or np.any(values <= 0):
        raise ValueError("counts are out of order or not positive")
    columns, counters = keys >> 32, keys & 0xFFFFFFFF
    if np.any((columns < 0) | (columns >= len(plans))):
        raise ValueError("counts of a column that is not there")
    if np.any(counters >= np.array([plan.n_counters for plan in plans], np.int64)[columns]):
        raise ValueError("counts outside a column's cells")
    n_rows = _typed(header["n_rows"], int)
    if np.any(values > n_rows):
        raise ValueError("more rows in a cell than there are")
    profile_id = _typed(header["profile_id"], str)
    problems = tuple(Problem(**{key: _typed(value, str) for key, value in p.items()}) for p in header["problems"])
    explicit = frozenset(_typed(name, str) for name in header["explicit"])
    if "weights" not in header:
        return Profile(profile_id, tuple(plans), Counts(profile_id, n_rows, keys, values), problems, explicit)
    weights, entry = arrays["weights"], header["weights"]
    if weights.dtype != np.int64 or weights.size != keys.size or np.any(weights < 0):
        raise ValueError("weights do not fit the counts")
    counts = Counts(profile_id, n_rows, keys, values, weights, int(_typed(entry["squares"], str)))
    name, exponent = _typed(entry["name"], str), _typed(entry["exponent"], int)
    return Profile(profile_id, tuple(plans), counts, problems, explicit, name, exponent)


def _restore_numeric(
    f: int, entry: dict[str, Any], common: dict[str, str], arrays: dict[str, NDArray[Any]]
) -> NumericColumn:
    wide = entry["storage"] in ("int64", "uint64")
    plan = CellPlan(
        dtype=_typed(entry["storage"], str),
        centre=_typed(entry["centre"], int) if wide else float(_typed(entry["centre"], float)),
        exponent=_typed(entry["exponent"], int),
        bits=_typed(entry["bits"], int),
        octaves=_typed(entry["octaves"], int),
        integral=_typed(entry["integral"], bool),
        cuts=arrays[f"{f}.cuts"],
    )
    starts = arrays[f"{f}.bin_starts"]
    if starts.dtype != np.int64 or np.any(starts[1:] <= starts[:-1]) or np.any((starts < 0) | (starts > plan.n_index)):
        raise ValueError(f"bins of {common['name']!r} are out of order")
    return NumericColumn(
        name=common["name"],
        dtype=common["dtype"],
        meaning=_typed(entry["meaning"], str),
        plan=plan,
        bin_starts=starts,
        width=float(_typed(entry["width"], float)),
        grows=_typed(entry["grows"], bool),
        unique=_typed(entry["unique"], bool),
    )


def _split(lengths: NDArray[np.int64], joined: bytes) -> list[str]:
    if lengths.dtype != np.int64 or np.any(lengths < 0) or int(lengths.sum()) != len(joined):
        raise ValueError("a vocabulary's lengths do not fit its text")
    ends = np.cumsum(lengths).tolist()
    return [joined[start:end].decode() for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _typed(value: Any, kind: type) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _json(header: dict[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
