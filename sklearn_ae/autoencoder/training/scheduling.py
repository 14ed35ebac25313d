"""How the learning rate falls in the course of a training."""

import math

import keras

from sklearn_ae.autoencoder.network.fingerprints import is_keras

# Those that would be overruled.
_SCHEDULERS = (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)


def falls(detector):
    """Return whether the learning rate of a training falls, or is the user's business.

    Parameters
    ----------
    detector : AutoencoderAnomalyDetector

    Returns
    -------
    falls : bool
    """
    optimizer = detector.optimizer
    # A class of the user's may have a schedule of its own.
    return (
        detector.learning_rate == "auto"
        and (isinstance(optimizer, str) or (isinstance(optimizer, type) and is_keras(optimizer)))
        and not any(isinstance(callback, _SCHEDULERS) for callback in detector.callbacks or [])
    )


class CosineDecay(keras.callbacks.Callback):
    """Let the learning rate fall to 0 along half a cosine, from twice what it was.

    So on average it is what it was. Not :class:`keras.optimizers.schedules.CosineDecay`, which is
    part of the compiled model: trainings of other lengths could not share that.
    """

    def on_train_begin(self, logs=None):
        """Note where it begins, and how long the training may be."""
        self._mean = float(self.model.optimizer.learning_rate)
        self._n_steps = self.params["epochs"] * self.params["steps"]
        self._step = 0
        self._latest = self._mean

    def on_train_batch_begin(self, batch, logs=None):
        """Set it for one step."""
        optimizer = self.model.optimizer
        # Another callback has set it: from now on it is that one's business.
        if self._latest is None or float(optimizer.learning_rate) != self._latest:
            self._latest = None
            return
        share = self._step / self._n_steps
        optimizer.learning_rate = self._mean * (1 + math.cos(math.pi * share))
        self._latest = float(optimizer.learning_rate)
        self._step += 1
