"""The best of all pairs of vectors: exact, in blocks, with memory that the block bounds."""
