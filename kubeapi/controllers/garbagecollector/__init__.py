"""The garbage collector: what is owned goes with its owners.

    discovery.py   which resources there are to follow, and which resource a kind is
    sources.py     follows one resource: through its watch cache in this process, or by a metadata-only watch
    following.py   keeps as many sources running as discovery tells of
    graph.py       who depends on whom, by UID; tells what to look at again
    owners.py      whether an owner still is there
    objects.py     the calls it makes
    collecting.py  the three decisions: delete a dependent, let an owner go, orphan its dependents
    collector.py   starts and stops it all

Mirrors `pkg/controller/garbagecollector`, which Kubernetes runs in its controller manager. It differs in one thing:
the graph there holds every object of the cluster a second time; this one holds dependents and objects that wait for
theirs, and looks owners up in the watch caches, which have them anyway.
"""
