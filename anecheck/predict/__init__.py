"""Numbers from a graph, for one target: what can run where, what it is taken to cost, and where it is placed.

Nothing here imports the rules: who blocks what comes in as data.
"""
