#!/usr/bin/env bash
# Builds the container image with the engine that is here, starts it as compose.yaml does, and holds it to what it promises:
# a delivery is taken and read back, it stops within nine seconds, a second start knows the delivery, and it is not too large.
#
#   scripts/image.sh                  build it as umbler-hub, and try it
#   scripts/image.sh --build-only     only build it, and look at its size
#   scripts/image.sh --try-only       only try what was built before
#   scripts/image.sh --host-network   try it on the machine's own network, where the engine cannot make one
#
# Docker, podman or buildah will do; IMAGE_ENGINE names one of them. Buildah alone only builds. Without a registry of
# images, scripts/image-bases.sh makes what the Dockerfile begins with. The first build takes about ten minutes on two
# cores. Where this machine lets no container be made, BUILDAH_ISOLATION=chroot builds without one.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=scripts/checks.sh
. scripts/checks.sh

IMAGE=umbler-hub
# Of all layers, unpacked.
IMAGE_BYTES_MAX=120000000
# The hub promises to end within this time (docs/operations.md).
STOP_SECONDS_MAX=9
# Waits for the hub end after this many tenths of a second.
TRIES_MAX=300
# Of compose.yaml; where this machine allows less, as much as it allows.
OPEN_FILES=65536

builds=yes
tries=yes
host_network=""
while [ $# -gt 0 ]; do
    case "$1" in
        -h | --help)
            sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        --build-only) tries="" ;;
        --try-only) builds="" ;;
        --host-network) host_network=yes ;;
        *)
            echo "$1 is not known; see --help" >&2
            exit 2
            ;;
    esac
    shift
done

works() {
    case "$1" in
        docker) docker info >/dev/null 2>&1 ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

find_engine() {
    local name
    for name in ${IMAGE_ENGINE:-docker podman buildah}; do
        if works "$name"; then
            engine=$name
            return
        fi
    done
    fail "Docker, podman or buildah is needed, and ${IMAGE_ENGINE:-none of them} does not work here"
}

build() {
    case "$engine" in
        docker) DOCKER_BUILDKIT=1 docker build --tag "$IMAGE" . ;;
        # The health check of the Dockerfile is left out of images of OCI's own format.
        podman | buildah) "$engine" build --layers --format docker --tag "$IMAGE" . ;;
    esac
}

image_bytes() {
    case "$engine" in
        docker | podman) "$engine" image inspect --format '{{.Size}}' "$IMAGE" ;;
        buildah) podman image inspect --format '{{.Size}}' "$IMAGE" 2>/dev/null || unpacked_bytes ;;
    esac
}

# Without podman: what the image's files take.
unpacked_bytes() {
    local container bytes
    container=$(buildah from --pull-never "$IMAGE")
    bytes=$(du -sb "$(buildah mount "$container")" | cut -f 1)
    buildah rm "$container" >/dev/null
    echo "$bytes"
}

check_size() {
    local bytes
    bytes=$(image_bytes)
    echo "size: $bytes bytes, of $IMAGE_BYTES_MAX at most"
    [ "$bytes" -le "$IMAGE_BYTES_MAX" ] || fail "the image is too large"
}

scratch=""
container=""
volume=""

# shellcheck disable=SC2329 # Called when the script ends.
clean_up() {
    [ -z "$container" ] || "$engine" rm --force "$container" >/dev/null 2>&1 || true
    [ -z "$volume" ] || "$engine" volume rm --force "$volume" >/dev/null 2>&1 || true
    [ -z "$scratch" ] || rm -rf "$scratch"
}

# A limit of compose.yaml, or what this machine allows.
at_most() {
    if [ "$2" = unlimited ] || [ "$1" -le "$2" ]; then echo "$1"; else echo "$2"; fi
}

# Starts the image as compose.yaml does, with the volume of this try.
start() {
    local options files
    files=$(at_most "$OPEN_FILES" "$(ulimit -Hn)")
    options=(--read-only --tmpfs "/tmp:size=256m,mode=1777" --volume "$volume:/data" --cap-drop ALL
        --security-opt no-new-privileges --ulimit "nofile=$files:$files")
    # Podman sets this limit of its own accord, higher than a machine may allow.
    [ "$engine" != podman ] || options+=(--ulimit "nproc=4096:4096")
    for name in WEBHOOK_SECRET JWT_SECRET FRONTEND_URL TIMEZONE TRUSTED_PROXIES RUST_LOG LOG_FORMAT; do
        options+=(--env "$name")
    done
    if [ -n "$host_network" ]; then
        port=$(free_port)
        options+=(--network host --env "PORT=$port")
    else
        port=""
        options+=(--publish 127.0.0.1::3001)
    fi
    container=$("$engine" run --detach "${options[@]}" "$IMAGE") || fail "the image does not start"
    find_address
}

free_port() {
    local number
    while :; do
        number=$((20000 + RANDOM))
        port_is_taken 127.0.0.1 "$number" || break
    done
    echo "$number"
}

# Waits until the hub is ready, at the address at which this machine reaches it.
find_address() {
    local tries=0
    [ -n "$port" ] || port=$("$engine" port "$container" 3001/tcp | head -n 1 | sed 's/.*://')
    address=http://127.0.0.1:$port
    until [ "$(ask /health/ready | value_of status)" = ok ]; do
        [ "$("$engine" inspect --format '{{.State.Running}}' "$container")" = true ] ||
            fail "the hub has ended:" "$("$engine" logs "$container" 2>&1)"
        tries=$((tries + 1))
        [ "$tries" -le "$TRIES_MAX" ] || fail "the hub does not get ready:" "$("$engine" logs "$container" 2>&1)"
        sleep 0.1
    done
}

# ask PATH [OPTIONS…]: what the hub answers; options are curl's.
ask() {
    local path=$1
    shift
    curl --silent --max-time 10 "$@" "$address$path" || true
}

# The first value after a key of JSON, where it is a text without quotes in it, or a number.
value_of() { sed -n "s/.*\"$1\":\"\\{0,1\\}\\([^,\"}]*\\).*/\\1/p" | head -n 1; }

stop() {
    local begun seconds code
    begun=$(date +%s%N)
    "$engine" stop --time 20 "$container" >/dev/null
    seconds=$((($(date +%s%N) - begun) / 1000000))
    code=$("$engine" inspect --format '{{.State.ExitCode}}' "$container")
    echo "stopped within $seconds ms, with code $code"
    [ "$code" = 0 ] || fail "a hub that was asked to stop ends with 0"
    [ "$seconds" -le "$((STOP_SECONDS_MAX * 1000))" ] || fail "it may take $STOP_SECONDS_MAX s at most"
    "$engine" rm "$container" >/dev/null
    container=""
}

expect() {
    local what=$1 wanted=$2 found=$3
    [ "$found" = "$wanted" ] || fail "$what: $wanted was expected, and $found came"
    echo "$what: $found"
}

# Of a container: is the root read-only, and who runs the hub?
check_confinement() {
    local pid
    if "$engine" exec "$container" touch /usr/share/written 2>/dev/null; then fail "the root can be written"; fi
    "$engine" exec "$container" touch /tmp/written || fail "/tmp cannot be written"
    pid=$("$engine" inspect --format '{{.State.Pid}}' "$container")
    if [ -r "/proc/$pid/status" ]; then
        expect "user" 10001 "$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$pid/status")"
        expect "capabilities" 0000000000000000 "$(sed -n 's/^CapEff:\t//p' "/proc/$pid/status")"
    fi
}

try_out() {
    local token delivery answer
    [ "$engine" != buildah ] || fail "buildah only builds: the image was not started. Install podman, or use --build-only"
    command -v curl >/dev/null || fail "curl is needed"
    scratch=$(mktemp -d)
    volume=umbler-hub-try-$$
    "$engine" volume create "$volume" >/dev/null
    WEBHOOK_SECRET=$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')
    JWT_SECRET=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
    export WEBHOOK_SECRET JWT_SECRET
    export FRONTEND_URL=http://localhost:5173 TIMEZONE=America/Sao_Paulo TRUSTED_PROXIES=1 RUST_LOG=info LOG_FORMAT=text
    start
    check_confinement
    "$engine" exec "$container" umbler-hub health >/dev/null || fail "the health check of the image fails"
    # Nobody listens there, but whom to trust is looked up first.
    answer=$("$engine" exec "$container" umbler-hub health --url https://127.0.0.1:1 2>&1 || true)
    case "$answer" in
        *"certificate authorities"*) fail "the image is no https client: $answer" ;;
    esac
    delivery=tests/fixtures/deliveries/01_message_text_contact.json
    answer=$(ask "/api/umbler/webhook?token=$WEBHOOK_SECRET" --data-binary @"$delivery")
    expect "delivery" accepted "$(value_of status <<<"$answer")"
    expect "posted by a stranger" 401 "$(ask /api/umbler/webhook --data-binary @"$delivery" -o /dev/null -w '%{http_code}')"
    expect "dashboard" 200 "$(ask / -o /dev/null -w '%{http_code}')"
    token=$("$engine" exec "$container" umbler-hub token --sub image --role admin)
    token=$(tail -n 1 <<<"$token")
    expect "messages" 1 "$(ask /api/umbler/stats -H "Authorization: Bearer $token" | value_of totalMessages)"
    stop
    start
    expect "messages after a second start" 1 \
        "$(ask /api/umbler/stats -H "Authorization: Bearer $token" | value_of totalMessages)"
    stop
}

trap clean_up EXIT
find_engine
echo "with $engine"
[ -z "$builds" ] || build
check_size
[ -z "$tries" ] || try_out
echo "all good"
