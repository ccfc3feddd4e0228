"""The APIService resource: types, validation, strategy, columns; and one APIService as the tier reads it."""
