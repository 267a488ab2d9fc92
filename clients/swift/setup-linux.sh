#!/usr/bin/env bash
# Puts Debian 13 with its Swift 6.0 into a folder, for machines without Swift.
#
#     clients/swift/setup-linux.sh [FOLDER]
#
# The folder is by default clients/swift/.toolchain, and takes 2.6 GB. Continuous integration can
# keep it in its cache. SWIFT_TOOLCHAIN=FOLDER lets clients/swift/predict and the tests find another.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
suite=trixie

fail() {
  echo "$1" >&2
  exit 2
}

if [[ $# == 0 ]] && command -v swift >/dev/null; then
  echo "Swift is on the PATH already."
  exit
fi
folder=$(realpath -m "${1:-$here/.toolchain}")
if [[ -x $folder/usr/bin/swiftc ]]; then
  echo "Swift is in $folder already."
  exit
fi
[[ $(uname) == Linux ]] || fail "This is for Linux: on macOS, install Xcode."
[[ $EUID == 0 ]] || fail "Only root can set up a Debian in a folder: use sudo, or install Swift."
command -v debootstrap >/dev/null ||
  fail "There is no debootstrap: type 'apt-get install debootstrap', or install Swift."
unshare --mount true 2>/dev/null ||
  fail "This container may not mount folders: run it with CAP_SYS_ADMIN, or install Swift."

mirror=http://deb.debian.org/debian
if grep -q '^ID=debian' /etc/os-release; then # then the machine's own mirror
  own=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    grep -oE '(https?|file)://[^ ]+/debian/?( |$)' | head -n 1 || true)
  own=${own% }
  mirror=${own:-$mirror}
fi
# Moved into place at the end, so that a folder is complete or is not there.
new=$folder.new
rm -rf "$new"
mkdir -p "$(dirname "$folder")"
debootstrap --variant=minbase --include=swiftlang,libc6-dev,libstdc++-14-dev "$suite" "$new" \
  "$mirror" >"$new.log" 2>&1 ||
  fail "debootstrap failed, see $new.log."
rm -rf "$new"/var/cache/apt/archives/*.deb "$new"/var/lib/apt/lists/*
mv "$new" "$folder"
rm "$new.log"
SWIFT_TOOLCHAIN=$folder "$here/with-swift" swift --version
