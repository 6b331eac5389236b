"""Tables that users hold, as columns that the kernels count: the only folder that knows dataframe libraries."""

from __future__ import annotations

from gpudrift.frames.arrow_texts import NO_TEXTS, as_bytes
from gpudrift.frames.categories import CategoryReader
from gpudrift.frames.column import Raw, all_missing, arrow_type, as_arrow, no_values, rows_at
from gpudrift.frames.kinds import Kind, castable, categories_fit, column_kind, family, held_type, numbers_fit, type_name
from gpudrift.frames.numbers import NumberReader, number_sample
from gpudrift.frames.problem import Problem
from gpudrift.frames.rows import floats, texts
from gpudrift.frames.source import Batch, MemorySource, Source, require_columns
from gpudrift.frames.tables import TableLike, open_source
from gpudrift.frames.text_counts import TextCounter, TextCounts, pieces
from gpudrift.frames.text_sample import TextSample

__all__ = [
    "NO_TEXTS",
    "Batch",
    "CategoryReader",
    "Kind",
    "MemorySource",
    "NumberReader",
    "Problem",
    "Raw",
    "Source",
    "TableLike",
    "TextCounter",
    "TextCounts",
    "TextSample",
    "all_missing",
    "arrow_type",
    "as_arrow",
    "as_bytes",
    "castable",
    "categories_fit",
    "column_kind",
    "family",
    "floats",
    "held_type",
    "no_values",
    "number_sample",
    "numbers_fit",
    "open_source",
    "pieces",
    "require_columns",
    "rows_at",
    "texts",
    "type_name",
]
