#!/usr/bin/env bash
# Set up the checkout: a virtual environment in .venv, and the machine's packages.
#
# usage: .ci/setup.sh run|dev
#   run   what a flow needs (make demo)
#   dev   that, and what the tests and linters need (make test)
#
# Whatever is there already is left alone; a second call costs milliseconds and
# needs no network. Environment:
#   PYTHON             the Python (3.11 or later) to make .venv from
#   SUZURI_NO_APT=1    never call apt-get, only say what is missing
#
# Exit code 3 when not even a virtual environment can be made.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 3
level=${1:-run}
case $level in run | dev) ;; *) echo "usage: .ci/setup.sh run|dev" >&2 && exit 2 ;; esac

unset PYTHONPATH PYTHONHOME VIRTUAL_ENV
export PYTHONNOUSERSITE=1

venv=.venv
log_dir=$venv/log
stamp=$venv/.suzuri-ready           # "<level> <key>" of the last complete set-up
unfinished=$venv/.suzuri-unfinished # there while the virtual environment is being made
libpython=$venv/.suzuri-libpython   # Debian's package of the libpython it needs
lock=requirements-dev.lock

say() { printf '[setup] %s\n' "$*"; }
die() {
    say "$*" >&2
    exit 3
}

# What the environment is made from. Moving the checkout breaks the scripts in
# it, so the place counts too.
key() { { cat pyproject.toml "$lock" .ci/python.sh && pwd -P; } | sha256sum | cut -c1-64; }

python_ready() {
    [ -x $venv/bin/python ] && [ ! -e $unfinished ] && [ -r $stamp ] || return 1
    local have_level have_key
    read -r have_level have_key <$stamp
    [ "$have_key" = "$(key)" ] || return 1
    [ "$have_level" = dev ] || [ "$level" = run ]
}

# watch_over PID LOG WHAT: wait for it, with a sign of life every 15 seconds.
watch_over() {
    local tick=0.02 said=$SECONDS
    while kill -0 "$1" 2>/dev/null; do
        sleep $tick
        [ $((SECONDS - started)) -gt 0 ] && tick=0.2
        if [ $((SECONDS - said)) -ge 15 ]; then
            said=$SECONDS
            say "  $3, $((SECONDS - started)) s: $(tail -n 1 "$2" 2>/dev/null | cut -c1-90)"
        fi
    done
    wait "$1"
}

# shellcheck source=.ci/system.sh
. .ci/system.sh
# shellcheck source=.ci/python.sh
. .ci/python.sh

# One set-up at a time in one checkout; the lock goes with the process.
if command -v flock >/dev/null; then
    exec 9<.ci/setup.sh
    flock -n 9 || { say "another set-up is at work here; waiting for it" && flock 9; }
fi

started=$SECONDS
missing=$(missing_packages)
if python_ready; then
    [ -z "$missing" ] && exit 0
    if ! may_install || recently_failed "$missing"; then
        remind_of_missing "$missing"
        exit 0
    fi
    install_packages "$missing"
else
    discard_broken_venv
    mkdir -p $log_dir || die "cannot write in $(pwd -P)"
    [ -e $venv/pyvenv.cfg ] || : >$unfinished
    prepare_python
    # The rest of Debian's packages and Python's take their time, and neither
    # needs the other.
    missing=$(missing_packages)
    install_packages "$missing" &
    system_pid=$!
    make_venv
    watch_over $system_pid $apt_log "Debian packages"
fi
report_missing
say "ready after $((SECONDS - started)) s"
