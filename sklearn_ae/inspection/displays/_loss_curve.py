"""Loss curves of a fit."""

from collections.abc import Mapping
from numbers import Integral

import numpy as np
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from sklearn_ae._base.sklearn_compat import check_matplotlib_support
from sklearn_ae.inspection.displays._checks import check_has, check_vector
from sklearn_ae.inspection.displays._drawing import merge_style, new_axes
from sklearn_ae.thresholds._unwrapping import find_innermost


class LossCurveDisplay:
    """Loss of each epoch of a fit.

    Create it with :meth:`from_estimator` or :meth:`from_history`, which check their input. All
    parameters are stored as attributes.

    Parameters
    ----------
    loss : array-like of shape (n_epochs,)
        Training loss of each epoch.
    val_loss : array-like of shape (n_epochs,), default=None
        Loss of the held-out rows after each epoch.
    best_epoch : int, default=None
        The epoch whose weights were kept, counted from 0: the index of its loss.

    Attributes
    ----------
    training_line_ : matplotlib.lines.Line2D
        Curve of the training loss. The picture counts epochs from 1.
    validation_line_ : matplotlib.lines.Line2D or None
        Curve of the validation loss.
    best_epoch_line_ : matplotlib.lines.Line2D or None
        Mark on the validation curve, or on the training curve where there is no other.
    ax_ : matplotlib.axes.Axes
        Axes with the curves.
    figure_ : matplotlib.figure.Figure
        Figure with the axes.

    Examples
    --------
    >>> from sklearn_ae.inspection import LossCurveDisplay
    >>> history = {"loss": [0.9, 0.5, 0.4], "val_loss": [0.8, 0.5, 0.6]}
    >>> display = LossCurveDisplay.from_history(history, best_epoch=1)
    >>> display.best_epoch_line_.get_label()
    'best epoch (2)'
    """

    def __init__(self, *, loss, val_loss=None, best_epoch=None):
        self.loss = loss
        self.val_loss = val_loss
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs):
        """Plot the loss curves of a fitted detector.

        Parameters
        ----------
        estimator : estimator object
            Fitted :class:`.AutoencoderAnomalyDetector`, or a frozen one, a wrapper of
            this package, a search or a pipeline around one, in any order.
            Its `history_` and `best_epoch_` are drawn.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        LossCurveDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If `estimator` is fitted, but there is no detector with a `history_` in it.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        detector = find_innermost(estimator).detector
        check_has(detector, "history_", "for others, see LossCurveDisplay.from_history.")
        best_epoch = getattr(detector, "best_epoch_", None)
        return cls.from_history(detector.history_, best_epoch=best_epoch, ax=ax, **kwargs)

    @classmethod
    def from_history(cls, history, *, best_epoch=None, ax=None, **kwargs):
        """Plot the loss curves of a training history.

        Parameters
        ----------
        history : dict of array-like of shape (n_epochs,)
            Losses under the keys "loss" and, where rows were held out, "val_loss": `history_` of a
            detector, or `history` of the object that `fit` of a Keras model returns.
        best_epoch : int, default=None
            The epoch to mark, counted from 0. If None, none is marked.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made.
        **kwargs : dict
            Other keyword arguments of :meth:`plot`.

        Returns
        -------
        LossCurveDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `history` has no "loss", a loss is no finite number, the two lengths differ, or
            `best_epoch` is none of the epochs.
        """
        if not isinstance(history, Mapping) or "loss" not in history:
            raise ValueError(
                "history must be a dict with the key 'loss', such as history_ of a detector or "
                f".history of what Keras's fit returns. Received: {history!r}."
            )
        loss = check_vector(history["loss"], "history['loss']")
        val_loss = history.get("val_loss")
        if val_loss is not None:
            val_loss = check_vector(val_loss, "history['val_loss']")
            check_consistent_length(loss, val_loss)
        is_epoch = isinstance(best_epoch, Integral) and 0 <= best_epoch < len(loss)
        if best_epoch is not None and not is_epoch:
            raise ValueError(
                "best_epoch must be None or an index into the losses: an integer from 0 to "
                f"{len(loss) - 1}. Received: best_epoch={best_epoch!r}."
            )
        return cls(loss=loss, val_loss=val_loss, best_epoch=best_epoch).plot(ax, **kwargs)

    def plot(
        self, ax=None, *, training_kwargs=None, validation_kwargs=None, best_epoch_kwargs=None
    ):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on. If None, a new figure is made.
        training_kwargs : dict, default=None
            Keyword arguments of :meth:`matplotlib.axes.Axes.plot` for the training curve.
        validation_kwargs : dict, default=None
            The same for the validation curve.
        best_epoch_kwargs : dict, default=None
            The same for the mark of the best epoch.

        Returns
        -------
        LossCurveDisplay
            The display itself.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        from matplotlib.lines import Line2D
        from matplotlib.ticker import MaxNLocator

        ax = new_axes() if ax is None else ax
        self.ax_, self.figure_ = ax, ax.figure
        self.validation_line_ = self.best_epoch_line_ = None
        epochs = np.arange(1, len(self.loss) + 1)
        # A line through a single epoch would be invisible.
        defaults = {"marker": "o" if len(epochs) == 1 else "", "label": "training"}
        style = merge_style(defaults, training_kwargs, Line2D)
        (self.training_line_,) = ax.plot(epochs, self.loss, **style)
        kept_loss, kept_line = self.loss, self.training_line_
        if self.val_loss is not None:
            style = merge_style({**defaults, "label": "validation"}, validation_kwargs, Line2D)
            (self.validation_line_,) = ax.plot(epochs, self.val_loss, **style)
            kept_loss, kept_line = self.val_loss, self.validation_line_
        if self.best_epoch is not None:
            epoch = epochs[self.best_epoch]
            defaults = {"color": kept_line.get_color(), "marker": "o", "linestyle": "none"}
            defaults["label"] = f"best epoch ({epoch})"
            style = merge_style(defaults, best_epoch_kwargs, Line2D)
            (self.best_epoch_line_,) = ax.plot([epoch], [kept_loss[self.best_epoch]], **style)
        ax.set(xlabel="Epoch", ylabel="Loss")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        ax.legend()
        return self
