"""Git LFS without Git LFS: a filter that keeps contents elsewhere and leaves pointers in the repository."""

from __future__ import annotations

import shlex
import sys
from hashlib import sha256
from pathlib import Path

from tests.uses.pre_commit.repositories import Repository

HEAD = "version https://git-lfs.github.com/spec/v1\noid sha256:"
FILTER = f"""
import sys
from hashlib import sha256
from pathlib import Path

direction, store = sys.argv[1], Path(sys.argv[2])
content = sys.stdin.buffer.read()
is_pointer = content.startswith({HEAD.encode()!r})
if direction == "clean" and not is_pointer:
    oid = sha256(content).hexdigest()
    (store / oid).write_bytes(content)
    content = f"{HEAD.encode("unicode_escape").decode()}{{oid}}\\nsize {{len(content)}}\\n".encode()
elif direction == "smudge" and is_pointer:
    stored = store / content.split(b"\\n")[1].decode().removeprefix("oid sha256:")
    content = stored.read_bytes() if stored.exists() else content
sys.stdout.buffer.write(content)
"""


def track(repository: Repository, store: Path, *patterns: str) -> None:
    """Keep the contents of files in `store`, and their pointers in the repository."""
    store.mkdir()
    (store / "filter.py").write_text(FILTER)
    for direction in ("clean", "smudge"):
        command = shlex.join([sys.executable, str(store / "filter.py"), direction, str(store)])
        repository.git("config", f"filter.lfs.{direction}", command)
    attributes = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in patterns)
    repository.write(".gitattributes", attributes)


def pointer_to(content: bytes) -> str:
    """What the repository holds in place of a content."""
    return f"{HEAD}{sha256(content).hexdigest()}\nsize {len(content)}\n"


def lose(repository: Repository, store: Path, file: Path) -> None:
    """Forget a file's content and check it out again, as where nothing was fetched: its pointer stands in for it."""
    (store / sha256(file.read_bytes()).hexdigest()).unlink()
    file.unlink()
    repository.git("checkout", "--quiet", "--", str(file))
