"""Models that lie in local folders: loaded from safetensors, known in keys by their digests."""
