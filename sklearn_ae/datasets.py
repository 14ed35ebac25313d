"""Data sets, as dictionaries with attributes."""

import os
from importlib.resources import files
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from sklearn_ae._synthetic import make_anomalies

__all__ = ["fetch_mnist", "load_mnist_one_zero", "make_anomalies"]

# The address that Keras downloads from; no other file passes its check of the hash.
_MNIST_ADDRESS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"

_MNIST_DESCRIPTION = """\
MNIST: 70,000 handwritten digits, grey images of 28 × 28 pixels from 0 (background) to 255.

By Yann LeCun and Corinna Cortes, derived from the data sets of NIST, under the Creative Commons
Attribution-ShareAlike 3.0 licence, https://creativecommons.org/licenses/by-sa/3.0/. Described in
Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document
recognition", Proceedings of the IEEE 86 (11), 1998, https://doi.org/10.1109/5.726791.
"""


def load_mnist_one_zero():
    """Load MNIST's 1s (normal) and 0s (anomalies), which are shipped with the package.

    The 1s are all of MNIST's. The training set has the first 1,000 of its 0s, to choose parameters
    with: leave them out of a fit, or let :class:`~sklearn_ae.NormalsOnly` do so. The images are
    under the CC BY-SA 3.0 licence [1]_; `DESCR` has the details.

    Returns
    -------
    digits : sklearn.utils.Bunch
        Dictionary with these keys, which are attributes too:

        - `X_train`, `X_test` : ndarray of shape (7742, 28, 28) and (2115, 28, 28), uint8, images
          from 0 (background) to 255.
        - `y_train`, `y_test` : ndarray of shape (7742,) and (2115,), int64, +1 for a 1 and −1 for
          a 0.
        - `digit_train`, `digit_test` : ndarray of shape (7742,) and (2115,), uint8, the digits.
        - `DESCR` : str, origin and licence.

    See Also
    --------
    fetch_mnist : All ten digits.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
       recognition", Proceedings of the IEEE 86 (11), 1998, :doi:`10.1109/5.726791`.

    Examples
    --------
    >>> from sklearn_ae.datasets import load_mnist_one_zero
    >>> digits = load_mnist_one_zero()
    >>> digits.X_train.shape, digits.X_train.dtype
    ((7742, 28, 28), dtype('uint8'))
    >>> digits.digit_test[:4], digits.y_test[:4]
    (array([1, 0, 1, 0], dtype=uint8), array([ 1, -1,  1, -1]))
    """
    folder = files("sklearn_ae") / "data"
    with (folder / "mnist_one_zero.npz").open("rb") as file, np.load(file) as arrays:
        digits = Bunch(
            X_train=arrays["x_train"],
            X_test=arrays["x_test"],
            digit_train=arrays["y_train"],
            digit_test=arrays["y_test"],
            DESCR=(folder / "mnist_one_zero.md").read_text(encoding="utf-8"),
        )
    for part in ["train", "test"]:
        digits[f"y_{part}"] = np.where(digits[f"digit_{part}"] == 1, 1, -1)
    return digits


def fetch_mnist():
    """Load all of MNIST, downloading it first if Keras has not done so before.

    Keras keeps the file, `mnist.npz` (11.5 MB), in the folder `datasets` of `~/.keras`, or of the
    folder that the environment variable KERAS_HOME names. Which digit is the anomaly is up to you,
    so there is no `y`. The images are under the CC BY-SA 3.0 licence [1]_.

    Returns
    -------
    digits : sklearn.utils.Bunch
        Dictionary with these keys, which are attributes too:

        - `X_train`, `X_test` : ndarray of shape (60000, 28, 28) and (10000, 28, 28), uint8, images
          from 0 (background) to 255.
        - `digit_train`, `digit_test` : ndarray of shape (60000,) and (10000,), uint8, the digits.
        - `DESCR` : str, origin and licence.

    Raises
    ------
    OSError
        If the file is not there and cannot be downloaded, such as without a network. The error says
        where to put it.

    See Also
    --------
    load_mnist_one_zero : The 1s and 0s, without a download.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
       recognition", Proceedings of the IEEE 86 (11), 1998, :doi:`10.1109/5.726791`.

    Examples
    --------
    >>> from sklearn_ae.datasets import fetch_mnist
    >>> digits = fetch_mnist()  # doctest: +SKIP
    >>> digits.X_train[digits.digit_train == 8].shape  # doctest: +SKIP
    (5851, 28, 28)
    """
    # From there, as it refuses other backends than TensorFlow before Keras fails.
    from sklearn_ae._network import keras

    try:
        (X_train, digit_train), (X_test, digit_test) = keras.datasets.mnist.load_data()
    except Exception as error:  # Keras raises no narrower one.
        folder = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"
        raise OSError(
            f"MNIST could not be loaded: Keras found no valid file {folder / 'mnist.npz'} and "
            f"could not download it. Put the file {_MNIST_ADDRESS} there yourself, exactly that "
            "one (Keras checks its hash and deletes others), or use load_mnist_one_zero, whose "
            f"digits are shipped with sklearn_ae. Received from Keras: {error}"
        ) from error
    return Bunch(
        X_train=X_train,
        X_test=X_test,
        digit_train=digit_train,
        digit_test=digit_test,
        DESCR=_MNIST_DESCRIPTION,
    )
