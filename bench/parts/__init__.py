"""The hot paths, one a module: `measure(ground, wish)` yields figures."""
