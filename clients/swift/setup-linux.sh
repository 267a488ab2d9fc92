#!/usr/bin/env bash
# Puts Debian 13 with its Swift 6.0 into a folder, for machines without Swift.
#
#     clients/swift/setup-linux.sh [FOLDER]
#
# The folder is by default clients/swift/.toolchain, and takes 3 GB. It can be kept between runs of
# continuous integration, under the key that this prints with --key. SWIFT_TOOLCHAIN=FOLDER lets
# clients/swift/predict and the tests find another folder.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
suite=trixie

fail() {
  echo "$1" >&2
  exit 2
}

folder=${1:-$here/.toolchain}
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

# The mirror that this machine uses, if it is a Debian.
mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb *\([^ []*\).*/\1/p' \
  /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1)
# Moved into place at the end, so that a folder is complete or is not there.
new=$folder.new
rm -rf "$new"
mkdir -p "$(dirname "$folder")"
debootstrap --variant=minbase --include=swiftlang "$suite" "$new" \
  "${mirror:-http://deb.debian.org/debian}" >"$new.log" 2>&1 ||
  fail "debootstrap failed, see $new.log."
rm -rf "$new"/var/cache/apt/archives/*.deb "$new"/var/lib/apt/lists/*
mv "$new" "$folder"
rm "$new.log"
SWIFT_TOOLCHAIN=$folder "$here/with-swift" swift --version
