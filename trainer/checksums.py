"""What recordings were used, by the SHA-256 of their files."""

import hashlib
from pathlib import Path

from stream.model import artifact


def checksums(path: Path) -> dict[str, str]:
    """Return SHA-256 by name; a folder counts as one file, of its files' names and hashes."""
    if path.is_file():
        return {path.name: artifact.sha256_of(path)}
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.is_file():
            line = f"{artifact.sha256_of(file)}  {file.relative_to(path).as_posix()}\n"
            digest.update(line.encode())
    return {f"{path.name}/": digest.hexdigest()}
