"""Files of fitted detectors, for this package, without trust.

:func:`save` and :func:`load` write and read a zip of JSON and arrays: the network as Keras's
configuration and its weights, the parameters and the fitted attributes. There is no pickle in it,
and nothing that runs when it is loaded, so that a file of a stranger's may be opened; what it then
says of samples is another matter. Keras's safe mode stays on: `Lambda` layers are refused, and so
is custom code that the program has not registered itself. :func:`describe` reads what such a file
says of itself.
"""

from sklearn_ae.deployment.persistence._files import describe, load, save

__all__ = ["describe", "load", "save"]
