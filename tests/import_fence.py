"""A contract type for import-linter: a module behind a fence, and the few who may import it.

Used by `.importlinter` through `lint-imports`. The contracts that come with import-linter refuse
modules that do not exist yet and match whole names only; a fence is meant to stand before the
code does, and `generic.storage.sqlite*` is how the rule is worded.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


def _matches(module: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(module, pattern) or fnmatchcase(module, f"{pattern}.*") for pattern in patterns)


class Fence(Contract):
    """Among `sources`, only `importers` may import `imported` (but `spared` is free to all), directly.

    Each is a list of shell patterns; a pattern stands for the modules it matches and all below them.
    Imports inside functions and under TYPE_CHECKING count as well.
    """

    type_name = "fence"

    sources = fields.ListField(subfield=fields.StringField(), default=["*"])
    imported = fields.ListField(subfield=fields.StringField())
    spared = fields.ListField(subfield=fields.StringField(), default=[])
    importers = fields.ListField(subfield=fields.StringField(), default=[])

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Every breach as (importer, imported, line), sorted."""
        sources, behind, spared, allowed = map(_patterns, (self.sources, self.imported, self.spared, self.importers))
        fenced = [name for name in graph.modules if _matches(name, behind) and not _matches(name, spared)]
        breaches = sorted(
            (importer, name, detail["line_number"])
            for name in fenced
            for importer in graph.find_modules_that_directly_import(name)
            if _matches(importer, sources) and not _matches(importer, allowed)
            for detail in graph.get_import_details(importer=importer, imported=name)
        )
        return ContractCheck(kept=not breaches, metadata={"breaches": breaches})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line a breach, as import-linter's own contracts print theirs."""
        for importer, imported, line in check.metadata["breaches"]:
            output.print_error(f"{importer} imports {imported} (line {line})", bold=False)


def _patterns(field: Any) -> list[str]:
    # import-linter replaces the class attribute by the parsed value on the instance.
    return [str(pattern) for pattern in field]
