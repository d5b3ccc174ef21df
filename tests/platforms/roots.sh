# shellcheck shell=bash
# Debians of other kinds than this one, to be sourced: a whole one to work in by chroot, and unpacked libraries to build for
# another processor. They are made once and kept in $roots, from where this machine takes its own packages.

roots=${HOMECALL_ROOTS:-/var/cache/homecall-platforms}
build_packages=(libevent-dev libcjson-dev uthash-dev libssl-dev libsodium-dev libidn2-dev libcmocka-dev)

# shellcheck disable=SC2016 # apt is to expand it
mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' 'Origin: Debian' 'Component: main' | sed -n 1p
}

# make_root NAME SETTING COMMAND...: what the command makes in the folder that is given to it behind its words, kept as
# $roots/NAME for as long as the setting is the same.
make_root() {
    local name=$1 setting=$2 made
    shift 2
    [ "$(cat "$roots/$name.setting" 2>/dev/null)" = "$setting" ] && [ -d "$roots/$name" ] && return
    mkdir -p "$roots"
    rm -rf "${roots:?}/$name" "$roots/$name.setting"
    made=$(mktemp -d "$roots/$name.XXXXXX")
    chmod 755 "$made"
    if ! "$@" "$made" >"$roots/$name.log" 2>&1; then
        tail -n 20 "$roots/$name.log" >&2
        rm -rf "$made"
        return 1
    fi
    mv "$made" "$roots/$name"
    echo "$setting" >"$roots/$name.setting"
}

# make_debian SUITE [PACKAGE...]: a whole one, with these packages and its hosts file as it is shipped.
make_debian() {
    local suite=$1
    shift
    make_root "$suite" "$*" debootstrap_into "$suite" "$@"
}

debootstrap_into() {
    local suite=$1 folder=${*: -1} packages=("${@:2:$#-2}")
    local IFS=,
    debootstrap --variant=minbase --include="${packages[*]}" "$suite" "$folder" "$(mirror)" &&
        rm -f "$folder"/var/cache/apt/archives/*.deb &&
        printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >"$folder/etc/hosts"
}

# make_sysroot ARCHITECTURE: headers and libraries of Debian 12 for it, unpacked and nothing more.
make_sysroot() {
    make_root "sysroot-$1" "${build_packages[*]}" unpack_into "$1"
}

unpack_into() {
    local folder=$2 packages=("${build_packages[@]}" libc6-dev libgcc-12-dev) link
    local IFS=,
    mmdebstrap --variant=extract --architectures="$1" --include="${packages[*]}" bookworm "$folder" "$(mirror)" || return
    # What else a program asks for, an emulator is to find on this machine.
    rm -rf "${folder:?}"/{dev,etc,tmp,var}
    # A linker follows a link from the machine's root, not from this one.
    while read -r link; do
        ln -srf "$folder$(readlink "$link")" "$link" || return
    done < <(find "$folder" -type l -lname '/*')
}
