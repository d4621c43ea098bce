"""Tests of the rules about shapes and states, at their edges."""
