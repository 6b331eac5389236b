"""The built-in network for tables: an embedding for each category, then a multilayer perceptron."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


class Tabular(nn.Module):
    """Numbers and a 0/1 for each missing one, beside an embedding of each code; two hidden layers; a linear end.

    Parameters
    ----------
    n_numbers : int
    cardinalities : sequence of int
        Codes of each category.
    n_outputs : int
        Logits of classes, or 1.

    Notes
    -----
    The embedding has 1.6 n^0.56 dimensions for n codes, at most 32: the rule of fastai. LayerNorm and no BatchNorm: it
    has no statistics that a warm start would have to take again.
    """

    def __init__(
        self,
        n_numbers: int,
        cardinalities: Sequence[int],
        n_outputs: int,
        *,
        hidden: Sequence[int] = (128, 64),
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        sizes = [min(32, round(1.6 * n**0.56)) for n in cardinalities]
        embeddings = [nn.Embedding(n, size) for n, size in zip(cardinalities, sizes, strict=True)]
        for embedding in embeddings:
            nn.init.normal_(embedding.weight, std=0.1)
        self.embeddings = nn.ModuleList(embeddings)
        layers: list[nn.Module] = []
        width = 2 * n_numbers + sum(sizes)
        for size in hidden:
            layers += [nn.Linear(width, size), nn.LayerNorm(size), nn.SiLU(), nn.Dropout(dropout)]
            width = size
        self.layers = nn.Sequential(*layers, nn.Linear(width, n_outputs))

    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Outputs (n, n_outputs) of numbers (n, p), NaN where missing, and codes (n, c)."""
        missing = torch.isnan(numbers)
        embedded = [embedding(codes[:, f]) for f, embedding in enumerate(self.embeddings)]
        inputs = torch.cat([numbers.nan_to_num(0.0).clamp(-8, 8), missing.to(numbers.dtype), *embedded], dim=1)
        outputs: torch.Tensor = self.layers(inputs)
        return outputs
