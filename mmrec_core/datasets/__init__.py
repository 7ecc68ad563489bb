"""Datasets: what is installed, how it gets in, and how it is split."""
