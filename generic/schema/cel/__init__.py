"""CEL, the expression language of validation rules and admission policies. `environment.py` is the way in."""
