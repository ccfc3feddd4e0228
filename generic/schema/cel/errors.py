"""What can go wrong with an expression: it does not compile, it fails, it costs too much. Raised by this package."""


class CompileError(Exception):
    """The expression is not valid in its environment; the text is the compiler's, without a prefix."""


class EvaluationError(Exception):
    """The expression failed on these values; the text is cel-go's: `no such key: a`, `divide by zero` ..."""


class BudgetExceeded(Exception):
    """The evaluation cost more than it may, and was cut off."""


NO_OVERLOAD = "no such overload"
"""An operator or function met values it is not made for; only where types were not known at compile time."""
