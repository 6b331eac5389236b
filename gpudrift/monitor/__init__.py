"""Monitoring: reports over time, at a stated rate of false alarms."""

from __future__ import annotations

from gpudrift.monitor.alpha_spending import AlphaSpending
from gpudrift.monitor.calibrating import calibrate
from gpudrift.monitor.calibration import Calibration
from gpudrift.monitor.check import check_drift
from gpudrift.monitor.e_process import EProcess
from gpudrift.monitor.online_fdr import OnlineFDR
from gpudrift.monitor.regimes import ChangePoint, Likeness, Regime
from gpudrift.monitor.settings_file import load_settings
from gpudrift.monitor.slice_reports import SliceReports
from gpudrift.monitor.window_reports import WindowReports

__all__ = [
    "AlphaSpending",
    "Calibration",
    "ChangePoint",
    "EProcess",
    "Likeness",
    "OnlineFDR",
    "Regime",
    "SliceReports",
    "WindowReports",
    "calibrate",
    "check_drift",
    "load_settings",
]
