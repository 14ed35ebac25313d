"""``python -m sklearn_ae`` is the command ``sklearn-ae``."""

import sys

from sklearn_ae.deployment.cli import main

if __name__ == "__main__":
    sys.exit(main())
