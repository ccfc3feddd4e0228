"""workshop: what the other examples do without: strategy, storage, handlers, hooks. `python -m examples.workshop`"""
