"""Rules about the predicted placement of a whole program (ANE3xx)."""
