"""CUDA kernels: the same verbs, file and function names as ``cpu``; importing this package touches no driver."""
