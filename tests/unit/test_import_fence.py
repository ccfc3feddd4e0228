"""The fence contract of `.importlinter`: who is stopped, who is let through."""

from grimp import ImportGraph

from tests.import_fence import Fence


def check(*imports: tuple[str, str], **options: list[str]) -> list[tuple[str, str, int]]:
    """The breaches a fence with these options finds among these (importer, imported) pairs."""
    graph = ImportGraph()
    for line, (importer, imported) in enumerate(imports, start=1):
        graph.add_module(importer)
        graph.add_module(imported)
        graph.add_import(importer=importer, imported=imported, line_number=line, line_contents="")
    contract = Fence(name="fence", session_options={}, contract_options=options)
    result = contract.check(graph, verbose=False)
    breaches: list[tuple[str, str, int]] = result.metadata["breaches"]
    assert result.kept is not bool(breaches)
    return breaches


def test_an_import_by_anyone_else_is_a_breach() -> None:
    breaches = check(("kubeapi.server", "sqlite3"), imported=["sqlite3"], importers=["generic.storage.sqlite*"])
    assert breaches == [("kubeapi.server", "sqlite3", 1)]


def test_a_pattern_lets_through_names_it_matches_and_all_below() -> None:
    assert not check(
        ("generic.storage.sqlite", "sqlite3"),
        ("generic.storage.sqlite_writer", "sqlite3"),
        ("generic.storage.sqlite.schema", "sqlite3"),
        imported=["sqlite3"],
        importers=["generic.storage.sqlite*"],
    )


def test_a_plain_name_does_not_let_its_neighbours_through() -> None:
    breaches = check(("generic.serving2", "hypercorn"), imported=["hypercorn"], importers=["generic.serving"])
    assert breaches == [("generic.serving2", "hypercorn", 1)]


def test_what_lies_below_a_fenced_package_is_fenced() -> None:
    breaches = check(("generic.filters.x", "generic.serving.tls"), imported=["generic.serving"])
    assert breaches == [("generic.filters.x", "generic.serving.tls", 1)]


def test_sources_and_spared_confine_one_package() -> None:
    breaches = check(
        ("trikube.aa.server", "trikube.aa.types"),
        ("trikube.aa.server", "generic.server"),
        ("trikube.cli", "kubeapi.server"),
        ("trikube.aa.server", "trikube.pki"),
        ("trikube.aa.server", "kubeapi.rbac"),
        sources=["trikube.aa"],
        imported=["trikube", "kubeapi"],
        spared=["trikube.aa"],
    )
    assert breaches == [("trikube.aa.server", "kubeapi.rbac", 5), ("trikube.aa.server", "trikube.pki", 4)]


def test_a_fence_may_stand_before_what_it_fences_exists() -> None:
    assert not check(("generic.a", "generic.b"), imported=["not_written_yet"], importers=["nor_this"])
