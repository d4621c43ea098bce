"""Two exports of a model side by side: operations matched by structure, what changed, and whether that is worse."""
