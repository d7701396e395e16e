"""Sample titles with ground truth, rendered from a seed."""
