"""The built-in kinds in protobuf: `BUILTIN` reads the request bodies of typed Go clients, kubectl among them.

Given to every built-in Resource (`kubeapi/resources/build.py`, `kubeapi/reviews.py`). `fields.json` is the output of
`tools/protobuf`, loaded when the first such body comes.
"""

from pathlib import Path

from generic.protobuf import objects

BUILTIN = objects.ObjectDecoder(objects.META, Path(__file__).with_name("fields.json"))
