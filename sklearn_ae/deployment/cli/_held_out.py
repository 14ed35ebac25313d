"""What the held-out images of a fit can show of false alarms, and what they cannot."""

import numpy as np
from scipy.stats import binomtest

from sklearn_ae.deployment.cli._messages import tell

_CONFIDENCE = 0.95


def tell_of_fit(detector):
    """Say how many images served, and how many new normal ones may be flagged.

    Parameters
    ----------
    detector : AutoencoderAnomalyDetector
        Fitted by the command.
    """
    training, held_out = detector.training_scores_, detector.validation_scores_
    fitted = f"fitted to {len(training)} images"
    rows = np.union1d(detector.validation_indices_, detector.trimmed_indices_)
    # Where none is held out, the images that set the threshold are all that there are.
    if rows[-1] < len(training) + len(detector.trimmed_indices_):
        tell(
            f"{fitted}; none is held out, so nothing shows how many new normal images are "
            "flagged: calibrate the model, with other normal images"
        )
        return
    n, n_flagged = len(held_out), int(np.sum(held_out < detector.offset_))
    # A percentage of a dozen would look like a measured rate.
    interval = binomtest(n_flagged, n).proportion_ci(_CONFIDENCE, method="exact")
    tell(
        f"{fitted}; {n_flagged} of {n} held out are flagged, so {interval.low:.1%} to "
        f"{interval.high:.1%} of new normal images may be ({_CONFIDENCE:.0%} interval)"
    )
