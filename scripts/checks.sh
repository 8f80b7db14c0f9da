# How scripts say that they cannot go on, and what start-servers.sh looks at before it builds anything. Sourced by them; bash 3.2 will do.
#
# shellcheck shell=bash

# fail LINE...: says why, and ends the script.
fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# What Vite, the dashboard's development server, runs on.
NODE_WANTED="20.19 or newer of 20, or 22.12 or newer"

# version_at_least VERSION MAJOR MINOR
version_at_least() {
    local major=${1%%.*} minor=${1#*.}
    minor=${minor%%.*}
    case "$major$minor" in '' | *[!0-9]*) return 1 ;; esac
    [ "$major" -gt "$2" ] || { [ "$major" -eq "$2" ] && [ "$minor" -ge "$3" ]; }
}

# node_will_do VERSION
node_will_do() {
    version_at_least "$1" 22 12 || { version_at_least "$1" 20 19 && ! version_at_least "$1" 21 0; }
}

# port_is_taken HOST PORT: true where something answers there.
port_is_taken() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

# The host that a browser or a check goes to for an address that may mean "all of this machine's".
reachable_host() {
    case "$1" in
        0.0.0.0) echo 127.0.0.1 ;;
        ::) echo ::1 ;;
        *) printf '%s\n' "$1" ;;
    esac
}

# setting NAME DEFAULT FLAG...: a setting of the hub as it will see it: from its flags, the environment, .env.
setting() {
    local name=$1 value=$2 flag from_file
    flag=--$(printf '%s' "$name" | tr '[:upper:]_' '[:lower:]-')
    shift 2
    if [ -f .env ]; then
        from_file=$(sed -n "s/^[[:space:]]*$name=[\"']\{0,1\}\([^\"'#]*\).*/\1/p" .env | sed 's/[[:space:]]*$//' | tail -n 1)
        value=${from_file:-$value}
    fi
    [ -z "${!name:-}" ] || value=${!name}
    while [ $# -gt 0 ]; do
        case "$1" in
            "$flag") value=${2:-} ;;
            "$flag"=*) value=${1#*=} ;;
        esac
        shift
    done
    printf '%s\n' "$value"
}

problems=""
problem() { problems+="$1"$'\n'; }

# The newest Rust that is needed stands in Cargo.toml.
check_rust() {
    local wanted version
    if ! command -v cargo >/dev/null; then
        problem "Rust is needed to build the hub: https://rustup.rs"
        return
    fi
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    version=$(rustc --version 2>/dev/null | sed 's/^rustc \([0-9.]*\).*/\1/')
    if [ -n "$wanted" ] && [ -n "$version" ] && ! version_at_least "$version" "${wanted%%.*}" "${wanted#*.}"; then
        problem "Rust $wanted or newer is needed to build the hub, and this is $version: rustup update"
    fi
}

check_compiler() {
    command -v "${CC:-cc}" >/dev/null && return
    problem "A C compiler is needed to build the hub, because SQLite is written in C, and there is no ${CC:-cc} here.
  Debian, Ubuntu:  sudo apt install build-essential
  Fedora:          sudo dnf install gcc
  macOS:           xcode-select --install"
}

# The hub that is there, or what it takes to build one.
check_hub() {
    if [ -n "${UMBLER_HUB_BIN:-}" ]; then
        [ -x "$UMBLER_HUB_BIN" ] || problem "UMBLER_HUB_BIN is $UMBLER_HUB_BIN, and that is no program"
    else
        # shellcheck disable=SC1091
        command -v cargo >/dev/null || { [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"; } || true
        check_rust
        check_compiler
    fi
}

# True where the dashboard's server can run here, or what is wrong with Node.js can be mended; told if not.
check_node() {
    local version
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        echo "The dashboard is left out: it needs Node.js with npm (https://nodejs.org). The console needs neither."
        return 1
    fi
    version=$(node --version)
    node_will_do "${version#v}" || problem "The dashboard needs Node.js $NODE_WANTED, and this is $version: https://nodejs.org
  Without the dashboard:  $(command_with --no-dashboard "")"
}
