"""What all rooms stand on.

Checks, files, progress, order statistics, and the environment that Keras needs.

Imports no other room. All of them use it.
"""
