"""trikube.aa: aggregated API servers in Python. `from trikube import aa`, then see docs/build-an-aa.md.

Stands on `generic` alone. Read it in this order: `resource` (what authors write), `definition` and `markers` (what
that says), `hooks`, `strategy`, `admission`, `subresources`, `connection` (how it is carried out), `install` and
`server` (into a GenericServer), `access`, `storages`, `options`, `run`, `process` (into a process), `builder` (how
authors start it all). Mirrors `apiserver-runtime` of kubernetes-sigs.
"""

from generic.admission.interface import Attributes as Attributes
from generic.meta import errors as errors
from generic.meta import fields as fields
from generic.meta.fields import FieldError as FieldError
from generic.meta.gvk import GroupVersionResource as GroupVersionResource
from generic.registry.strategy import Strategy as Strategy
from trikube.aa import process as process
from trikube.aa.builder import APIServer as APIServer
from trikube.aa.channels import Channels as Channels
from trikube.aa.channels import Ports as Ports
from trikube.aa.connection import Connection as Connection
from trikube.aa.context import Context as Context
from trikube.aa.definition import DefinitionError as DefinitionError
from trikube.aa.definition import PathColumn as PathColumn
from trikube.aa.definition import Scale as Scale
from trikube.aa.markers import column as column
from trikube.aa.markers import connect as connect
from trikube.aa.markers import subresource as subresource
from trikube.aa.model import Metadata as Metadata
from trikube.aa.model import Model as Model
from trikube.aa.options import Options as Options
from trikube.aa.options import OptionsError as OptionsError
from trikube.aa.plan import Setup as Setup
from trikube.aa.resource import Findings as Findings
from trikube.aa.resource import Resource as Resource
from trikube.aa.run import Listening as Listening
from trikube.aa.storages import NOT_STORED as NOT_STORED
from trikube.aa.storages import etcd as etcd
from trikube.aa.storages import files as files
from trikube.aa.storages import sqlite as sqlite
from trikube.aa.storages import stored as stored

process.tell_definition_errors()
