"""Counting kernels of gpudrift: the lowest layer, the only one that touches every row."""
