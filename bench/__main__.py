"""`make bench`: starts the server as a user would and prints a table, one figure a row, medians of several runs."""

import argparse
from collections.abc import Sequence
from statistics import median

from bench import audit, definitions, figures, machinery, proxy


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--runs", type=int, default=5, help="runs of each figure, the median counts")
    runs = parser.parse_args().runs

    print(f"| figure (median of {runs}) | value | from | to |")
    print("|---|---:|---:|---:|")
    _row("first start to ready, PKI made (ms)", figures.first_starts(runs))
    _row("restart to ready (ms)", figures.restarts(runs))
    with figures.running() as server:
        _row("resident memory, idle (MiB)", [server.resident()], digits=1)
        _row("GET/s, 1 KiB, 16 clients", figures.gets(server, runs))
        _row("durable CREATE/s, 1 client", figures.creates(server, runs, clients=1, each=200))
        _row("durable CREATE/s, 32 clients", figures.creates(server, runs, clients=32, each=40))
        _row("server-side apply/s, 16 clients", machinery.applies(server, runs))
    _row("GET/s, 1 KiB, 16 clients, audited to a file", audit.gets(runs))
    with figures.running() as server:
        figures.fill(server, figures.MANY)
        _row("resident memory, 10,000 ConfigMaps of 1 KiB (MiB)", [server.resident()], digits=1)
        _row("LIST of 10,000 x 1 KiB (ms)", figures.lists(server, runs))
    with figures.running() as server:
        machinery.fill_labelled(server, figures.MANY)
        _row("LIST by label, 100 of 10,000 (ms)", machinery.selective_lists(server, runs), digits=1)
    with figures.running() as server:
        _row("watch events/s to 1 watcher", figures.watched(server, runs, watchers=1, writes=800))
        _row("watch events/s to 200 watchers", figures.watched(server, runs, watchers=200, writes=160))
    with figures.running() as server:
        _row("memory per watcher (KiB)", [machinery.watcher_memory(server, watchers=1000)])
        _row("watch events/s to 1,000 watchers", figures.watched(server, runs, watchers=1000, writes=32))
    with figures.running() as server:
        _row("CRD create to first served request (ms)", definitions.first_served(server, runs), digits=1)
        _row("custom resource CREATE/s, 32 clients", definitions.creates(server, runs, rules=False))
        _row("the same with three CEL rules", definitions.creates(server, runs, rules=True))
        _row("GET p99 while CRDs are created (ms)", definitions.latency_while_defining(server, runs), digits=1)
    _row("restart to ready with 1,000 CRDs (ms)", definitions.restarts_with_many(runs))
    with proxy.both() as target:
        p50, p99 = proxy.added_latency(target, runs)
        _row("latency the aggregator adds, p50 (ms)", p50, digits=2)
        _row("latency the aggregator adds, p99 (ms)", p99, digits=2)
        _row("GET/s proxied / direct", proxy.throughput_ratio(target, runs), digits=2)
        _row("watch events/s through the aggregator", proxy.watch_events(target, runs))
        _row("APIService created to Available (ms)", proxy.creation_to_available(target, runs))
    _row("GET/s through the aggregator, 16 clients", figures.proxied(runs))
    _row("p99 of local GETs beside 3 misbehaving AAs / without", proxy.p99_beside_misbehaving(runs), digits=2)


def _row(name: str, values: Sequence[float], *, digits: int = 0) -> None:
    shown = (f"{value:,.{digits}f}" for value in (median(values), min(values), max(values)))
    print(f"| {name} | {' | '.join(shown)} |", flush=True)


if __name__ == "__main__":
    main()
