#!/usr/bin/env bash
# Makes the images that the Dockerfile begins with, for a machine that reaches Debian's and npm's packages but no registry
# of images: of Debian's packages, of the Rust that is installed here, and of Node.js as npm has it. They get the names
# that the Dockerfile uses, so that it builds unchanged.
#
#   scripts/image-bases.sh        those that are not there yet
#
# Needs root, buildah, debootstrap, npm and Rust. They are stand-ins for building and trying, not for releases: what is
# released begins with the official images.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The Node.js of the image, to the last number, because npm is asked for that package alone.
NODE_VERSION=22.23.3
NPM_VERSION=10.9.4

case "${1:-}" in
    '') ;;
    *)
        sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 2
        ;;
esac

for tool in buildah debootstrap npm rustc; do
    command -v "$tool" >/dev/null || {
        echo "$tool is needed" >&2
        exit 1
    }
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The names behind FROM that are no stage of the Dockerfile itself.
base_named() { sed -n "s/^FROM \($1:[^ ]*\).*/\1/p" Dockerfile | head -n 1; }
is_there() { buildah inspect --type image "docker.io/library/$1" >/dev/null 2>&1; }

# system FOLDER [PACKAGES]: a Debian of that suite, and what slim images leave out taken away.
system() {
    local folder=$1 packages=${2:-}
    debootstrap --variant=minbase ${packages:+--include="$packages"} bookworm "$folder" >"$scratch/log" || {
        cat "$scratch/log" >&2
        return 1
    }
    rm -rf "$folder"/var/cache/apt/* "$folder"/var/lib/apt/lists/* "$folder"/var/log/* \
        "$folder"/usr/share/{doc,man,info,locale,lintian,groff,linda}/*
}

# keep NAME FOLDER [CONFIG…]: the folder as an image of that name.
keep() {
    local name=$1 folder=$2 container
    shift 2
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$folder" / >/dev/null
    buildah config --cmd /bin/bash --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" "$container"
    buildah commit --quiet --rm "$container" "docker.io/library/$name" >/dev/null
    rm -rf "$folder"
    echo "made $name"
}

# Where this machine trusts more than the usual authorities, a build trusts them too, and so does the image that it makes.
trust() {
    install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/ca-certificates.crt"
}

base=$(base_named debian)
if ! is_there "$base"; then
    system "$scratch/debian"
    keep "$base" "$scratch/debian"
fi

base=$(base_named rust)
if ! is_there "$base"; then
    wanted=${base#rust:}
    version=$(rustc --version | cut -d ' ' -f 2)
    case "$version" in
        "${wanted%%-*}"*) ;;
        *)
            echo "the Dockerfile builds with Rust ${wanted%%-*}, and this is $version" >&2
            exit 1
            ;;
    esac
    system "$scratch/rust" ca-certificates,gcc,libc6-dev
    trust "$scratch/rust"
    sysroot=$(rustc --print sysroot)
    mkdir -p "$scratch/rust/usr/local/cargo"
    tar -C "$sysroot" --exclude=lib/rustlib/src -cf - bin lib libexec | tar -C "$scratch/rust/usr/local" -xf -
    keep "$base" "$scratch/rust" --env CARGO_HOME=/usr/local/cargo
fi

base=$(base_named node)
if ! is_there "$base"; then
    system "$scratch/node" ca-certificates
    trust "$scratch/node"
    arch=$(uname -m)
    case "$arch" in
        x86_64) arch=x64 ;;
        aarch64) arch=arm64 ;;
    esac
    (cd "$scratch" && npm pack --silent "node-linux-$arch@$NODE_VERSION" "npm@$NPM_VERSION" >/dev/null)
    tar -C "$scratch/node/usr/local" --strip-components=1 -xzf "$scratch/node-linux-$arch-$NODE_VERSION.tgz" package/bin
    modules=$scratch/node/usr/local/lib/node_modules/npm
    mkdir -p "$modules"
    tar -C "$modules" --strip-components=1 -xzf "$scratch/npm-$NPM_VERSION.tgz"
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$scratch/node/usr/local/bin/npm"
    keep "$base" "$scratch/node" --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
fi
