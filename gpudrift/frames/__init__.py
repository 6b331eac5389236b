"""Tables that users hold, as columns that the kernels count: the only folder that knows dataframe libraries."""

from __future__ import annotations

from gpudrift.frames.categories import CategoryReader, distinct_texts
from gpudrift.frames.kinds import Kind, column_kind, mismatch
from gpudrift.frames.numbers import NumberReader, number_sample
from gpudrift.frames.problem import Problem
from gpudrift.frames.sources import Batch, Source, TableLike, open_source

__all__ = [
    "Batch",
    "CategoryReader",
    "Kind",
    "NumberReader",
    "Problem",
    "Source",
    "TableLike",
    "column_kind",
    "distinct_texts",
    "mismatch",
    "number_sample",
    "open_source",
]
