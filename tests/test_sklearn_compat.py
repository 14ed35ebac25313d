"""The detector is a true scikit-learn estimator: scikit-learn's own checks, and its tools."""

import sklearn.utils.estimator_checks as checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_ae import (
    AutoencoderAnomalyDetector,
    ConvAutoencoder,
    ConvDenseAutoencoder,
    DenseAutoencoder,
)


@parametrize_with_checks(
    [AutoencoderAnomalyDetector(latent_dim=2, epochs=2, random_state=0, patience=None)]
)
def test_estimator_checks(estimator, check):
    check(estimator)
