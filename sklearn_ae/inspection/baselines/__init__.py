"""A detector against simple ones on the user's own data, and what it makes of far-off samples."""

from sklearn_ae.inspection.baselines._comparison import BaselineComparison, compare_with_baselines

__all__ = ["BaselineComparison", "compare_with_baselines"]
