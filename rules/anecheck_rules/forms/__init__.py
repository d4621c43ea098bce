"""Forms in a graph that several rules look for."""
