"""What the project claims in figures, measured: `make bench NAME=<module> SEED=<n>`."""
