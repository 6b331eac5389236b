"""CPU kernels: serial, without the GIL; one thread pool in the backend spreads them."""
