"""How the learning rate falls in the course of a training."""

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

    Another callback that sets the learning rate ends that: from then on it is that one's business.

    Parameters
    ----------
    training : BlockTraining
        Sets the learning rate before each batch.
    n_steps : int or None
        Number of batches of the training. If None, the learning rate stays as it is.
    """

    def __init__(self, training, n_steps):
        super().__init__()
        self._training = training
        self._n_steps = n_steps

    def on_train_begin(self, logs=None):
        """Let it fall from now on."""
        falls = self._n_steps is not None
        self._latest = float(self.model.optimizer.learning_rate) if falls else None
        self._training.start_decay(self._latest or 0, self._n_steps or 0)

    def on_train_batch_begin(self, batch, logs=None):
        """Notice that it was set between two blocks."""
        if self._latest is None:
            return
        if float(self.model.optimizer.learning_rate) != self._latest:
            self._latest = None
            self._training.start_decay(0, 0)

    def on_train_batch_end(self, batch, logs=None):
        """Note where it is."""
        if self._latest is not None:
            self._latest = float(self.model.optimizer.learning_rate)
