"""Fitted detectors as files."""

from sklearn_ae.persistence._onnx import to_onnx

__all__ = ["to_onnx"]
