"""Why an item was recommended: splits, what-ifs and evidence, on the stored run, untrained again.

Each way has ``is_compatible(recommender)``, a sentence where it is not, and figures of how
faithful it is.
"""
