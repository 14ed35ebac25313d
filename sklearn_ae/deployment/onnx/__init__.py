"""Fitted detectors as ONNX models."""

from sklearn_ae.deployment.onnx._writing import to_onnx

__all__ = ["to_onnx"]
