"""What an autoencoder gives beside scores: codes, reconstructions, maps and Keras models."""

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_ae._base.checks import check_not_masked
from sklearn_ae.autoencoder.architectures.choosing import has_features
from sklearn_ae.autoencoder.row_hashes import compare_rows
from sklearn_ae.autoencoder.samples import validate_data_to_score
from sklearn_ae.autoencoder.scores import warn_if_threshold_is_negative
from sklearn_ae.autoencoder.tiling import map_images
from sklearn_ae.autoencoder.units import warn_if_other_units


def _has_code(detector):
    """Whether there is an encoder and a decoder, which a fitted single model has not."""
    network = getattr(detector, "_network", None)
    if network is not None and not network.has_code:
        raise AttributeError(
            "The architecture built one model from input to reconstruction, so there is no code. "
            "Let it build an encoder and a decoder."
        )
    return True


def _rebuilds_samples(detector):
    """Whether there are reconstructions of samples, which an autoencoder of features has not."""
    network = getattr(detector, "_network", None)
    if has_features(detector.architecture) if network is None else network.is_positionwise:
        raise AttributeError(
            "An autoencoder of features, such as FeatureAutoencoder, rebuilds features and no "
            "images: there are codes, scores and maps, and no reconstructions and Keras models of "
            "images."
        )
    return True


def _decodes_samples(detector):
    return _rebuilds_samples(detector) and _has_code(detector)


def _takes_samples_whole(detector):
    """Whether samples are not cut into tiles."""
    is_fitted = hasattr(detector, "_network")
    if (detector._tiling if is_fitted else detector.tile_size) is not None:
        raise AttributeError(
            "With tile_size, codes and reconstructions are those of tiles, not of images: set it "
            "to None and pass tiles."
        )
    return True


def _has_code_of_samples(detector):
    return _takes_samples_whole(detector) and _has_code(detector)


def _decodes_whole_samples(detector):
    return _takes_samples_whole(detector) and _decodes_samples(detector)


def _rebuilds_whole_samples(detector):
    return _takes_samples_whole(detector) and _rebuilds_samples(detector)


class AutoencoderTransformerMixin(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Methods of a fitted detector that look inside its network."""

    @property
    def model_(self):
        """Keras model from inputs to reconstructions, in the units of X."""
        _rebuilds_samples(self)
        return self._view("model")

    @property
    def encoder_(self):
        """Keras model from inputs, in the units of X, to codes."""
        _decodes_samples(self)
        return self._view("encoder")

    @property
    def decoder_(self):
        """Keras model from codes to reconstructions, in the units of X."""
        _decodes_samples(self)
        return self._view("decoder")

    def _warn_if_always_exceeded(self, threshold):
        """Warn of a threshold of a wrapper's that every sample is above."""
        warn_if_threshold_is_negative(threshold, self.anomaly_score_)

    def transform(self, X):
        """Compute the codes of samples.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or (n, height, width, channels)
            Samples of the shape and in the units of the training data.

        Returns
        -------
        codes : ndarray of shape (n, latent_dim), float32
            What the encoder gives. Of an autoencoder of features, the mean over the positions.
        """
        from sklearn_ae.autoencoder.network import scoring
        from sklearn_ae.autoencoder.network.outputs import Code

        X, _ = self._validate(X)
        return scoring.run(self._network, Code(), X)

    @available_if(_decodes_whole_samples)
    def inverse_transform(self, X):
        """Decode codes.

        Parameters
        ----------
        X : array-like of shape (n, latent_dim)
            Codes, as `transform` gives them.

        Returns
        -------
        reconstructions : ndarray of shape (n, ...), float32
            In the units of the training data and the shape that they came in.
        """
        from sklearn_ae.autoencoder.network import scoring
        from sklearn_ae.autoencoder.network.outputs import Decoding

        check_is_fitted(self)
        check_not_masked(X)
        codes = check_array(X, input_name="X", estimator=self)
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"X must be codes of {self._n_features_out} numbers (latent_dim), as transform "
                f"gives them. Received: X of shape {codes.shape}."
            )
        decodings = scoring.run(self._network, Decoding(), codes)
        return decodings.reshape(len(codes), *self._sample_shape)

    @available_if(_rebuilds_whole_samples)
    def reconstruct(self, X):
        """Compute what the network makes of samples.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or (n, height, width, channels)
            Samples of the shape and in the units of the training data.

        Returns
        -------
        reconstructions : ndarray of the shape of X, float32
            In the units of X, and 0 outside of `region_of_interest`. Values beyond float32, and
            those of samples that the network cannot take, are its largest number.
        """
        from sklearn_ae.autoencoder.network import scoring
        from sklearn_ae.autoencoder.network.outputs import Reconstruction

        X, shape = self._validate(X)
        return scoring.run(self._network, Reconstruction(), X).reshape(shape)

    def anomaly_map(self, X):
        """Compute the absolute error of each pixel or feature.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or (n, height, width, channels)
            Samples of the shape and in the units of the training data. With `tile_size`, also a
            list, or an array of objects, of images of different sizes: their maps are a list.

        Returns
        -------
        maps : ndarray of shape (n, n_features) or (n, height, width), float32
            In scaled units, summed over the channels of images, and 0 outside of
            `region_of_interest`. With ``anomaly_score="absolute_error"`` the sum of a map is minus
            the sample's score. Of an autoencoder of features, the sum over the features of a
            position, interpolated to the pixels of the image. With `tile_size`, the maps of tiles,
            blended where they overlap: a list of arrays (height, width) where X is one. Maps are
            finite: the largest float32 stands for errors beyond it, and for those of values that
            the network cannot take.
        """
        from sklearn_ae.autoencoder.network import scoring
        from sklearn_ae.autoencoder.network.outputs import ErrorMap

        # An array of objects holds images of any sizes, as a list does, or one array of them.
        is_list = getattr(X, "ndim", 1) == 1
        X, shape = self._validate(X)

        def compute(X):
            maps = scoring.run(self._network, ErrorMap(), X)
            return maps if self._network.is_positionwise else scoring.sum_channels(maps)

        if self._tiling is not None:
            maps = map_images(X, self._tiling, compute)
            return maps if is_list else np.stack(maps)
        if len(shape) == 4 or self._network.is_positionwise:
            return compute(X)
        return scoring.run(self._network, ErrorMap(), X).reshape(shape)

    @available_if(_has_code_of_samples)
    def get_feature_names_out(self, input_features=None):
        """Name the columns of `transform`.

        Parameters
        ----------
        input_features : Ignored
            As in every transformer of scikit-learn whose columns are no input features.

        Returns
        -------
        names : ndarray of shape (latent_dim,), object
            "autoencoderanomalydetector0" and so on.
        """
        return super().get_feature_names_out(input_features)

    @property
    def _n_features_out(self):
        _has_code(self)
        return self._network.n_codes

    def _compare_with_fit(self, X):
        """Return which rows of X `fit` got, and how many rows repeat: see `compare_rows`."""
        return compare_rows(self._validate(X)[0], self._row_hashes, self._network.scaling.region)

    def _validate(self, X):
        """Return X as the network takes it, and the shape in which it came."""
        check_is_fitted(self)
        X, shape = validate_data_to_score(self, X)
        region = self._network.scaling.region
        is_image = len(self.input_shape_) == 3
        warn_if_other_units(X, self._fitted_dtype, self._fitted_max, region, is_image=is_image)
        return X, shape

    def _view(self, name):
        # AttributeErrors of properties would be reported as if the property did not exist.
        check_is_fitted(self, "offset_")
        return self._network.view(name)


# Outside of the wrapper that `set_output` puts around it, which would hide that it is missing.
AutoencoderTransformerMixin.transform = available_if(_has_code_of_samples)(
    AutoencoderTransformerMixin.transform
)
