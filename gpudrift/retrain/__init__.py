"""Retraining: one Trainer for every learner, that never makes a model worse without saying so."""

from __future__ import annotations

from gpudrift.retrain.anchors import Transfer
from gpudrift.retrain.catalogue import LEARNERS, get_trainer
from gpudrift.retrain.features import Features
from gpudrift.retrain.folder import load_model
from gpudrift.retrain.learner import Job, Learner
from gpudrift.retrain.model import Model
from gpudrift.retrain.settings import Settings
from gpudrift.retrain.trainer import Trainer
from gpudrift.store import Cost, predict_cost

__all__ = [
    "LEARNERS",
    "Cost",
    "Features",
    "Job",
    "Learner",
    "Model",
    "Settings",
    "Trainer",
    "Transfer",
    "get_trainer",
    "load_model",
    "predict_cost",
]
