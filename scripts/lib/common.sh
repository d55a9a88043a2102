# Shared by scripts/run and scripts/test: where things are, how they are said, and what gets installed.
# Sourced, not run. Needs bash and Debian's apt.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '\n== %s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$1" >&2
  shift
  for line in "$@"; do printf '  %s\n' "$line" >&2; done
  exit 1
}

as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "packages must be installed: $*" "Run this as root, or install sudo, or install them yourself."
  fi
}

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed$'; }

# A Node.js of another origin than Debian's brings its own npm; Debian's packages would conflict with it.
have_node() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)'
}

# install_packages LIST...: what scripts/packages/LIST.txt names and is not there yet. The services among
# `bench` are not started.
install_packages() {
  local list name missing=() apt=apt-get
  for list in "$@"; do
    [[ $list != bench ]] || apt=$root/scripts/lib/apt-unstarted
    while read -r name; do
      [[ -z $name || $name == \#* ]] && continue
      if [[ $name == nodejs || $name == npm ]] && have_node; then continue; fi
      installed "$name" || missing+=("$name")
    done <"$root/scripts/packages/$list.txt"
  done
  if [[ ${#missing[@]} -eq 0 ]]; then return; fi
  command -v apt-get >/dev/null ||
    die "this is not a Debian system; these packages are needed: ${missing[*]}"
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2 ||
    die "apt-get update failed." "Is the network there? Its words are above."
  as_root env DEBIAN_FRONTEND=noninteractive "$apt" install -y -q --no-install-recommends \
    "${missing[@]}" >&2 || die "apt-get could not install the packages." "Its words are above."
}

# build_preset PRESET [TARGET...]
build_preset() {
  local preset=$1
  shift
  say "building preset $preset"
  (cd "$root" && cmake --preset "$preset" >&2 &&
    cmake --build --preset "$preset" ${1:+--target "$@"} >&2) ||
    die "the build of preset $preset failed; its first error is above."
}
