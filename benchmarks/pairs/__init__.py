"""Parts of the benchmarks of all pairs: data, an oracle, what others do, and clocks."""
