"""What a model is: programs, their text notation, and the graph of a function.

Nothing here knows the Neural Engine, and nothing here reads files.
"""
