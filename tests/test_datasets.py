"""The shipped digits, and those that Keras downloads."""

import keras
import numpy as np
import pytest

from sklearn_ae.datasets import fetch_fashion_mnist, fetch_mnist, load_mnist_one_zero


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


def test_fetch_mnist_through_keras(monkeypatch, data_dir):
    # Keras's own reading of a file that its check of the hash would refuse: the images are the
    # same, but packed otherwise.
    monkeypatch.delenv("SKLEARN_AE_DATA", raising=False)
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


def test_fetch_fashion_mnist(monkeypatch, data_dir):
    monkeypatch.setenv("SKLEARN_AE_DATA", str(data_dir))
    clothes = fetch_fashion_mnist()
    assert clothes.X_train.shape == (60000, 28, 28)
    assert clothes.X_test.shape == (10000, 28, 28)
    assert clothes.X_train.dtype == clothes.class_train.dtype == np.uint8
    np.testing.assert_array_equal(np.bincount(clothes.class_train), [6000] * 10)
    np.testing.assert_array_equal(np.bincount(clothes.class_test), [1000] * 10)
    # Trousers fill the middle of an image, sandals its lower part.
    means = {
        name: clothes.X_test[clothes.class_names[clothes.class_test] == name].mean(axis=0)
        for name in ("Trouser", "Sandal")
    }
    assert means["Trouser"][2:8, 8:20].mean() > 100 > 20 > means["Sandal"][2:8, 8:20].mean()
    assert "Zalando SE" in clothes.DESCR
    assert "MIT" in clothes.DESCR


# One image of each kind, whose labels tell them apart.
ARRAYS = {
    "x_train": np.zeros((2, 28, 28), dtype=np.uint8),
    "y_train": np.array([3, 4], dtype=np.uint8),
    "x_test": np.ones((1, 28, 28), dtype=np.uint8),
    "y_test": np.array([5], dtype=np.uint8),
}
FETCHES = pytest.mark.parametrize(
    ("fetch", "name", "label"),
    [(fetch_mnist, "mnist", "digit"), (fetch_fashion_mnist, "fashion_mnist", "class")],
)


def fail():
    raise Exception("URL fetch failure on https://...: None -- no network")


def check_arrays(fetched, label):
    np.testing.assert_array_equal(fetched.X_train, ARRAYS["x_train"])
    np.testing.assert_array_equal(fetched.X_test, ARRAYS["x_test"])
    np.testing.assert_array_equal(fetched[f"{label}_train"], ARRAYS["y_train"])
    np.testing.assert_array_equal(fetched[f"{label}_test"], ARRAYS["y_test"])


@FETCHES
def test_file_in_the_folder_of_the_environment_comes_first(
    fetch, name, label, monkeypatch, tmp_path
):
    np.savez(tmp_path / f"{name}.npz", **ARRAYS)
    monkeypatch.setenv("SKLEARN_AE_DATA", str(tmp_path))
    monkeypatch.setattr(getattr(keras.datasets, name), "load_data", fail)
    check_arrays(fetch(), label)


@FETCHES
@pytest.mark.parametrize("value", ["", "folder"])
def test_keras_loads_what_is_not_there(fetch, name, label, value, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    # In the working directory, which an empty variable does not mean.
    np.savez(tmp_path / f"{name}.npz", x_train=0)
    monkeypatch.setenv("SKLEARN_AE_DATA", value)
    arrays = (ARRAYS["x_train"], ARRAYS["y_train"]), (ARRAYS["x_test"], ARRAYS["y_test"])
    monkeypatch.setattr(getattr(keras.datasets, name), "load_data", lambda: arrays)
    check_arrays(fetch(), label)


@FETCHES
@pytest.mark.parametrize("is_archive", [True, False])
def test_another_file_is_refused_by_its_name(fetch, name, label, is_archive, monkeypatch, tmp_path):
    file = tmp_path / f"{name}.npz"
    file.write_text("no archive")
    if is_archive:
        np.savez(file, X=np.zeros(3))
    monkeypatch.setenv("SKLEARN_AE_DATA", str(tmp_path))
    with pytest.raises(
        OSError, match=r"SKLEARN_AE_DATA.* x_train, y_train, .*Received: "
    ) as raised:
        fetch()
    assert str(file) in str(raised.value)


@FETCHES
def test_without_network_says_where_a_file_can_be_put(fetch, name, label, monkeypatch, tmp_path):
    monkeypatch.setattr(getattr(keras.datasets, name), "load_data", fail)
    monkeypatch.delenv("SKLEARN_AE_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(OSError, match="no network") as raised:
        fetch()
    message = str(raised.value)
    assert str(tmp_path / "datasets") in message
    assert "https://storage.googleapis.com/tensorflow/tf-keras-datasets/" in message
    assert f"SKLEARN_AE_DATA to a folder with {name}.npz" in message
    assert ("load_mnist_one_zero" in message) == (name == "mnist")
    monkeypatch.delenv("KERAS_HOME")
    with pytest.raises(OSError, match=r"\.keras.datasets"):
        fetch()
