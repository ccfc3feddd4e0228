"""`python -m examples.files --standalone-debug-mode`: Notes, each a file `.trikube/files/notes/registry/.../NAME.json`.

No etcd, no database. A file that was edited, added or removed while the server was down is a change when it starts.
Notes are served in two versions: v1, the hub, is what the files say; v1beta1 had one text instead of lines.
"""

from pydantic import Field

from trikube import aa


class NoteSpec(aa.Model):
    """NoteSpec is what a note says."""

    lines: list[str] = Field(default_factory=list)
    """Its text, line by line."""


class Note(aa.Resource, group="files.demo.io", version="v1", namespaced=False):
    """Note is a piece of text."""

    spec: NoteSpec = NoteSpec()
    """What it says."""

    @aa.column("Lines", type="integer")
    def count(self) -> int:
        """How many lines it has."""
        return len(self.spec.lines)


class NoteV1Beta1Spec(aa.Model):
    """NoteSpec is what a note says."""

    text: str = ""
    """Its text."""


class NoteV1Beta1(aa.Resource, group="files.demo.io", version="v1beta1", kind="Note", namespaced=False, hub=Note):
    """Note is a piece of text."""

    spec: NoteV1Beta1Spec = NoteV1Beta1Spec()
    """What it says."""

    def convert_to_hub(self) -> Note:
        return Note(metadata=self.metadata, spec=NoteSpec(lines=self.spec.text.splitlines()))

    @classmethod
    def convert_from_hub(cls, hub: Note) -> "NoteV1Beta1":
        return cls(metadata=hub.metadata, spec=NoteV1Beta1Spec(text="\n".join(hub.spec.lines)))


class Summary(aa.Resource, group="files.demo.io", version="v1", namespaced=False, plural="summaries"):
    """Summary counts the words of a text. Nothing is stored: the answer is the object that was posted."""

    text: str
    """What to look at."""
    words: int = 0
    """How many words it has."""

    def answer(self, ctx: aa.Context) -> None:
        self.words = len(self.text.split())


SERVER = (
    aa
    .APIServer("files")
    .with_resource(Note, storage=aa.files("notes"))
    .with_resource(NoteV1Beta1)
    .with_resource(Summary, storage=aa.NOT_STORED)
    .with_local_debug_extension()
)

if __name__ == "__main__":
    SERVER.execute()
