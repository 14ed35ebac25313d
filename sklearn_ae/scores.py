"""What an anomaly score is: from what a network makes of a sample to one number.

An anomaly score is a parameter object. It has one of two methods, both of which run inside the
scoring graph, get float64 tensors in scaled units and return one number a sample, of which higher
means more abnormal:

- `compute(inputs, reconstructions)`, for scores of the difference between the two;
- `compute_from(response)`, for scores that look inside the network: a response has `inputs`,
  `reconstructions`, `codes`, `reconstruction_codes` (what the encoder makes of the
  reconstructions), `hidden` and `reconstruction_hidden` (lists of what each encoder layer with
  weights gives, the code last). Nothing is computed that a score does not ask for.

A score that must be fitted to normal samples has two methods more: `features(response)`, in the
graph, says what it is fitted to, one row of numbers a sample, and `fit(features)` gets these as an
array once the network is trained. They come from the held-out rows, from those that the network
was fitted to if the attribute `fits_training_rows` is true, and from all of them if those are fewer
than 20. A held-out sample sets the threshold by its score from a fit without it: by
`leave_one_out(features)`, if the score has that method, else by fits to four of five folds. Arrays
that `fit` keeps under names with an underscore at the end are tensors in the graph
and arguments of it, so that fits of one configuration share what is compiled.

These arrays may have any number of axes, also none. In the graph, floating-point numbers are
float64. Booleans and integers keep their type: use them as masks and indices, or combine them with
other numbers by `keras.ops`, which converts types, unlike operators of TensorFlow's tensors.
All else that a score keeps, such as Python numbers, lists and arrays of words, is a constant of
the graph.
"""

from sklearn_ae.autoencoder.scores import (
    AbsoluteError,
    CodeDifference,
    CombinedScore,
    HiddenDifference,
    LatentDistance,
    NeighborDistance,
    PooledDistance,
    PositionError,
    SmoothedError,
    SquaredError,
    WhitenedError,
)

__all__ = [
    "AbsoluteError",
    "CodeDifference",
    "CombinedScore",
    "HiddenDifference",
    "LatentDistance",
    "NeighborDistance",
    "PooledDistance",
    "PositionError",
    "SmoothedError",
    "SquaredError",
    "WhitenedError",
]


def __dir__():
    return sorted(__all__)
