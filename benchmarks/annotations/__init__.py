"""A catalogue of annotations made from a seed, what is asked of it, the right answers, and peers that are asked too."""
