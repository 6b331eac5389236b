"""Checks of the contracts that plug-ins keep, to run on one of your own: a list by name, and a file for each kind."""

from __future__ import annotations

from gpudrift.testing.statistics import STATISTIC_CHECKS, check_statistic
from gpudrift.testing.trainers import TRAINER_CHECKS, MakeTrainer, check_trainer, rows_for, rows_of

__all__ = [
    "STATISTIC_CHECKS",
    "TRAINER_CHECKS",
    "MakeTrainer",
    "check_statistic",
    "check_trainer",
    "rows_for",
    "rows_of",
]
