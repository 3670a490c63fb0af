"""Pure and streaming market features: floats in, floats out, constant memory, no clock of their own.

Sizes are base units, prices quote units, times integer nanoseconds; every formula names its source.
"""
