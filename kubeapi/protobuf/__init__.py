"""The built-in kinds in protobuf: `BUILTIN` reads what typed Go clients send, kubectl among them, and answers those
that take nothing else.

Given to every built-in Resource (`kubeapi/resources/build.py`, `kubeapi/reviews.py`). `fields.json` is the output of
`tools/protobuf`, loaded when it is first needed.
"""

from pathlib import Path

from generic.protobuf import objects

BUILTIN = objects.ObjectCodec(objects.META, Path(__file__).with_name("fields.json"))
