"""The shipped digits, and those that Keras downloads."""

import keras
import numpy as np
import pytest

from sklearn_ae.datasets import fetch_mnist, load_mnist_one_zero


@pytest.fixture(scope="module")
def digits():
    return load_mnist_one_zero()


@pytest.mark.parametrize(
    ("part", "n_ones", "n_zeros"), [("train", 6742, 1000), ("test", 1135, 980)]
)
def test_mnist_one_zero(digits, part, n_ones, n_zeros):
    X, y, digit = (digits[f"{name}_{part}"] for name in ["X", "y", "digit"])
    assert X.shape == (n_ones + n_zeros, 28, 28)
    assert X.dtype == np.uint8
    assert (X.min(), X.max()) == (0, 255)
    assert y.dtype.kind == "i"
    assert (np.sum(y == 1), np.sum(y == -1)) == (n_ones, n_zeros)
    np.testing.assert_array_equal(digit, (y == 1).astype(int))


def test_description_names_origin_and_licence(digits):
    for text in ["Yann LeCun and Corinna Cortes", "ShareAlike 3.0", "What was changed"]:
        assert text in digits.DESCR


def test_mnist_one_zero_is_part_of_mnist(digits, data_dir):
    with np.load(data_dir / "mnist.npz") as mnist:
        X, digit = mnist["x_train"], mnist["y_train"]
        is_shipped = (digit == 1) | ((digit == 0) & (np.cumsum(digit == 0) <= 1000))
        np.testing.assert_array_equal(digits.X_train, X[is_shipped])
        np.testing.assert_array_equal(digits.digit_train, digit[is_shipped])
        np.testing.assert_array_equal(digits.X_test, mnist["x_test"][mnist["y_test"] <= 1])


def test_fetch_mnist(monkeypatch, data_dir):
    # Keras's own reading of a file that its check of the hash would refuse: the images are the
    # same, but packed otherwise.
    monkeypatch.setitem(
        keras.datasets.mnist.load_data.__globals__,
        "get_file",
        lambda **keywords: data_dir / keywords["fname"],
    )
    digits = fetch_mnist()
    assert digits.X_train.shape == (60000, 28, 28)
    assert digits.X_test.shape == (10000, 28, 28)
    assert digits.X_train.dtype == np.uint8
    assert np.bincount(digits.digit_train)[1] == 6742
    assert np.bincount(digits.digit_test)[0] == 980
    assert "ShareAlike 3.0" in digits.DESCR


def test_fetch_mnist_without_network_says_where_a_file_can_be_put(monkeypatch, tmp_path):
    def fail():
        raise Exception("URL fetch failure on https://...: None -- no network")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(OSError, match="no network") as raised:
        fetch_mnist()
    message = str(raised.value)
    assert str(tmp_path / "datasets" / "mnist.npz") in message
    assert "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz" in message
    assert "load_mnist_one_zero" in message
    monkeypatch.delenv("KERAS_HOME")
    with pytest.raises(OSError, match=r"\.keras.datasets.mnist\.npz"):
        fetch_mnist()
