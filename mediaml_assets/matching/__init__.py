"""Match cutting: flavours, pair scores and the top-K cuts."""
