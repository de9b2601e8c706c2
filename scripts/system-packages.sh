#!/bin/bash
# Installs what the build needs from the system and does not find: the zstd, zlib, xxHash and
# OpenSSL libraries with their headers, and pkg-config. Further names are Debian packages that are wanted as well.
#
#   scripts/system-packages.sh [PACKAGE…]
set -euo pipefail

missing=()
command -v pkg-config >/dev/null || missing+=(pkg-config)
has_library() { pkg-config --exists "$1" 2>/dev/null; }
has_library libzstd || missing+=(libzstd-dev)
has_library zlib || missing+=(zlib1g-dev)
has_library libxxhash || missing+=(libxxhash-dev)
has_library libcrypto || missing+=(libssl-dev)
for package in "$@"; do
	dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done

if [ ${#missing[@]} -gt 0 ]; then
	if ! command -v apt-get >/dev/null; then
		echo "Please install these first, by the names your system has for them: ${missing[*]}" >&2
		exit 1
	fi
	as_root=()
	if [ "$(id -u)" != 0 ]; then
		if ! command -v sudo >/dev/null; then
			echo "Please install these first, as root: apt-get install ${missing[*]}" >&2
			exit 1
		fi
		as_root=(sudo)
	fi
	echo "Installing ${missing[*]}"
	"${as_root[@]}" apt-get update -q
	DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
fi

if ! command -v swift >/dev/null; then
	echo "Please install Swift 6.3 or newer first: https://www.swift.org/install" >&2
	exit 1
fi
