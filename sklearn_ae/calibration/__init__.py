"""Decisions with a stated false-alarm rate, for any outlier detector."""

from sklearn_ae.calibration._conformal import ConformalDetector
from sklearn_ae.calibration._report import CalibrationReport

__all__ = ["CalibrationReport", "ConformalDetector"]
