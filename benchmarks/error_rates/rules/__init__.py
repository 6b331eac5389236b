"""Default alarm rules of other packages, restated; each is held to its package by ``make error-rates-peers``."""
