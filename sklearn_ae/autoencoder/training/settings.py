"""What a training is told, made from the detector's parameters in one place."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import keras

from sklearn_ae.autoencoder.training import compiling, memoizing, scheduling

# What `epochs="auto"` stands for. Of images, twice as many detected no better on MNIST and
# Fashion-MNIST; rows cost little, and on many tables their loss still fell after 15. A pass over
# few rows is few steps: a number of passes that suits many would leave the network as it was.
_N_EPOCHS = {"images": 15, "rows": 60}
_MIN_STEPS = 64

# A network learns what most rows have in common first, and what is particular to a few later
# (Arpit et al., arXiv:1706.05394): so anomalies stand out long before the training ends, and the
# more it goes on, the less.
_WARM_UP_SHARE = 1 / 8


@dataclass(frozen=True)
class TrainingSettings:
    """What a network is built and trained by.

    Parameters
    ----------
    latent_dim : "auto" or int
    scaling : {"auto", "range", "standard"} or None
    loss : str, keras.losses.Loss or callable
        The detector's, until :meth:`with_loss`.
    optimizer : str, subclass or instance of keras.optimizers.Optimizer
    learning_rate : "auto", float or None
    learning_rate_falls : bool
        Whether it falls in the course of the training.
    epochs : int
    min_steps : int
        An epoch goes over the rows as often as it takes to make so many steps.
    batch_size : int
    trim : float
    patience : int or None
    callbacks : list of keras.callbacks.Callback or None
    verbose : {0, 1, 2}
    memory : joblib.Memory or None
        Keeps trainings.
    """

    latent_dim: str | int
    scaling: str | None
    loss: str | keras.losses.Loss | Callable
    optimizer: str | type | keras.optimizers.Optimizer
    learning_rate: str | float | None
    learning_rate_falls: bool
    epochs: int
    min_steps: int
    batch_size: int
    trim: float
    patience: int | None
    callbacks: list | None
    verbose: int
    memory: object

    @classmethod
    def of(cls, detector, input_shape):
        """Read the parameters of a detector, and refuse what Keras could not train with.

        Parameters
        ----------
        detector : AutoencoderAnomalyDetector
        input_shape : tuple of int
            Shape of one sample as the network sees it.

        Returns
        -------
        settings : TrainingSettings

        Raises
        ------
        TypeError, ValueError
            If optimizer, callbacks or memory cannot be used.
        """
        # What can be refused is refused before anything is built.
        compiling.resolve_optimizer(detector.optimizer, detector.learning_rate)
        compiling.check_callbacks(detector.callbacks)
        kind = "images" if len(input_shape) == 3 else "rows"
        is_auto = detector.epochs == "auto"
        return cls(
            latent_dim=detector.latent_dim,
            scaling=detector.scaling,
            loss=detector.loss,
            optimizer=detector.optimizer,
            learning_rate=detector.learning_rate,
            learning_rate_falls=scheduling.falls(detector),
            epochs=_N_EPOCHS[kind] if is_auto else detector.epochs,
            min_steps=_MIN_STEPS if is_auto else 1,
            batch_size=detector.batch_size,
            trim=detector.trim,
            patience=detector.patience,
            callbacks=detector.callbacks,
            verbose=detector.verbose,
            memory=memoizing.open_memory(detector),
        )

    def with_loss(self, limits):
        """Return settings with the loss that suits the smallest and the largest scaled value."""
        return dataclasses.replace(self, loss=compiling.resolve_loss(self.loss, limits))

    def warm_up(self):
        """Return settings of a short training: callbacks and output are those of the one after."""
        n_epochs = math.ceil(_WARM_UP_SHARE * self.epochs)
        return dataclasses.replace(self, epochs=n_epochs, patience=None, callbacks=None, verbose=0)

    def new_optimizer(self):
        """Return a fresh optimizer."""
        return compiling.resolve_optimizer(self.optimizer, self.learning_rate)
