"""The words of the field as values: frozen dataclasses and enums, standard library only."""
