"""The keywords by theme. Each class is a part of PropagatorLibrary."""
