#!/bin/sh
# What must be there before `cargo xtask` itself can be built: Rust, and a C compiler to link with.
# Everything else is xtask's to find and install (xtask/src/setup). Silent when both are there.
set -eu

PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
needed=$(sed -n 's/^rust-version = "1\.\([0-9]*\).*"/\1/p' Cargo.toml)

if ! command -v cargo >/dev/null 2>&1; then
    cat >&2 <<END
Crewbell is written in Rust, and Rust is not installed here.
Install it with rustup (https://rustup.rs), which needs no root's rights and takes a minute
(on Debian 13 and later: sudo apt-get install rustup && rustup default stable;
on Fedora: sudo dnf install rustup && rustup-init; on macOS: brew install rustup && rustup default stable).
Then open a new terminal and try again.
END
    exit 1
fi

if ! version=$(cargo --version 2>&1); then
    echo "cargo is installed, but does not run:" >&2
    echo "$version" >&2
    echo "If rustup has no toolchain yet: rustup default stable" >&2
    exit 1
fi
minor=$(echo "$version" | sed -n 's/^cargo 1\.\([0-9]*\)\..*/\1/p')
if [ -n "$minor" ] && [ "$minor" -lt "${needed:-0}" ]; then
    echo "This is $version; Crewbell needs 1.$needed or newer." >&2
    echo "With rustup: rustup update stable. (A distribution's own Rust is often older: https://rustup.rs)" >&2
    exit 1
fi

if ! command -v cc >/dev/null 2>&1; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "A C compiler (cc) is missing: Rust links with it." >&2
        echo "Fedora: sudo dnf install -y gcc    macOS: xcode-select --install" >&2
        exit 1
    fi
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
            as_root="sudo"
        else
            echo "A C compiler (cc) is missing: Rust links with it. Please run this, then try again:" >&2
            echo "    sudo apt-get install -y --no-install-recommends gcc libc6-dev" >&2
            exit 1
        fi
    fi
    echo "A C compiler (cc) is missing: Rust links with it. Installing gcc and libc6-dev with apt-get." >&2
    install="$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends gcc libc6-dev"
    $install || { $as_root apt-get update && $install; }
fi
