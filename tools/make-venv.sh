#!/bin/sh
# Make the virtual environment $1 with the first Python 3.11 or newer; leave a working one alone.
set -eu

venv=$1

if [ -x "$venv/bin/python" ] && "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    exit 0
fi

python=
for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "Python 3.11 or newer is needed; name it with PYTHON=/path/to/python3 if it is not on PATH." >&2
    exit 1
fi

# Debian and Ubuntu keep what venv needs in a package of its own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    root=
    [ "$(id -u)" = 0 ] || root=sudo
    if ! command -v apt-get >/dev/null || { [ -n "$root" ] && ! command -v sudo >/dev/null; }; then
        echo "$python lacks venv and ensurepip; install them (Debian, Ubuntu: python$version-venv)." >&2
        exit 1
    fi
    echo "Installing the package python$version-venv ..." >&2
    $root apt-get update -qq
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "python$version-venv" >&2
fi

if [ -x "$venv/bin/python" ]; then
    exec "$venv/bin/python" -m ensurepip
fi
exec "$python" -m venv --clear "$venv"
