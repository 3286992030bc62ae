#!/bin/sh
# Install the packages of tools/apt-packages.txt that are missing, without starting their services.
set -eu

list=$(dirname "$0")/apt-packages.txt
guard=/usr/sbin/policy-rc.d

missing=
for package in $(sed 's/#.*//' "$list"); do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "This system has no apt-get. Install what these packages hold, or use 'make test-fast':$missing" >&2
    exit 1
fi
root=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Neither root nor sudo: have these packages installed, or use 'make test-fast':$missing" >&2
        exit 1
    fi
    root=sudo
fi

# The tests start servers of their own; those of the packages shall stay down.
guarded=
unguard() { [ -z "$guarded" ] || $root rm -f "$guard"; }
trap unguard EXIT
trap 'exit 1' HUP INT TERM
if [ ! -e "$guard" ]; then
    guarded=yes
    printf '#!/bin/sh\nexit 101\n' | $root tee "$guard" >/dev/null
    $root chmod 755 "$guard"
fi

echo "Installing$missing ..." >&2
$root apt-get update -qq
# shellcheck disable=SC2086 # the list is meant to be split
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o DPkg::Lock::Timeout=300 $missing </dev/null >&2
