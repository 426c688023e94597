# Debian's packages: which are missing, and how to get them. Sourced by setup.sh.
# Its names of files are relative and without blanks.
# shellcheck shell=bash disable=SC2086,SC2154

apt_log=$log_dir/apt.log
apt_failed=$log_dir/apt.failed
sysroot=${SUZURI_SYSROOT:-} # another root of the file system, for the tests of this
qflow=$sysroot/usr/share/qflow/tech

have() { command -v "$1" >/dev/null 2>&1; }

# Print the packages that are missing, in the order an administrator reads them.
# Only shell builtins: this runs on every `make`.
missing_packages() {
    local out=()
    have make || out+=(make)
    have g++ || out+=(g++)
    perl_modules || out+=(perl)
    [ -e "$sysroot/usr/include/zlib.h" ] || out+=(zlib1g-dev)
    have iverilog || out+=(iverilog)
    have sta || have opensta || out+=(opensta)
    [ -d "$qflow/osu018" ] || out+=(qflow-tech-osu018)
    [ -d "$qflow/osu035" ] || out+=(qflow-tech-osu035)
    [ -d "$qflow/osu050" ] || out+=(qflow-tech-osu050)
    if [ -r $libpython ] && ! compgen -G "$sysroot/usr/lib/*/$(<$libpython).so.1.0" >/dev/null; then
        out+=("$(<$libpython)")
    fi
    if [ "$level" = dev ]; then
        have git || out+=(git)
        have riscv64-unknown-elf-gcc || out+=(gcc-riscv64-unknown-elf)
        [ -d "$sysroot/usr/lib/picolibc/riscv64-unknown-elf" ] || out+=(picolibc-riscv64-unknown-elf)
        have dtc || out+=(device-tree-compiler)
        have chromium || have chromium-browser || have google-chrome || out+=(chromium)
    fi
    echo "${out[*]-}"
}

# Debian's perl-base lacks modules that the verilator script uses.
perl_modules() {
    have perl || return 1
    [ ! -e "$sysroot/etc/debian_version" ] || compgen -G "$sysroot/usr/share/perl/5*/Pod/Usage.pm" >/dev/null
}

what_stops() {
    case $1 in
    make | g++ | perl) echo "simulation with Verilator" ;;
    zlib1g-dev) echo "waveforms (FST) from Verilator" ;;
    iverilog) echo "simulation with Icarus" ;;
    opensta) echo "timing and power" ;;
    qflow-tech-*) echo "the PDK ${1#qflow-tech-}" ;;
    libpython*) echo "simulation with cocotb" ;;
    git) echo "the commit in reports" ;;
    gcc-riscv64-* | picolibc-riscv64-*) echo "building RISC-V programs" ;;
    device-tree-compiler) echo "running programs on Spike alone" ;;
    chromium) echo "tests of the report in a browser" ;;
    esac
}

# Print what privileged commands start with; fail when there is no privilege.
privilege() {
    if [ "$(id -u)" = 0 ]; then
        echo env
    elif have sudo && sudo -n true 2>/dev/null; then
        echo "sudo -n env"
    else
        return 1
    fi
}

may_install() { [ "${SUZURI_NO_APT:-}" != 1 ] && have apt-get && privilege >/dev/null; }

apt_get() {
    # shellcheck disable=SC2046
    $(privilege) DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Use-Pty=0 -o Acquire::Retries=2 -o Acquire::http::Timeout=20 "$@" \
        >>$apt_log 2>&1 </dev/null 9<&-
}

# The words of $1 are packages.
# shellcheck disable=SC2086
apt_install() { apt_get install --no-install-recommends -y $1; }

# What failed within the hour is not tried again on every `make`.
recently_failed() {
    [ -r $apt_failed ] && [ "$(<$apt_failed)" = "$1" ] && [ -n "$(find $apt_failed -mmin -60)" ]
}

# install_packages "a b c": with apt-get where that is possible. Never fails:
# what is missing afterwards is reported.
install_packages() {
    local package
    [ -n "$1" ] && may_install || return 0
    recently_failed "$1" && return 0
    rm -f $apt_failed
    say "installing Debian packages: $1"
    : >$apt_log
    # shellcheck disable=SC2086
    apt-cache show --no-all-versions $1 >/dev/null 2>&1 || apt_get update
    apt_install "$1" && return 0
    if grep -q 'dpkg --configure -a' $apt_log; then # an earlier run was killed
        # shellcheck disable=SC2046
        $(privilege) DEBIAN_FRONTEND=noninteractive dpkg --configure -a >>$apt_log 2>&1 </dev/null 9<&-
    fi
    apt_get update # the lists may be older than the archive
    apt_install "$1" && return 0
    if grep -qE 'Unable to locate|no installation candidate|unmet dependencies' $apt_log; then
        for package in $1; do # one that this release lacks must not stop the others
            apt_install "$package" || say "apt-get could not install $package"
        done
    fi
    say "apt-get said: $(grep -m1 '^[EW]: ' $apt_log || tail -n 1 $apt_log)"
    say "all that it said is in $apt_log; it is tried again in an hour, or after: rm $apt_failed"
    missing_packages >$apt_failed
}

# Name what is still missing, what stops without it, and the one command.
report_missing() {
    local packages package
    packages=$(missing_packages)
    [ -z "$packages" ] && return 0
    say "still missing on this machine; the rest works without:"
    for package in $packages; do
        say "  $(printf '%-18s' "$package") for $(what_stops "$package")"
    done
    ask_administrator "$packages"
}

# The same in one line, for every `make` after the first.
remind_of_missing() { say "still missing: $1 (make doctor says what for, and how to get it)"; }

ask_administrator() {
    if have apt-get; then
        say "to get it, run this, or ask an administrator to:"
        printf "\n    sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends %s'\n\n" "$*"
    else
        say "this system has no apt-get: install with its own package manager what gives the same as Debian's $*"
    fi
}
