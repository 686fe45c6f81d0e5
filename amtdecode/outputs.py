"""The one door through which files are written. Nothing goes through it that would destroy what somebody has.

- A single named file takes the place of what was there, as with `tshark -w`, but never of an input, a key file or a
  folder, whatever name or link leads to it. Links are followed: what they point to is replaced.
- A folder of objects never loses a file that was there, nor is a link in it followed: what is new gets a name beside.
- Devices, pipes and standard output are written to as they are.
- What is written appears under its name only once it is whole: a full disk or an interruption leaves nothing there.
  A capture that is taken live is the exception: it is there while it grows.
- What may hold secrets is readable by its owner alone.
- In a store (`s3://` and the like, `amtdecode.stores`) a file is written aside as well, and then moved. Where the store
  has no such step it copies: then a file appears whole only if the store shows none before it is complete, as S3,
  Google's and Azure's do.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from amtdecode.errors import OutputError, UsageError, WorkerError, reason
from amtdecode.stores.paths import is_remote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

MAX_FILES: Final = 100_000  # in one folder; a capture of bodies should not fill a disk's table of files by accident
MAX_NAMES: Final = 100  # tried for an object whose name is taken

STANDARD_OUTPUT: Final = "-"
PRIVATE: Final = 0o600
ASIDE: Final = ".amtdecode-"
PART: Final = ".part"
"""How the name of a file begins and ends that is being written."""
_DESCRIPTORS: Final = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")


class Outputs:
    """What one run writes. `inputs`: the names of all that it reads, captures and key files alike."""

    def __init__(self, inputs: Iterable[str | os.PathLike[str]] = ()) -> None:
        self._names = [os.fspath(name) for name in inputs]

    @contextmanager
    def file(self, name: str, what: str = "", *, private: bool = False) -> Iterator[BinaryIO]:
        """A file to write, which is there under its name when the block ends well; `what` names the option in errors.

        Raises `UsageError` for a name that is an input or a folder, `OutputError` where it cannot be written.
        """
        shown = f"{what} {name}" if what else name
        try:
            if name == STANDARD_OUTPUT:
                sys.stdout.flush()
                opened: AbstractContextManager[BinaryIO] = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
            elif is_remote(name):
                if name in self._names:
                    raise UsageError(f"{shown}: is one of the inputs; choose another name")
                opened = _replacing_remote(name)
            else:
                target, found = self._target(name, shown)
                opened = self._special(name, found) or _replacing(target, private=private)
            with opened as file:
                yield file
        except (OSError, ValueError) as error:
            raise OutputError(f"{shown}: {reason(error)}") from error

    def growing(self, name: str, what: str = "") -> BinaryIO:
        """A capture that is written while it is taken: there at once, for its owner alone, and whole as far as it got.

        Raises as `file` does.
        """
        shown = f"{what} {name}" if what else name
        try:
            if name == STANDARD_OUTPUT:
                sys.stdout.flush()
                return os.fdopen(os.dup(sys.stdout.fileno()), "wb")
            target, found = self._target(name, shown)
            special = self._special(name, found)
            if special is not None:
                return special
            if found is not None:
                os.unlink(target)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            return os.fdopen(os.open(target, flags, PRIVATE), "wb")
        except (OSError, ValueError) as error:
            raise OutputError(f"{shown}: {reason(error)}") from error

    def refuse(self, name: str, what: str = "") -> None:
        """Raise what `file` would raise for this name, before the work that goes into the file is done."""
        if name != STANDARD_OUTPUT and not is_remote(name):
            self._target(name, f"{what} {name}" if what else name)

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """While the block lasts, no other process of this machine is in one for the same name: an empty file.

        Raises `WorkerError` where one is, `OutputError` where the file cannot be made. In a store it does nothing.
        """
        if is_remote(name):
            yield
            return
        try:
            file = open(name, "ab")  # noqa: SIM115 - closed below, which lets others in
        except OSError as error:
            raise OutputError(f"{name}: {reason(error)}") from error
        with file:
            if not _locked(file):
                raise WorkerError(f"{os.path.dirname(name)}: another run is at work there; one at a time")
            yield

    def folder(self, path: str, *, private: bool = False) -> Folder:
        """A folder of objects, made when the first is written."""
        return Folder(path, private=private)

    def _target(self, name: str, shown: str) -> tuple[str, os.stat_result | None]:
        """The path to replace, and what is there. Raises `UsageError` for what is not to be replaced."""
        try:
            target = os.path.realpath(name)
            found = os.stat(name)
        except FileNotFoundError:
            if any(target.casefold() == os.path.realpath(each).casefold() for each in self._names):
                raise UsageError(f"{shown}: is one of the inputs; choose another name") from None
            return target, None
        except (OSError, ValueError) as error:
            raise OutputError(f"{shown}: {reason(error)}") from error
        if stat.S_ISDIR(found.st_mode):
            raise UsageError(f"{shown}: is a directory")
        if any((found.st_dev, found.st_ino) == each for each in self._identities()):
            raise UsageError(f"{shown}: is one of the inputs, which are never written to; choose another name")
        if stat.S_ISREG(found.st_mode) and not os.access(target, os.W_OK):
            raise OutputError(f"{shown}: is write-protected")
        return target, found

    def _special(self, name: str, found: os.stat_result | None) -> BinaryIO | None:
        """The stream of what is no file to be replaced."""
        if name.startswith(_DESCRIPTORS) and found is not None:  # what a shell has opened there is written on
            return os.fdopen(os.open(name, os.O_WRONLY | os.O_APPEND), "wb")
        if found is not None and not stat.S_ISREG(found.st_mode):
            return os.fdopen(os.open(name, os.O_WRONLY), "wb")
        return None

    def _identities(self) -> Iterator[tuple[int, int]]:
        """The files of the inputs: whatever names lead there, device and number are the same."""
        for name in self._names:
            with suppress(OSError, ValueError):
                found = os.stat(name)
                if stat.S_ISREG(found.st_mode):
                    yield found.st_dev, found.st_ino
        with suppress(OSError, ValueError, AttributeError):
            found = os.fstat(sys.stdin.fileno())
            if stat.S_ISREG(found.st_mode):
                yield found.st_dev, found.st_ino


class Folder:
    """Where files of one kind go."""

    def __init__(self, path: str, *, private: bool = False) -> None:
        self.path = path
        self.count = 0  # of objects written, or found there as they are
        self.renamed = 0  # of these, under another name since theirs was taken
        self._private = private

    def write(self, name: str, data: bytes) -> str:
        """Write an object, and give the name it has: another one where a different file has its own.

        Raises `OutputError` when that is impossible.
        """
        if self.count >= MAX_FILES:
            raise OutputError(f"{self.path}: more than {MAX_FILES} files; choose fewer packets with -c")
        assert os.path.basename(name) == name  # noqa: S101 - nothing captured gets into a name
        try:
            os.makedirs(self.path, exist_ok=True)
            used = self._written(name, data)
        except FileExistsError:
            raise OutputError(f"{self.path}: is not a directory") from None
        except (OSError, ValueError) as error:
            raise OutputError(f"{self.path}: {reason(error)}") from None
        self.count += 1
        self.renamed += used != name
        return used

    def _written(self, name: str, data: bytes) -> str:
        stem, dot, ending = name.partition(".")
        for number in range(1, MAX_NAMES + 1):
            used = name if number == 1 else f"{stem}_{number}{dot}{ending}"
            path = os.path.join(self.path, used)
            if os.path.lexists(path):
                if _holds(path, data):
                    return used
                continue
            with _temporary(self.path, private=self._private) as (file, temporary):
                file.write(data)
                file.close()
                if _place(temporary, path):
                    return used
        raise OutputError(f"{self.path}: {MAX_NAMES} files have the name of {name}; choose another folder")


def _holds(path: str, data: bytes) -> bool:
    """Whether a regular file, no link to one, has exactly these bytes."""
    try:
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode) or found.st_size != len(data):
            return False
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)), "rb") as file:
            return file.read(len(data) + 1) == data
    except OSError:
        return False


def _place(temporary: str, path: str) -> bool:
    """Give a finished file its name; false where something has come there meanwhile."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except (OSError, NotImplementedError):  # a file system without hard links
        if os.path.lexists(path):
            return False
        os.rename(temporary, path)
    return True


def _locked(file: BinaryIO) -> bool:
    """Whether the file is this process's now, until it is closed. A file system that cannot tell says yes."""
    if sys.platform == "win32":
        import msvcrt

        with suppress(OSError):
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            return True
        return False
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


@contextmanager
def _replacing(target: str, *, private: bool) -> Iterator[BinaryIO]:
    with _temporary(os.path.dirname(target), private=private) as (file, temporary):
        yield file
        file.close()
        if not private:
            with suppress(FileNotFoundError):
                os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
        os.replace(temporary, target)


@contextmanager
def _replacing_remote(target: str) -> Iterator[BinaryIO]:
    from amtdecode.stores.remote import Remote

    store = Remote(target)
    folder = target.rpartition("/")[0]
    aside = f"{folder}/{ASIDE}{uuid.uuid4().hex}{PART}"
    try:
        with store.open(aside, "wb") as file:
            yield file
        store.move(aside, target)
    except BaseException:
        with suppress(OSError):
            store.remove(aside)
        raise


@contextmanager
def _temporary(folder: str, *, private: bool) -> Iterator[tuple[BinaryIO, str]]:
    """A new file in a folder, which is gone behind the block unless it was renamed."""
    handle, name = tempfile.mkstemp(prefix=ASIDE, suffix=PART, dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            if not private:
                os.chmod(name, 0o666 & ~_mask())
            yield file, name
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def is_part(name: str) -> bool:
    """Whether a file is one of these, left by a process that was killed."""
    return name.startswith(ASIDE) and name.endswith(PART)


def _mask() -> int:
    """What new files of this process are not allowed."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
