"""What a Mac said of where operations run: reading it from files of several forms, and asking Core ML for it."""
