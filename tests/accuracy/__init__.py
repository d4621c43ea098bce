"""How well anecheck predicts where Core ML places operations, against measured placements."""
