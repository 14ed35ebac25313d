"""Data sets, as dictionaries with attributes."""

import os
from importlib.resources import files
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from sklearn_ae._base.keras_environment import import_keras

# Where Keras downloads from.
_ADDRESS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

# The arrays of a file in Keras's layout.
_ARRAYS = ("x_train", "y_train", "x_test", "y_test")

_MNIST_DESCRIPTION = """\
MNIST: 70,000 handwritten digits, gray images of 28 × 28 pixels from 0 (background) to 255.

By Yann LeCun and Corinna Cortes, derived from the data sets of NIST, under the Creative Commons
Attribution-ShareAlike 3.0 license, https://creativecommons.org/licenses/by-sa/3.0/. Described in
Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document
recognition", Proceedings of the IEEE 86 (11), 1998, https://doi.org/10.1109/5.726791.
"""

_FASHION_MNIST_DESCRIPTION = """\
Fashion-MNIST: 70,000 pictures of articles of clothing of ten classes, gray images of 28 × 28 pixels
from 0 (background) to 255.

Copyright (c) 2017 Zalando SE, https://tech.zalando.com, under the MIT license,
https://github.com/zalandoresearch/fashion-mnist/blob/master/LICENSE. Described in H. Xiao, K. Rasul
and R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
algorithms", 2017, https://arxiv.org/abs/1708.07747.
"""

# In the order of their numbers.
_FASHION_MNIST_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def load_mnist_one_zero():
    """Load MNIST's 1s (normal) and 0s (anomalies), which are shipped with the package.

    The 1s are all of MNIST's. The training set has the first 1,000 of its 0s, to choose parameters
    with: leave them out of a fit, or let :class:`.NormalsOnly` do so. The images are
    under the CC BY-SA 3.0 license [1]_; `DESCR` has the details.

    Returns
    -------
    digits : sklearn.utils.Bunch
        Dictionary with these keys, which are attributes too:

        - `X_train`, `X_test` : ndarray of shape (7742, 28, 28) and (2115, 28, 28), uint8, images
          from 0 (background) to 255.
        - `y_train`, `y_test` : ndarray of shape (7742,) and (2115,), int64, +1 for a 1 and −1 for
          a 0.
        - `digit_train`, `digit_test` : ndarray of shape (7742,) and (2115,), uint8, the digits.
        - `DESCR` : str, origin and license.

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
    """Load all of MNIST, downloading it first if it is not there.

    The file `mnist.npz` in the folder that the environment variable SKLEARN_AE_DATA names is read
    if there is one. It has the arrays `x_train`, `y_train`, `x_test` and `y_test`, as Keras's has.
    Else Keras loads its own (11.5 MB), which it keeps in the folder `datasets` of `~/.keras`, or of
    the folder that the environment variable KERAS_HOME names.

    Which digit is the anomaly is up to you, so there is no `y`. The images are under the CC BY-SA
    3.0 license [1]_.

    Returns
    -------
    digits : sklearn.utils.Bunch
        Dictionary with these keys, which are attributes too:

        - `X_train`, `X_test` : ndarray of shape (60000, 28, 28) and (10000, 28, 28), uint8, images
          from 0 (background) to 255.
        - `digit_train`, `digit_test` : ndarray of shape (60000,) and (10000,), uint8, the digits.
        - `DESCR` : str, origin and license.

    Raises
    ------
    OSError
        If the file is not there and cannot be downloaded, such as without a network, or is another
        than it must be. The error says where to put it.

    See Also
    --------
    load_mnist_one_zero : The 1s and 0s, without a download.
    fetch_fashion_mnist : Images of the same size that are harder to tell apart.

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
    X_train, digit_train, X_test, digit_test = _fetch(
        "mnist",
        advice=(
            f"the file {_ADDRESS}mnist.npz into {{folder}}, exactly that one (Keras checks its "
            "hash and deletes others). Or use load_mnist_one_zero, whose digits are shipped with "
            "sklearn_ae"
        ),
    )
    return Bunch(
        X_train=X_train,
        X_test=X_test,
        digit_train=digit_train,
        digit_test=digit_test,
        DESCR=_MNIST_DESCRIPTION,
    )


def fetch_fashion_mnist():
    """Load all of Fashion-MNIST, downloading it first if it is not there.

    The file `fashion_mnist.npz` in the folder that the environment variable SKLEARN_AE_DATA names
    is read if there is one. It has the arrays `x_train`, `y_train`, `x_test` and `y_test`, as
    Keras returns them. Else Keras loads its own files (30.9 MB), which it keeps in the folder
    `datasets/fashion-mnist` of `~/.keras`, or of the folder that the environment variable
    KERAS_HOME names.

    Which class is the anomaly is up to you, so there is no `y`. The images are under the MIT
    license [1]_.

    Returns
    -------
    clothes : sklearn.utils.Bunch
        Dictionary with these keys, which are attributes too:

        - `X_train`, `X_test` : ndarray of shape (60000, 28, 28) and (10000, 28, 28), uint8, images
          from 0 (background) to 255.
        - `class_train`, `class_test` : ndarray of shape (60000,) and (10000,), uint8, the classes
          from 0 to 9.
        - `class_names` : ndarray of shape (10,), str, what they are.
        - `DESCR` : str, origin and license.

    Raises
    ------
    OSError
        If a file is not there and cannot be downloaded, such as without a network, or is another
        than it must be. The error says where to put it.

    See Also
    --------
    fetch_mnist : Digits, in images of the same size.

    References
    ----------
    .. [1] H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking
       machine learning algorithms", 2017, :arxiv:`1708.07747`.

    Examples
    --------
    >>> from sklearn_ae.datasets import fetch_fashion_mnist
    >>> clothes = fetch_fashion_mnist()  # doctest: +SKIP
    >>> print(clothes.class_names[clothes.class_train[0]])  # doctest: +SKIP
    Ankle boot
    """
    X_train, class_train, X_test, class_test = _fetch(
        "fashion_mnist",
        advice=(
            "the files train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, "
            f"t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz of {_ADDRESS} into "
            "{folder}/fashion-mnist"
        ),
    )
    return Bunch(
        X_train=X_train,
        X_test=X_test,
        class_train=class_train,
        class_test=class_test,
        class_names=np.array(_FASHION_MNIST_CLASSES),
        DESCR=_FASHION_MNIST_DESCRIPTION,
    )


def _fetch(name, *, advice):
    """Return the four arrays of a data set of Keras, from SKLEARN_AE_DATA or from Keras itself.

    Parameters
    ----------
    name : str
        Module of keras.datasets, and name of the file in SKLEARN_AE_DATA.
    advice : str
        What to put into Keras's folder, named {folder}, where it cannot be downloaded.

    Returns
    -------
    X_train, labels_train, X_test, labels_test : ndarray
    """
    own_folder = os.environ.get("SKLEARN_AE_DATA")
    if own_folder and (file := Path(own_folder) / f"{name}.npz").is_file():
        return _read_arrays(file)
    keras = import_keras()
    try:
        (X_train, labels_train), (X_test, labels_test) = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises no narrower one.
        folder = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"
        raise OSError(
            f"{name} could not be loaded: Keras found no valid file of it and could not download "
            f"one. Set the environment variable SKLEARN_AE_DATA to a folder with {name}.npz, which "
            f"holds the arrays {', '.join(_ARRAYS)}, or put {advice.format(folder=folder)}. "
            f"Received from Keras: {error}"
        ) from error
    return X_train, labels_train, X_test, labels_test


def _read_arrays(file):
    try:
        with np.load(file) as arrays:
            return tuple(arrays[name] for name in _ARRAYS)
    except Exception as error:  # NumPy raises several kinds for files that are no archives.
        raise OSError(
            f"{file}, in the folder that the environment variable SKLEARN_AE_DATA names, must be "
            f"a file of numpy.savez with the arrays {', '.join(_ARRAYS)}: put one there, or "
            f"unset SKLEARN_AE_DATA. Received: {error}"
        ) from error
