"""One child process that never outlives us, and the folder where it keeps its things."""

from __future__ import annotations

import atexit
import grp
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def make_folder(name: str, owner: str | None = None, within: Path | None = None) -> Path:
    """A folder that other accounts can enter, which those of `tmp_path` under root are not."""
    folder = Path(tempfile.mkdtemp(prefix=f"mailwright-{name}-", dir=within))
    folder.chmod(0o755)
    if owner:
        shutil.chown(folder, owner)
    return folder


def identity(user: str | None) -> dict[str, Any]:
    """Arguments for `subprocess` that make a child run under an account of its own."""
    if user is None:
        return {}
    account = pwd.getpwnam(user)
    groups = [group.gr_gid for group in grp.getgrall() if user in group.gr_mem]
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": groups}


def run(command: Sequence[str | Path], user: str | None = None, cwd: Path | None = None) -> str:
    """Run to the end; the output is in the error if it fails."""
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd=cwd or "/",
        **identity(user),
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} gave {done.returncode}:\n{done.stdout}")
    return done.stdout


class Process:
    """A server in the foreground, stopped by a watch should this process die first."""

    def __init__(
        self,
        command: Sequence[str | Path],
        folder: Path,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        log: Path | None = None,
    ) -> None:
        self.command = [str(word) for word in command]
        self.folder = folder
        self.user = user
        self.stop_signal = stop_signal
        self._printed = folder / "output.log"
        self._logs = [self._printed, *([log] if log else [])]
        self._child: subprocess.Popen[bytes] | None = None
        self._watch: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self, ready: Callable[[], bool], seconds: float = 20) -> None:
        with self._printed.open("ab") as output:
            self._child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,
                **identity(self.user),
            )
        self._watch = _watch(self._child.pid, self.stop_signal)
        atexit.register(self.stop)
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running or time.monotonic() > deadline:
                state = "is not ready" if self.running else "ended"
                self.stop()
                raise RuntimeError(f"{self.command[0]} {state}:\n{self.output()}")
            time.sleep(0.02)

    def stop(self, seconds: float = 15) -> None:
        atexit.unregister(self.stop)
        child, self._child = self._child, None
        if child is None:
            return
        if child.poll() is None:
            child.send_signal(self.stop_signal)
            try:
                child.wait(seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self._watch is not None:
            self._watch.communicate(b"stopped\n")
            self._watch = None

    def output(self) -> str:
        """The end of what it printed and logged."""
        texts = (log.read_text(errors="replace") for log in self._logs if log.exists())
        return "\n".join(text[-4000:] for text in texts)


def _watch(pid: int, stop_signal: signal.Signals) -> subprocess.Popen[bytes]:
    """A process that waits for a word from us and, if we fall silent, stops the server.

    The kernel's own signal on a parent's death is lost by servers that change their user.
    """
    return subprocess.Popen(
        ["/bin/sh", "-c", f"read word || kill -{stop_signal.name[3:]} {pid}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def write_as_of_old(path: Path, text: str) -> None:
    """Write a file with an old date: Postfix waits two seconds before it reads a fresh one."""
    path.write_text(text)
    os.utime(path, (0, 0))
