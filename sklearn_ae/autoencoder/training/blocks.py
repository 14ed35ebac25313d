"""Training of several batches a call: what Keras's `fit` calls for a step, and what feeds it."""

import math

import keras
import numpy as np
import tensorflow as tf

from sklearn_ae.autoencoder.network.scoring import largest_layer

# A block takes about so many seconds: the progress bar moves, and Keras's own work is little of it.
_SECONDS_PER_BLOCK = 0.2

# Rough figures of one step on two processor cores: what it takes at least, and multiplications
# and additions a second. They decide about the lengths of blocks alone.
_SECONDS_PER_STEP = 3e-4
_OPERATIONS_PER_SECOND = 5e10

# Of scaled values in a block, and of the largest layer in a step that only computes the loss.
_BYTES_PER_BLOCK = 2**21

# From steps as long as those of the compact convolutional network on, XLA is not slower: section 19
# of benchmarks/README.md.
_SECONDS_FOR_XLA = 0.02

# Held-out rows in a step of a network whose layers do not say how large they are.
_FEW_ROWS = 32


class BlockTraining:
    """A compiled Keras model that `fit` trains with a block of batches a step.

    Keras does more around each step than the step itself takes in a small network. Here each step
    that Keras sees runs the batches of a block in one TensorFlow loop, each by Keras's own
    `train_step`. The model stays a functional one, which callbacks may save, train and evaluate.

    Parameters
    ----------
    model : keras.Model
        Compiled, with an optimizer that is built.

    Attributes
    ----------
    model : keras.Model
    """

    def __init__(self, model):
        self.model = model
        # Variables, so that trainings of other lengths share what is compiled.
        self._rate, self._n_steps, self._step = (
            tf.Variable(0.0, dtype=tf.float64, trainable=False) for _ in range(3)
        )
        # Of any length, so that a shorter last block is not another function.
        signature = [
            tf.TensorSpec((None, *model.input_shape[1:]), tf.float32),
            tf.TensorSpec((None,), tf.int32),
        ]
        self._train_on_block = tf.function(
            self._loop, input_signature=signature, autograph=False, jit_compile=False
        )
        self._train_on_batch = tf.function(
            model.train_step, reduce_retracing=True, autograph=False, jit_compile=model.jit_compile
        )
        # What `compile` leaves for `fit` to fill in.
        model.train_function = self._train
        model.evaluate = self._evaluate

    def start_decay(self, rate, n_steps):
        """Let the learning rate fall to 0 along half a cosine, from twice what it was.

        Parameters
        ----------
        rate : float
            Its mean. 0 leaves the learning rate as it is.
        n_steps : int
            Number of batches.
        """
        for variable, value in ((self._rate, rate), (self._n_steps, n_steps), (self._step, 0)):
            variable.assign(float(value))

    def _train(self, iterator):
        """Train with what an iterator gives next: a block, or a batch of a callback's."""
        data = next(iterator)
        bounds = data[1] if isinstance(data, tuple) and len(data) == 2 else None
        is_block = getattr(bounds, "dtype", None) == tf.int32 and len(bounds.shape) == 1
        return self._train_on_block(*data) if is_block else self._train_on_batch(data)

    def _loop(self, samples, bounds):
        """Train, in the graph, with each batch: where it begins and ends, the bounds say."""

        def train_batch(i):
            batch = samples[bounds[i] : bounds[i + 1]]
            self._set_learning_rate()
            step = self._train_on_batch if self.model.jit_compile else self.model.train_step
            step((batch, batch))
            return i + 1

        n_batches = tf.size(bounds) - 1
        tf.while_loop(lambda i: i < n_batches, train_batch, [tf.constant(0)], parallel_iterations=1)
        return self.model.get_metrics_result()

    def _evaluate(self, x=None, *args, **kwargs):
        """Compute the loss of the held-out samples, as `fit` of Keras asks for it.

        Keras's own begins with a new data pipeline, which takes longer than the rest of a short
        epoch.
        """
        model = self.model
        if not isinstance(x, HeldOutBlocks):
            return type(model).evaluate(model, x, *args, **kwargs)
        callbacks = kwargs["callbacks"]
        model.make_test_function()
        callbacks.on_test_begin()
        model.reset_metrics()
        for i in range(len(x)):
            callbacks.on_test_batch_begin(i)
            samples = tf.constant(x[i])
            logs = model.test_function(iter([(samples, samples)]))
            callbacks.on_test_batch_end(i, logs)
        logs = {name: float(value) for name, value in model.get_metrics_result().items()}
        callbacks.on_test_end(logs)
        return logs

    def _set_learning_rate(self):
        # Mixed precision puts another optimizer around the user's.
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        if not isinstance(optimizer.learning_rate, keras.Variable):
            # A schedule of the user's.
            return
        current = tf.cast(optimizer.learning_rate.value, tf.float64)
        share = self._step / tf.maximum(self._n_steps, 1.0)
        falling = self._rate * (1.0 + tf.cos(math.pi * share))
        rate = tf.where(self._rate > 0, falling, current)
        optimizer.learning_rate = tf.cast(rate, tf.float32)
        self._step.assign_add(1.0)


class TrainingBlocks(keras.utils.PyDataset):
    """Blocks of batches of scaled samples: an epoch.

    Parameters
    ----------
    network : Network
        Its scaling makes what is trained with, and its size the length of a block.
    X : ndarray of shape (n, ...)
        Raw values; read block by block, never copied as a whole.
    rows : ndarray of int
        Rows of X to train with.
    settings : TrainingSettings
        An epoch goes over the rows as often as it takes to make `min_steps` batches of
        `batch_size`.
    random_state : numpy.random.RandomState
        Source of a new order for each pass over the rows.

    Attributes
    ----------
    n_batches_per_block : int
    """

    def __init__(self, network, X, rows, settings, random_state):
        super().__init__()
        self._scaling = network.scaling
        self._X = X
        self._rows = rows
        self._random_state = random_state
        batch_size = settings.batch_size
        n_batches = math.ceil(len(rows) / batch_size)
        self._n_passes = math.ceil(settings.min_steps / n_batches)
        # The last batch of a pass is the smaller one.
        starts = np.arange(n_batches) * batch_size
        starts = np.concatenate([i * len(rows) + starts for i in range(self._n_passes)])
        self._bounds = np.append(starts, self._n_passes * len(rows))
        self.n_batches_per_block = count_batches_per_block(network.autoencoder, batch_size)
        self.on_epoch_end()

    @property
    def n_batches(self):
        """Number of batches of an epoch."""
        return len(self._bounds) - 1

    def __len__(self):
        return math.ceil(self.n_batches / self.n_batches_per_block)

    def __getitem__(self, index):
        begin = index * self.n_batches_per_block
        bounds = self._bounds[begin : begin + self.n_batches_per_block + 1]
        rows = self._order[bounds[0] : bounds[-1]]
        return self._scaling.transform(self._X[rows]), (bounds - bounds[0]).astype(np.int32)

    def on_epoch_end(self):
        """Draw the orders of the next epoch."""
        shuffled = [self._random_state.permutation(self._rows) for _ in range(self._n_passes)]
        self._order = np.concatenate(shuffled)


class HeldOutBlocks(keras.utils.PyDataset):
    """Blocks of scaled samples whose loss chooses the best epoch.

    Parameters
    ----------
    network : Network
    X : ndarray of shape (n, ...)
        Raw values.
    rows : ndarray of int
        Held-out rows of X.
    """

    def __init__(self, network, X, rows):
        super().__init__()
        self._scaling = network.scaling
        self._X = X
        self._rows = rows
        self._n_rows_per_block = count_held_out_rows_per_block(network.autoencoder)

    def __len__(self):
        return math.ceil(len(self._rows) / self._n_rows_per_block)

    def __getitem__(self, index):
        begin = index * self._n_rows_per_block
        rows = self._rows[begin : begin + self._n_rows_per_block]
        return self._scaling.transform(self._X[rows])


def count_batches_per_block(autoencoder, batch_size):
    """Return how many batches a block has.

    Parameters
    ----------
    autoencoder : keras.Model
    batch_size : int

    Returns
    -------
    n_batches : int
    """
    if not _is_known(autoencoder):
        return 1
    n_bytes = 4 * batch_size * math.prod(autoencoder.input_shape[1:])
    n_in_time = int(_SECONDS_PER_BLOCK / _estimate_step(autoencoder, batch_size))
    return max(1, min(n_in_time, _BYTES_PER_BLOCK // n_bytes))


def count_held_out_rows_per_block(autoencoder):
    """Return how many held-out samples the loss is computed of at a time."""
    if not _is_known(autoencoder):
        return _FEW_ROWS
    return max(1, _BYTES_PER_BLOCK // (4 * largest_layer(autoencoder)))


def is_large(autoencoder, batch_size):
    """Tell whether a step computes so much that XLA, which takes time for each, is faster."""
    if not _is_known(autoencoder):
        return True
    return _estimate_step(autoencoder, batch_size) > _SECONDS_FOR_XLA


def _is_known(autoencoder):
    """Tell whether the sizes of all layers are: in a subclassed model, nothing says them."""
    return all(_shape_of(layer) for layer in _layers_of(autoencoder) if layer.weights)


def _estimate_step(autoencoder, batch_size):
    """Return about how many seconds a step takes: three products and as many sums a weight."""
    operations = 6 * batch_size * _count_products(autoencoder)
    return _SECONDS_PER_STEP + operations / _OPERATIONS_PER_SECOND


def _count_products(autoencoder):
    """Return about how many products the network computes a sample."""
    return sum(
        # Strided convolutions work at each position of their outputs, transposed ones of inputs.
        min(math.prod(_shape_of(layer, name)[:-1]) for name in ("input", "output"))
        * sum(math.prod(weight.shape) for weight in layer.weights)
        for layer in _layers_of(autoencoder)
    )


def _layers_of(model):
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers_of(layer)
        else:
            yield layer


def _shape_of(layer, name="output"):
    """Return the shape of a sample in the output or the input of a layer, or that of a number."""
    try:
        shapes = [tensor.shape for tensor in keras.tree.flatten(getattr(layer, name))]
    except (AttributeError, ValueError):
        # In a subclassed model, layers are called without a graph.
        return ()
    return tuple(n or 1 for n in max(shapes, key=len, default=())[1:])
