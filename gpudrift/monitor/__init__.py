"""Monitoring: reports over time, at a stated rate of false alarms."""

from __future__ import annotations

from gpudrift.monitor.alpha_spending import AlphaSpending
from gpudrift.monitor.calibrating import calibrate
from gpudrift.monitor.calibration import Calibration
from gpudrift.monitor.e_process import EProcess
from gpudrift.monitor.online_fdr import OnlineFDR

__all__ = ["AlphaSpending", "Calibration", "EProcess", "OnlineFDR", "calibrate"]
