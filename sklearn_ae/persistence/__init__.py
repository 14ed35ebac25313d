"""One file for a fitted detector, which is loaded without trusting it.

The file is a zip of JSON and arrays: the network as Keras's configuration and its weights, the
parameters and the fitted attributes. There is no pickle in it, and nothing that runs when it is
loaded, so that a file of a stranger's may be opened; what it then says of samples is another
matter. Keras's safe mode stays on: `Lambda` layers are refused, and so is custom code that the
program has not registered itself.
"""

from sklearn_ae.persistence._files import describe, load, save

__all__ = ["describe", "load", "save"]
